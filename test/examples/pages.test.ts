import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { programOf, promisesOf } from './pages.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const examples = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map(({ name }) => read(`examples/${name}`))

const guide = readdirSync(join(root, 'docs/guide')).filter((name) => name !== 'README.md')
const programs = new Map(
  ['README.md', ...guide.map((name) => `docs/guide/${name}`)].map((page) => [
    page,
    programOf(read(page), (code) => examples.some((text) => text.includes(code))),
  ]),
)
/** In the package, so that `mapsafe` is its own dist/, which scripts/test.js has built. */
const folder = join(root, 'out', 'pages')
const fileOf = (page: string): string => join(folder, `${page.replace(/\W/g, '-')}.ts`)

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [page, program] of programs) writeFileSync(fileOf(page), program)
})

test('the examples of README and guide have the types of the sources', () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const compiled = ts.createProgram([...programs.keys()].map(fileOf), {
    ...options,
    noEmit: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  })
  const problems = ts.getPreEmitDiagnostics(compiled).map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.text.slice(start).split('\n', 1)[0] : ''
    return `${file?.fileName ?? ''}: ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(problems).toEqual([])
  for (const page of programs.keys()) {
    const { outputText } = ts.transpileModule(programs.get(page)!, {
      compilerOptions: { ...options, module: ts.ModuleKind.ESNext },
    })
    writeFileSync(fileOf(page).replace(/ts$/, 'js'), outputText)
  }
})

describe('the examples print what they say', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'mapsafe-pages-'))
  afterAll(() => {
    rmSync(scratch, { recursive: true })
  })
  test.each([...programs.keys()])('%s', (page) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [fileOf(page).replace(/ts$/, 'js')], {
      cwd: scratch,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe(
      promisesOf(programs.get(page)!)
        .map((line) => `${line}\n`)
        .join(''),
    )
  })
})

describe('an example that is wrong is found', () => {
  test('two blocks share what they declare, and their imports', () => {
    const page =
      "```ts\nimport { a } from 'x'\nconst b = a\n```\ntext\n```ts\nimport { a, c } from 'x'\nconsole.log(b) // 1\n```\n"
    const program = programOf(page)
    expect(program).toContain("import { a, c } from 'x'\nconst b = a\n\nconsole.log(b) // 1")
    expect(promisesOf(program)).toEqual(['1'])
  })
  test('a block to be checked only is not run', () => {
    expect(programOf('```ts check\nawait nothing()\n```\n')).toContain(
      'export async function example0(): Promise<void> {\nawait',
    )
  })
})
