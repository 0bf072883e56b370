import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, root } from './packed.js'

// The declarations that users get, compiled as users compile them: with all checks of libraries, against several
// versions of the language's own declarations, and from both module systems. `test/types/cases` has two files for each
// matter: one compiles as it stands, in the other exactly the lines marked `// refused` do not.

const cases = join(root, 'test/types/cases')
/** Needs what only the newest libraries declare. */
const NEWEST = 'helpers.'

interface Setting {
  readonly name: string
  readonly lib: readonly string[]
  readonly type: 'module' | 'commonjs'
  readonly options?: ts.CompilerOptions
}

const bundler = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }
const settings: Setting[] = [
  { name: 'ES2022, ES modules', lib: ['es2022'], type: 'module' },
  { name: 'ES2022, CommonJS', lib: ['es2022'], type: 'commonjs' },
  { name: 'ES2023 with disposable, ES modules', lib: ['es2023', 'esnext.disposable'], type: 'module' },
  { name: 'ES2024 with DOM, for a bundler', lib: ['es2024', 'dom', 'dom.iterable'], type: 'module', options: bundler },
  { name: 'ESNext, ES modules', lib: ['esnext'], type: 'module' },
  { name: 'ESNext, CommonJS', lib: ['esnext'], type: 'commonjs', options: { exactOptionalPropertyTypes: true } },
]

let project: string
/** The files of libraries, which every setting reads. */
const sources = new Map<string, ts.SourceFile | undefined>()

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'mapsafe-types-'))
  await installPacked(project)
  for (const name of ['@types', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction')
  }
  for (const type of ['module', 'commonjs']) {
    cpSync(cases, join(project, type), { recursive: true })
    writeFileSync(join(project, type, 'package.json'), JSON.stringify({ type }))
  }
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

function compile({ lib, type, options }: Setting, names: readonly string[]): readonly ts.Diagnostic[] {
  const compilerOptions: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: lib.map((name) => `lib.${name}.d.ts`),
    types: ['node'],
    typeRoots: [join(project, 'node_modules/@types')],
    ...options,
  }
  const host = ts.createCompilerHost(compilerOptions)
  const read = host.getSourceFile.bind(host)
  host.getCurrentDirectory = () => project
  host.getSourceFile = (name, languageVersionOrOptions, ...rest) => {
    // A file is parsed differently as a module of another system.
    const key = JSON.stringify([name, languageVersionOrOptions])
    if (!sources.has(key)) sources.set(key, read(name, languageVersionOrOptions, ...rest))
    return sources.get(key)
  }
  const files = names.map((name) => join(project, type, name))
  return ts.getPreEmitDiagnostics(ts.createProgram(files, compilerOptions, host))
}

function shown({ file, start, messageText }: ts.Diagnostic): string {
  const line = file === undefined ? 0 : ts.getLineAndCharacterOfPosition(file, start!).line + 1
  return `${file === undefined ? '' : basename(file.fileName)}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}

const lineOf = (diagnostic: ts.Diagnostic): string => shown(diagnostic).split(' ')[0]

describe.each(settings)('the types of the packed package, $name', (setting) => {
  const names = readdirSync(cases).filter((name) => setting.lib.includes('esnext') || !name.startsWith(NEWEST))
  const compiling = names.filter((name) => name.endsWith('.compiles.ts'))
  const refused = names.filter((name) => name.endsWith('.refused.ts'))

  test('compile what they should', () => {
    expect(compile(setting, compiling).map(shown)).toEqual([])
    expect(refused).toEqual(compiling.map((name) => name.replace('compiles', 'refused')))
  })

  test('refuse what they should, and nothing else', () => {
    const marked = refused.flatMap((name) =>
      readFileSync(join(cases, name), 'utf8')
        .split('\n')
        .flatMap((line, i) => (line.endsWith('// refused') ? [`${name}:${i + 1}`] : [])),
    )
    const found = compile(setting, refused)
    expect(found.filter((diagnostic) => !marked.includes(lineOf(diagnostic))).map(shown)).toEqual([])
    expect([...new Set(found.map(lineOf))].sort()).toEqual(marked.sort())
  })
})
