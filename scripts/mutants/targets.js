/**
 * The tests for a list of mutants: how to copy the sources, build the copy and run its tests.
 *
 * `base` is the copy that is not broken. It is built first, and a mutant takes from it what its edit leaves as it is.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, normalize, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './child.js'

export const root = resolve(fileURLToPath(import.meta.url), '../../..')

/** For how long one test may take in the first attempt, in seconds of a fair clock, before it is a hang. */
const TEST_SECONDS = 40
/** For how long a whole program of C++ tests may; they have no watchdog of their own. */
const PROGRAM_SECONDS = 150

/** The C++ sources in some folders of a copy. */
function sourcesIn(at, rooms) {
  return rooms.flatMap((room) =>
    readdirSync(join(at, room), { recursive: true })
      .filter((name) => name.endsWith('.cc'))
      .map((name) => join(room, name)),
  )
}

/** Compiles what includes the mutant's file, into `at/objects`; the rest comes from the base. */
async function compile(at, { base, file, sources, flags }) {
  const objectOf = (folder, source) => join(folder, 'objects', source.replaceAll('/', '_').replace(/cc$/, 'o'))
  /** The compiler's list of what a source includes (-MMD), from the base. */
  const includes = (source) =>
    readFileSync(objectOf(base, source).replace(/o$/, 'd'), 'utf8')
      .split(/[\s\\]+/)
      .map(normalize)
      .includes(file)
  const objects = []
  for (const source of sources) {
    const isOwn = at === base || includes(source)
    objects.push(objectOf(isOwn ? at : base, source))
    if (!isOwn) continue
    const options = ['-std=c++20', '-O1', '-w', ...flags, '-MMD', '-c', source]
    const compiled = await run('g++', [...options, '-o', objects.at(-1)], { cwd: at })
    if (!compiled.ok) return compiled
  }
  return { ok: true, text: '', objects }
}

/**
 * The C++ engine with tests of its own, built without CMake. Only what includes the mutant's file is compiled again.
 *
 * @param tests names of programs of native/test
 * @param flags for the compiler
 * @param scale factor of the tests' size for an attempt
 */
function inNative({ tests, flags = [], scale }) {
  return {
    sources: 'native',
    copy(to) {
      cpSync(join(root, 'native'), to, { recursive: true })
      mkdirSync(join(to, 'objects'))
    },
    async build(at, base, file) {
      const sources = [...sourcesIn(at, ['core', 'platform']), ...tests.map((name) => `test/${name}_test.cc`)]
      const compiled = await compile(at, { base, file, sources, flags: [...flags, '-Icore', '-Itest'] })
      if (!compiled.ok) return compiled
      return run('g++', [...compiled.objects, '-lgtest', '-lgtest_main', '-lpthread', '-o', 'tests'], { cwd: at })
    },
    test(at, attempt, only) {
      const filter = only === undefined ? [] : [`--gtest_filter=${only}`]
      const env = { MAPSAFE_SCALE: String(scale(attempt)) }
      const limit = (only === undefined ? PROGRAM_SECONDS : TEST_SECONDS) * (attempt + 1)
      return run(join(at, 'tests'), filter, { cwd: at, env, limit })
    },
    /** The test that a run's output says was red, or under way at the end. */
    killerIn: (text) =>
      (/\[ {2}FAILED {2}\] (\S+)/.exec(text) ?? [...text.matchAll(/\[ RUN {6}\] (\S+)/g)].at(-1))?.[1],
  }
}

const COPIED = ['src', 'test', 'bench', 'package.json', 'tsconfig.json', 'vitest.config.ts']

/**
 * The TypeScript sources with the suites that concern them. `linked` are builds that the tests need, `engines` the
 * engines that they take turns with, `copied` what else the tests read.
 */
function inTypescript(suites, linked = [], engines = 'typescript', copied = []) {
  return {
    sources: '.',
    copy(to, base) {
      for (const name of [...COPIED, ...copied]) cpSync(join(root, name), join(to, name), { recursive: true })
      for (const name of ['node_modules', ...linked]) symlinkSync(join(root, name), join(to, name))
      const compiled = join(base, 'out')
      if (base !== to && existsSync(compiled)) cpSync(compiled, join(to, 'out'), { recursive: true })
    },
    build: () => ({ ok: true, text: '' }),
    test(at, attempt, only) {
      const [file, ...title] = only?.split(' > ') ?? []
      const named = title.length > 0 ? ['-t', title.join(' ').replace(/[^\w ]/g, '.')] : []
      const chosen = file === undefined ? suites : [file, ...named]
      const limit = TEST_SECONDS * (attempt + 1)
      const env = { MAPSAFE_SCALE: String(attempt + 1), MAPSAFE_ENGINES: engines, MAPSAFE_LIMIT: String(limit) }
      const vitest = join('node_modules', 'vitest', 'vitest.mjs')
      return run(process.execPath, [vitest, 'run', '--bail=1', '--no-color', ...chosen], { cwd: at, env })
    },
    killerIn: (text) =>
      (/^(\S+\.test\.ts > .+): did not end in/m.exec(text) ?? /(?:FAIL|×) +(\S+\.test\.ts.*)/.exec(text))?.[1].trim(),
  }
}

/** The addon, built without node-gyp, with suites that need it. */
function inAddon(suites, copied) {
  const suite = inTypescript(suites, [], 'native', ['native', ...copied])
  const headers = join(process.execPath, '../../include/node')
  const napi = join(root, 'node_modules/node-addon-api')
  return {
    ...suite,
    copy(to, base) {
      suite.copy(to, base)
      mkdirSync(join(to, 'objects'))
      mkdirSync(join(to, 'build/Release'), { recursive: true })
    },
    async build(at, base, file) {
      const sources = sourcesIn(at, ['native/core', 'native/platform', 'native/addon'])
      const defines = ['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=mapsafe']
      const flags = ['-fPIC', '-fvisibility=hidden', ...defines, '-Inative/core', `-I${headers}`, `-I${napi}`]
      const compiled = await compile(at, { base, file, sources, flags })
      if (!compiled.ok) return compiled
      return run('g++', ['-shared', ...compiled.objects, '-o', 'build/Release/mapsafe.node'], { cwd: at })
    },
  }
}

export const targets = {
  native: inNative({
    tests: ['engine', 'ahead', 'stress', 'contention', 'lease', 'waking', 'expiry', 'label', 'damage'],
    scale: (attempt) => 3 * 4 ** attempt,
  }),
  typescript: inTypescript(['test/engine', 'test/concurrency', 'test/linearizability'], ['build']),
  // The native engine is unbroken, but what it is given is not.
  codec: inTypescript(
    [
      'test/codec',
      'test/conformance/views',
      'test/conformance/scan',
      'test/conformance/inherited-options',
      'test/conformance/read-modify-write',
      'test/conformance/scratch',
      'test/conformance/operations',
    ],
    ['build'],
    'typescript,native',
  ),
  'near-cache': inTypescript(['test/near-cache']),
  // Files are mapped by the addon, so copies for tests with processes have one.
  files: inTypescript(
    ['test/process/open', 'test/process/creation', 'test/process/copies', 'test/process/life'],
    ['build'],
  ),
  loads: inTypescript(['test/loads', 'test/death/breaker', 'test/conformance/own-keys'], ['build']),
  // Both engines must evict alike.
  cache: inTypescript(
    [
      'test/engine/expiry',
      'test/cache',
      'test/conformance/increment',
      'test/conformance/looking',
      'test/conformance/expiry',
      'test/conformance/eviction',
      'test/conformance/counters',
    ],
    ['build'],
  ),
  time: inTypescript(['test/time', 'test/linearizability/ttl'], ['build']),
  misuse: inTypescript(['test/misuse'], ['build']),
  groups: inTypescript(
    ['test/conformance/prefix', 'test/groups', 'test/linearizability/groups'],
    ['build'],
    'typescript,native',
  ),
  health: inTypescript(['test/health']),
  'shapes-typescript': inTypescript(['test/shapes'], ['build']),
  shapes: inNative({ tests: ['shapes'], scale: (attempt) => attempt + 1 }),
  adapters: inTypescript(['test/adapters'], ['build']),
  surface: inTypescript(
    [
      'test/conformance/receivers',
      'test/conformance/subclasses',
      'test/process/named',
      'test/conformance/bad-input',
      'test/conformance/map-parity',
      'test/conformance/batches',
      'test/conformance/long-strings',
      'test/conformance/inspect',
      'test/conformance/loaded-twice',
      'test/conformance/slices',
      'test/package/messages',
    ],
    ['build'],
  ),
  // As it is installed: each run packs the copy, and so bundles it.
  package: inTypescript(['test/package/bundles', 'test/package/jest'], ['build'], 'typescript,native', [
    'scripts',
    'tsdown.config.ts',
  ]),
  waiting: inTypescript(
    [
      'test/waiting/until-written',
      'test/waiting/budget',
      'test/waiting/leftovers',
      'test/waiting/thread-time',
      'test/engine/hold',
      'test/conformance/read-modify-write',
      'test/waiting/busy-threads',
      'test/waiting/stopped-owner',
    ],
    ['build'],
  ),
  feed: inTypescript(['test/feed', 'test/linearizability/feed'], ['build']),
  'feed-native': inNative({ tests: ['feed'], scale: (attempt) => attempt + 1 }),
  'waiting-native': inNative({ tests: ['waiting'], scale: (attempt) => attempt + 1 }),
  inspect: inTypescript(['test/inspect'], ['build']),
  dump: inTypescript(['test/cli/dumping', 'test/cli/looking'], ['build']),
  eslint: inTypescript(['test/eslint/rules', 'test/eslint/odd-code']),
  probes: inAddon(['test/probes'], ['docs', 'tools']),
  dashboard: inTypescript(['test/dashboard/requests', 'test/dashboard/stream'], ['build', 'dist'], 'typescript,native'),
  metrics: inTypescript(['test/metrics'], ['build'], 'typescript,native'),
  guard: inTypescript(['test/observe'], ['build'], 'typescript,native'),
  // The C++ engine able to die before any store, with the tests that make it.
  death: inNative({ tests: ['death'], flags: ['-include', 'test/steps.h'], scale: (attempt) => attempt + 1 }),
  'death-typescript': inTypescript(['test/death'], ['build']),
  compaction: inNative({ tests: ['compaction'], scale: (attempt) => attempt + 1 }),
  'compaction-typescript': inTypescript(
    ['test/exhaustion/fragmentation', 'test/linearizability/restructuring'],
    ['build'],
  ),
  joins: inNative({ tests: ['join'], scale: (attempt) => attempt + 1 }),
  'joins-typescript': inTypescript(
    ['test/exhaustion/joins', 'test/linearizability/restructuring', 'test/death/steps'],
    ['build'],
  ),
}
