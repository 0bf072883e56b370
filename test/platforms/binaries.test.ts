import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const script = join(root, 'scripts/platforms/inspect.js')
const native = join(root, 'build/Release/mapsafe.node')
const canInspect = spawnSync('llvm-readobj', ['--version']).status === 0 && process.platform === 'linux'

/** Returns what is wrong with a file as the binary of a platform. */
function problemsOf(platform: string, path: string): readonly string[] {
  const { stderr } = spawnSync(process.execPath, [script, platform, path], { encoding: 'utf8' })
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(`wrong: ${platform}: `, ''))
}

describe.skipIf(!canInspect || process.arch !== 'x64')('the inspection of a binary', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mapsafe-binaries-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  /** Makes a library of some lines of C. */
  function library(source: string): string {
    const path = join(folder, 'library.node')
    execFileSync('gcc', ['-shared', '-fPIC', '-x', 'c', '-', '-o', path], { input: source })
    return path
  }

  test('tells another architecture and format', () => {
    expect(problemsOf('linux-arm64-glibc', native)).toContain('the architecture is x86_64, not aarch64')
    expect(problemsOf('darwin-x64', library('int napi_register_module_v1;'))).toContain('the format is elf, not macho')
  })

  test('tells a glibc where none may be', () => {
    expect(problemsOf('linux-x64-musl', native).join()).toMatch(/it needs glibc 2\./)
  })

  test('tells symbols that Node-API does not have, and those of other libraries', () => {
    const path = library(`
      void napi_invented(void); void uv_now(void);
      void napi_register_module_v1(void) { napi_invented(); uv_now(); }
      void stray(void) {}
    `)
    expect(problemsOf('linux-x64-glibc', path)).toEqual([
      'it needs napi_invented, which are not in this version of Node-API',
      'it needs uv_now',
      'it exports stray',
    ])
  })

  test('tells a library that Node.js cannot load', () => {
    expect(problemsOf('linux-x64-glibc', library('static int nothing;'))).toEqual([
      'it does not export napi_register_module_v1',
    ])
  })
})
