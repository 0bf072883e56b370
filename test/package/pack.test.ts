import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPacked, npm, packed, root } from './packed.js'

let project: string
let installed: string

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'mapsafe-pack-'))
  installed = await installPacked(project)
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

const imports = {
  esm: "import { ConcurrentMap, MapsafeError } from 'mapsafe'; import { Worker } from 'node:worker_threads'\n",
  cjs: "const { ConcurrentMap, MapsafeError } = require('mapsafe'); const { Worker } = require('node:worker_threads')\n",
}

/** Runs a program in the project that has the package installed. */
function run(format: 'esm' | 'cjs', program: string): { stdout: string; stderr: string } {
  const file = join(project, format === 'esm' ? 'program.mjs' : 'program.cjs')
  writeFileSync(file, imports[format] + program)
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })
  if (status !== 0) throw new Error(`status ${status}\n${stdout}\n${stderr}`)
  return { stdout: stdout.trim(), stderr: stderr.trim() }
}

/** Opens several maps, works with them, and prints the engine that served. */
const work = `
  const map = new ConcurrentMap()
  new ConcurrentMap().close()
  map.set('key', { a: [1, 2] })
  if (map.get('key').a[1] !== 2) throw new Error('not what was set')
  console.log(map.stats().threads[0].engine)
`

describe.each(['esm', 'cjs'] as const)('the packed package, loaded as %s', (format) => {
  test('runs its native engine without a warning', () => {
    expect(run(format, work)).toEqual({ stdout: 'native', stderr: '' })
  })

  describe('without a binary', () => {
    beforeAll(() => {
      renameSync(join(installed, 'prebuilds'), join(installed, 'elsewhere'))
    })
    afterAll(() => {
      renameSync(join(installed, 'elsewhere'), join(installed, 'prebuilds'))
    })

    test('runs its TypeScript engine with one warning line', () => {
      const { stdout, stderr } = run(format, work)
      expect(stdout).toBe('typescript')
      // Node.js itself follows its first warning with a hint on --trace-warnings.
      const lines = stderr.split('\n').filter((line) => !line.startsWith('(Use `'))
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatch(/MapsafeWarning: .*TypeScript engine.*No native build was found/)
    })

    test('warns once for a thread and the workers it starts', () => {
      const worker = `import('mapsafe').then(({ ConcurrentMap }) => { new ConcurrentMap() })`
      const { stderr } = run(format, `new ConcurrentMap(); new Worker(${JSON.stringify(worker)}, { eval: true })`)
      expect(stderr.match(/MapsafeWarning/g)).toHaveLength(1)
    })

    test('does not warn if the TypeScript engine was asked for', () => {
      expect(run(format, "new ConcurrentMap({ engine: 'typescript' })").stderr).toBe('')
    })

    test('throws if the native engine was asked for', () => {
      const { stdout } = run(
        format,
        `
          try {
            new ConcurrentMap({ engine: 'native' })
          } catch (error) {
            console.log(error instanceof MapsafeError, error.code)
          }
        `,
      )
      expect(stdout).toBe('true ERR_MAPSAFE_ENGINE')
    })

    test('throws if the map is to be in a file, whichever engine was asked for', () => {
      const { stdout, stderr } = run(
        format,
        `
          for (const engine of ['auto', 'typescript']) {
            try {
              new ConcurrentMap({ engine, file: 'not-made.map' })
            } catch (error) {
              console.log(error.code, error.message)
            }
          }
        `,
      )
      const line = /ERR_MAPSAFE_ENGINE Option file needs native code .*No native build was found/
      expect({ lines: stdout.split('\n'), stderr }).toEqual({
        lines: [expect.stringMatching(line), expect.stringMatching(line)],
        stderr: '',
      })
      expect(existsSync(join(project, 'not-made.map'))).toBe(false)
    })
  })
})

describe.each(['esm', 'cjs'] as const)('mapsafe/inspect of the packed package, loaded as %s', (format) => {
  const load = {
    esm: "import { openInspection, MapsafeError as Again } from 'mapsafe/inspect'\n",
    cjs: "const { openInspection, MapsafeError: Again } = require('mapsafe/inspect')\n",
  }
  const look = `
    const map = new ConcurrentMap()
    map.set('key', 1)
    const seen = openInspection(map.handle)
    console.log([...seen.keys()].join(), seen.verify().ok, seen.stats().threads.length, Again === MapsafeError)
  `

  test('looks at a map', () => {
    expect(run(format, load[format] + look)).toEqual({ stdout: 'key true 1 true', stderr: '' })
  })

  test('has types', () => {
    const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      exports: Record<string, Record<string, Record<string, string>>>
    }
    for (const path of Object.values(exports['./inspect'][format === 'esm' ? 'import' : 'require'])) {
      expect(existsSync(join(installed, path))).toBe(true)
    }
  })

  test('reads files without a binary', () => {
    const file = JSON.stringify(join(project, `${format}.map`))
    run(format, `new ConcurrentMap({ file: ${file}, maxBytes: 2 ** 20 }).set('key', 1)`)
    renameSync(join(installed, 'prebuilds'), join(installed, 'elsewhere'))
    try {
      const { stdout, stderr } = run(
        format,
        `${load[format]}const seen = openInspection(${file})
         console.log([...seen.keys()].join(), seen.isLive, MapsafeError === Again)`,
      )
      expect({ stdout, stderr }).toEqual({ stdout: 'key false true', stderr: '' })
    } finally {
      renameSync(join(installed, 'elsewhere'), join(installed, 'prebuilds'))
    }
  })
})

describe.each(['esm', 'cjs'] as const)('mapsafe/eslint of the packed package, loaded as %s', (format) => {
  const load = {
    esm: "import { ESLint } from 'eslint'; import mapsafe from 'mapsafe/eslint'\n",
    cjs: "const { ESLint } = require('eslint'); const mapsafe = require('mapsafe/eslint')\n",
  }
  const lint = `
    const eslint = new ESLint({ overrideConfigFile: true, overrideConfig: [mapsafe.configs.strict] })
    const code = "import { ConcurrentMap } from 'mapsafe'; const m = new ConcurrentMap(); m.set(1, m.get(1) + 1)"
    eslint.lintText(code).then(([{ messages }]) => console.log(messages.map(({ ruleId }) => ruleId).join()))
  `

  test('tells of what it finds', () => {
    const link = join(project, 'node_modules', 'eslint')
    symlinkSync(join(root, 'node_modules', 'eslint'), link, 'junction')
    try {
      expect(run(format, load[format] + lint)).toEqual({ stdout: 'mapsafe/prefer-increment', stderr: '' })
    } finally {
      rmSync(link)
    }
  })

  test('has types', () => {
    const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      exports: Record<string, Record<string, Record<string, string>>>
    }
    for (const path of Object.values(exports['./eslint'][format === 'esm' ? 'import' : 'require'])) {
      expect(existsSync(join(installed, path))).toBe(true)
    }
  })

  test('is no part of what the main entry loads, and needs no ESLint to be installed for it', () => {
    const bundle = readFileSync(join(installed, 'dist', format === 'esm' ? 'index.js' : 'index.cjs'), 'utf8')
    expect(bundle).not.toMatch(/no-get-then-set|from ['"]eslint|require\(['"]eslint/)
    expect(run(format, work)).toEqual({ stdout: 'native', stderr: '' })
  })
})

test.each(['esm', 'cjs'] as const)('stores for other packages of the packed package, loaded as %s', (format) => {
  const entries = {
    'mapsafe/rate-limit': 'RateLimitStore',
    'mapsafe/express-session': 'sessionStore',
    'mapsafe/keyv': 'KeyvStore',
    'mapsafe/keyv5': 'Keyv5Store',
    'mapsafe/next': 'cacheHandler',
    'mapsafe/undici': 'ResponseStore',
    'mapsafe/unstorage': 'unstorageDriver',
  }
  const load = Object.entries(entries).map(([entry, name]) => {
    const exported = name === 'Keyv5Store' ? 'KeyvStore' : name
    if (exported === name)
      return format === 'esm' ? `import { ${name} } from '${entry}'` : `const { ${name} } = require('${entry}')`
    return format === 'esm'
      ? `import { ${exported} as ${name} } from '${entry}'`
      : `const { ${exported}: ${name} } = require('${entry}')`
  })
  const cache =
    format === 'esm'
      ? "import { ConcurrentCache, DELETE } from 'mapsafe'"
      : "const { ConcurrentCache, DELETE } = require('mapsafe')"
  const program = `
    const cache = new ConcurrentCache()
    const limits = new RateLimitStore(cache)
    limits.increment('a')
    limits.increment('a')
    limits.decrement('a')
    if (typeof sessionStore !== 'function') throw new Error('no sessionStore')
    new (cacheHandler({ cache, tags: new ConcurrentMap() }))().revalidateTag('a')
    new ResponseStore(cache, { prefix: 'web:' }).delete({ origin: 'http://a', path: '/', method: 'GET' })
    unstorageDriver({ cache, base: 'items' }).setItem('a', 'b')
    new Keyv5Store(cache).set('b', 1, 1000)
    new KeyvStore(cache).get('b').then((value) => console.log(limits.get('a').totalHits, value, cache.update('b', () => DELETE)))
  `
  const { stdout, stderr } = run(format, [...load, cache, program].join('\n'))
  expect({ stdout, stderr }).toEqual({ stdout: '1 1 undefined', stderr: '' })
})

test.each(['esm', 'cjs'] as const)('mapsafe/log of the packed package, loaded as %s', (format) => {
  const load = format === 'esm' ? "import { logTo } from 'mapsafe/log'\n" : "const { logTo } = require('mapsafe/log')\n"
  const lose = `
    const logging = logTo(({ event, lost, readStack, writeStack }) => console.log(event, lost, readStack[0], writeStack[0]))
    const map = new ConcurrentMap({ lostUpdates: true })
    const other = ConcurrentMap.attach(map.handle)
    function lose() {
      map.get('k')
      other.set('k', 1)
      map.set('k', 2)
    }
    lose()
    logging.stop()
    lose()
  `
  const { stdout } = run(format, load + lose)
  expect(stdout.split('\n')).toEqual([expect.stringMatching(/^mapsafe.lost-update insert at lose \(.*\) at lose \(/)])
})

test.each(['esm', 'cjs'] as const)('metrics of the packed package, loaded as %s', (format) => {
  const load =
    format === 'esm'
      ? "import { metricsOf } from 'mapsafe/metrics'; import { exposeMaps } from 'mapsafe/prometheus'\n"
      : "const { metricsOf } = require('mapsafe/metrics'); const { exposeMaps } = require('mapsafe/prometheus')\n"
  const program = `
    const map = new ConcurrentMap()
    map.set('a', 1)
    console.log(metricsOf(map).mapsafe_entries, typeof exposeMaps)
  `
  expect(run(format, load + program)).toEqual({ stdout: '1 function', stderr: '' })
})

test.each(['esm', 'cjs'] as const)('mapsafe/dump of the packed package, loaded as %s', (format) => {
  const load =
    format === 'esm'
      ? "import { dumpLines, loadLines } from 'mapsafe/dump'\n"
      : "const { dumpLines, loadLines } = require('mapsafe/dump')\n"
  const program = `
    const map = new ConcurrentMap()
    map.set('a', 1n)
    console.log(loadLines(dumpLines(map)).map.get('a'), loadLines(dumpLines(map)).map instanceof ConcurrentMap)
  `
  expect(run(format, load + program)).toEqual({ stdout: '1n true', stderr: '' })
})

test('the program of the packed package runs by its name', () => {
  const file = JSON.stringify(join(project, 'program.map'))
  run('esm', `new ConcurrentMap({ file: ${file}, maxBytes: 2 ** 20 }).set('key', 1)`)
  // Linked as npm does it, and found by npx without asking a registry.
  mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(join('..', 'mapsafe', 'dist', 'cli.js'), join(project, 'node_modules', '.bin', 'mapsafe'))
  const npx = npm.replace('npm', 'npx')
  const call = (...words: string[]): string =>
    execFileSync(npx, ['--no-install', 'mapsafe', ...words], { cwd: project, encoding: 'utf8', stdio: 'pipe' })
  expect(call('get', 'program.map', 'key')).toBe('1\n')
  expect(call('--help')).toContain('Usage: mapsafe COMMAND')
  const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { bin: { mapsafe: string } }
  expect(statSync(join(installed, bin.mapsafe)).mode & 0o111).not.toBe(0)
})

test.each(['esm', 'cjs'] as const)('the dashboard of the packed package, loaded as %s, has all its files', (format) => {
  const load =
    format === 'esm'
      ? "import { dashboard } from 'mapsafe/dashboard'\n"
      : "const { dashboard } = require('mapsafe/dashboard')\n"
  const program = `
    const page = dashboard({ map: new ConcurrentMap() })
    page.listen().then(async (address) => {
      const html = await (await fetch(address)).text()
      const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name)
      const texts = await Promise.all(names.map(async (name) => (await fetch(new URL(name, address))).text()))
      const modules = texts.flatMap((text) => [...text.matchAll(/from '\\.\\/([^']+)'/g)].map(([, name]) => name))
      const statuses = await Promise.all([...names, ...modules].map(async (name) => (await fetch(new URL(name, address))).status))
      console.log(names.length > 5, modules.length > 5, [...new Set(statuses)].join())
      await page.close()
    })
  `
  expect(run(format, load + program)).toEqual({ stdout: 'true true 200', stderr: '' })
  // The licence of what is drawn with.
  expect(readFileSync(join(installed, 'dist/page/uPlot.LICENSE'), 'utf8')).toMatch(/MIT License[^]*Copyright/)
})

test('the packed package runs no script when it is installed', () => {
  const { scripts, gypfile } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
    gypfile: boolean
  }
  expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]))
  // A binding.gyp without this would make npm build it.
  expect(gypfile).toBe(false)
})

describe('what the packed package says of itself', () => {
  type Conditions = Record<'import' | 'require', { types: string; default: string }>
  interface Manifest {
    exports: Record<'.' | './inspect', Conditions>
  }
  let copies = 0

  /** @returns a copy of the package with a fault in its package.json */
  function planted(fault: (manifest: Manifest) => void): string {
    const copy = join(project, `planted-${copies++}`)
    cpSync(installed, copy, { recursive: true })
    const file = join(copy, 'package.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    fault(manifest)
    writeFileSync(file, JSON.stringify(manifest))
    return copy
  }

  const lint = async (folder: string): Promise<string[]> =>
    (await publint({ pkgDir: folder, pack: false, level: 'suggestion' })).messages.map(({ code }) => code)

  test('is as publint wants it', async () => {
    expect(await lint(installed)).toEqual([])
  })

  test.each<[string, (manifest: Manifest) => void, string]>([
    [
      'a path of types that leads nowhere',
      ({ exports }) => (exports['.'].import.types = './dist/none.d.ts'),
      'FILE_DOES_NOT_EXIST',
    ],
    [
      'a bundle of the other module system',
      ({ exports }) => (exports['.'].require.default = './dist/index.js'),
      'EXPORTS_TYPES_INVALID_FORMAT',
    ],
  ])('publint finds %s', async (_, fault, code) => {
    expect(await lint(planted(fault))).toContain(code)
  })

  /** @returns the kinds of problems that TypeScript meets with any way to resolve modules but that before `exports` */
  async function problemsOfTypes(tarball: string): Promise<string[]> {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))))
    if (analysis.types === false) return ['no types']
    return analysis.problems
      .filter((problem) => !('resolutionKind' in problem && problem.resolutionKind === 'node10'))
      .map(({ kind }) => kind)
  }

  test('has the right types for each module system', async () => {
    expect(await problemsOfTypes(await packed())).toEqual([])
  })

  test.each<[string, (manifest: Manifest) => void, string]>([
    [
      'a path of types that leads nowhere',
      ({ exports }) => (exports['./inspect'].import.types = './dist/none.d.ts'),
      'FallbackCondition',
    ],
    [
      'types of the other module system',
      ({ exports }) => (exports['.'].require.types = './dist/index.d.ts'),
      'FalseESM',
    ],
  ])('are they the types finds %s', async (_, fault, kind) => {
    const copy = planted(fault)
    const options = ['--silent', '--ignore-scripts', '--pack-destination', project]
    const name = execFileSync(npm, ['pack', ...options], { cwd: copy, encoding: 'utf8' }).trim()
    expect(await problemsOfTypes(join(project, name))).toContain(kind)
  })
})
