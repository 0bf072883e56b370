import { spawnSync } from 'node:child_process'
import { readdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, root } from './packed.js'

let project: string
let installed: string

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'mapsafe-bundle-'))
  installed = await installPacked(project)
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

function run(file: string): { stdout: string; stderr: string; status: number | null; signal: string | null } {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })
  const lines = stderr.split('\n').filter((line) => !line.startsWith('(Use `'))
  return { stdout: stdout.trim(), stderr: lines.join('\n').trim(), status, signal }
}

const work = `
  const cache = new ConcurrentCache({ ttl: 60_000 })
  cache.set('key', { a: [1, new Date(5)] })
  if (cache.get('key').a[1].getTime() !== 5) throw new Error('not what was set')
  console.log(cache.stats().threads[0].engine)
`

describe.each(['esm', 'cjs'] as const)('a bundle made by esbuild, %s', (format) => {
  const extension = format === 'esm' ? 'mjs' : 'cjs'
  const bundle = (name: string): string => {
    const entry = join(project, `${name}.mjs`)
    const outfile = join(project, `${name}-bundle.${extension}`)
    writeFileSync(entry, `import { ConcurrentCache } from 'mapsafe'\n${work}`)
    buildSync({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format,
      absWorkingDir: project,
      logLevel: 'error',
    })
    return outfile
  }

  test('beside the package runs the native engine', () => {
    expect(run(bundle('beside'))).toEqual({ stdout: 'native', stderr: '', status: 0, signal: null })
  })

  test('without the package runs the TypeScript engine, with one warning that says why', () => {
    const file = bundle('alone')
    renameSync(installed, join(project, 'elsewhere'))
    try {
      const { stdout, stderr, status } = run(file)
      expect({ stdout, status }).toEqual({ stdout: 'typescript', status: 0 })
      expect(stderr.match(/MapsafeWarning/g)).toHaveLength(1)
      expect(stderr).toMatch(/MapsafeWarning: .*TypeScript engine: .*mapsafe\/package\.json/)
    } finally {
      renameSync(join(project, 'elsewhere'), installed)
    }
  })
})

describe('the package loaded twice in one thread', () => {
  const twice = (second: string): string => `
    const { createRequire } = require('node:module')
    const first = require('mapsafe')
    ;(async () => {
      ${second}
      if (first.ConcurrentCache === again.ConcurrentCache) throw new Error('it was loaded once')
      const a = new first.ConcurrentCache({ ttl: 60_000 })
      const b = again.ConcurrentCache.attach(a.handle)
      a.set('key', 1)
      if (b.get('key') !== 1) throw new Error('not shared')
      let code
      try {
        a.update('key', () => b.set('key', 2))
      } catch (error) {
        code = error.code
      }
      console.log(a.stats().threads.map(({ engine }) => engine).join(), code)
    })()
  `
  test.each([
    ['as an ES module, too', "const again = await import('mapsafe')"],
    [
      'again after its modules were forgotten',
      `for (const path of Object.keys(require.cache)) if (!path.endsWith('.node')) delete require.cache[path]
       const again = require('mapsafe')`,
    ],
    [
      'again after the addon was forgotten, too',
      `for (const path of Object.keys(require.cache)) delete require.cache[path]
       const again = require('mapsafe')`,
    ],
  ])('%s: ends well, and both know what the other does', (_, second) => {
    const file = join(project, 'twice.cjs')
    writeFileSync(file, twice(second))
    const { stdout, stderr, status, signal } = run(file)
    expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null })
    expect(stdout).toBe('native,native ERR_MAPSAFE_REENTRANT')
  })
})

test('a passing reason to have no native engine is not remembered', () => {
  const file = join(project, 'passing.cjs')
  const prebuilds = JSON.stringify(join(installed, 'prebuilds'))
  writeFileSync(
    file,
    `const { renameSync } = require('node:fs')
     const { ConcurrentMap } = require('mapsafe')
     renameSync(${prebuilds}, ${prebuilds} + '-gone')
     const before = new ConcurrentMap().stats().threads[0].engine
     renameSync(${prebuilds} + '-gone', ${prebuilds})
     console.log(before, new ConcurrentMap().stats().threads[0].engine)`,
  )
  expect(run(file).stdout).toBe('typescript native')
})

test('who installs the package gets no other with an install script', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  expect(Object.keys(manifest.dependencies)).toEqual(['node-gyp-build'])
  const gyp = JSON.parse(readFileSync(join(root, 'node_modules/node-gyp-build/package.json'), 'utf8')) as {
    dependencies?: object
    scripts?: Record<string, string>
  }
  expect(gyp.dependencies).toBeUndefined()
  expect(Object.keys(gyp.scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
  // Entries share what they have in common.
  for (const bundle of readdirSync(join(installed, 'dist')).filter((name) => /\.c?js$/.test(name))) {
    expect(readFileSync(join(installed, 'dist', bundle), 'utf8')).not.toMatch(/msgpackr/)
  }
})
