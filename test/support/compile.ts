// Before all tests: compiles what workers and processes load, module by module, into out/tests. To load TypeScript by
// themselves takes each of them half a second of a core, and the suite starts some hundred.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const compiled = join(root, 'out/tests')
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
}

interface Project {
  onTestsRerun(listener: () => void): void
}

export default function setup(project: Project): void {
  compile()
  project.onTestsRerun(compile)
}

function compile(): void {
  for (const folder of ['src', 'test']) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.[tj]s$/.test(name) || name.endsWith('.test.ts')) continue
      compileFile(join(root, folder, name))
    }
  }
}

/** What was compiled tells of which text, so that it is never taken for that of another one, whatever clocks say. */
function compileFile(path: string): void {
  const text = readFileSync(path, 'utf8')
  const digest = createHash('sha256')
    .update(JSON.stringify([ts.version, options, text]))
    .digest('hex')
  const output = join(compiled, relative(root, path)).replace(/\.ts$/, '.js')
  if (existsSync(output) && readFileSync(output, 'utf8').endsWith(digest)) return
  const sourceRoot = pathToFileURL(dirname(path)).href
  const { outputText } = ts.transpileModule(text, { compilerOptions: { ...options, sourceRoot }, fileName: path })
  mkdirSync(dirname(output), { recursive: true })
  // Other tests may be running from the same folder: a file is there as a whole or not at all.
  const temporary = `${output}.${process.pid}`
  writeFileSync(temporary, `${outputText}\n// ${digest}`)
  renameSync(temporary, output)
}
