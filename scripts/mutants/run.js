/**
 * Breaks the protocol on purpose and demands that a test notices.
 *
 *   node scripts/mutants/run.js [LIST] [name ...]
 *   node scripts/mutants/run.js --check
 *
 * A LIST is native, typescript, near-cache, files, loads, cache, time, health, death or death-typescript; all without one.
 *
 * Each mutant is one edit of a copy of the sources; the tests run on the copy. A mutant is caught when they fail, or
 * end in a crash or a hang. Exits with 1 if one survives. The unbroken copy must pass first. `--check` runs nothing,
 * but demands that every mutant still fits the sources; so does `npm test`.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(fileURLToPath(import.meta.url), '../../..')
const ATTEMPTS = 3 // a race needs its chance

function run(command, args, options) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options })
  return {
    ok: status === 0 && !signal && !error,
    hung: error?.code === 'ETIMEDOUT',
    text: `${stdout ?? ''}${stderr ?? ''}`,
  }
}

/** Every C++ source of the core and of what it asks the system for. */
const coreSources = (at) =>
  ['core', 'platform'].flatMap((room) =>
    readdirSync(join(at, room), { recursive: true })
      .filter((name) => name.endsWith('.cc'))
      .map((name) => join(at, room, name)),
  )

/** The C++ engine with its own tests, built without CMake: one compiler call a mutant. */
const native = {
  sources: 'native',
  copy(to) {
    cpSync(join(root, 'native'), to, { recursive: true })
  },
  build(at) {
    return run('g++', [
      ...['-std=c++20', '-O1', '-w', '-I', join(at, 'core'), '-I', join(at, 'test')],
      ...coreSources(at),
      ...['engine', 'stress', 'contention', 'lease', 'expiry', 'damage'].map((name) =>
        join(at, 'test', `${name}_test.cc`),
      ),
      ...['-lgtest', '-lgtest_main', '-lpthread', '-o', join(at, 'tests')],
    ])
  },
  test(at, attempt) {
    const scale = String(3 * 4 ** attempt)
    return run(join(at, 'tests'), ['--gtest_brief=1'], {
      timeout: 100_000,
      env: { ...process.env, MAPSAFE_SCALE: scale },
    })
  },
}

/** The C++ engine able to die before any store, with the tests that make it. */
const mortal = {
  ...native,
  build(at) {
    return run('g++', [
      ...[
        '-std=c++20',
        '-O1',
        '-w',
        '-include',
        join(at, 'test/steps.h'),
        '-I',
        join(at, 'core'),
        '-I',
        join(at, 'test'),
      ],
      ...[...coreSources(at), join(at, 'test/death_test.cc')],
      ...['-lgtest', '-lgtest_main', '-lpthread', '-o', join(at, 'tests')],
    ])
  },
  test(at, attempt) {
    return run(join(at, 'tests'), ['--gtest_brief=1'], {
      timeout: 400_000,
      env: { ...process.env, MAPSAFE_SCALE: String(attempt + 1) },
    })
  },
}

/** The TypeScript sources with the suites that concern them. */
const inTypescript = (...suites) => ({
  sources: '.',
  copy(to) {
    for (const name of ['src', 'test', 'bench', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
      cpSync(join(root, name), join(to, name), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'))
  },
  build: () => ({ ok: true, text: '' }),
  test(at, attempt) {
    return run('npx', ['vitest', 'run', '--bail=1', ...suites], {
      cwd: at,
      timeout: 400_000,
      env: { ...process.env, MAPSAFE_SCALE: String(attempt + 1), MAPSAFE_ENGINES: 'typescript' },
    })
  },
})

function withAddon(target) {
  return {
    ...target,
    copy(to) {
      target.copy(to)
      symlinkSync(join(root, 'build'), join(to, 'build'))
    },
  }
}

const targets = {
  native,
  typescript: inTypescript('test/engine', 'test/concurrency', 'test/linearizability'),
  'near-cache': inTypescript('test/near-cache'),
  // Files are mapped by the addon, so copies for tests with processes have one.
  files: withAddon(
    inTypescript('test/process/open', 'test/process/creation', 'test/process/copies', 'test/process/life'),
  ),
  loads: inTypescript('test/loads', 'test/conformance/own-keys'),
  cache: inTypescript(
    'test/cache',
    'test/conformance/expiry',
    'test/conformance/eviction',
    'test/conformance/counters',
  ),
  time: withAddon(inTypescript('test/time', 'test/linearizability/ttl')),
  health: inTypescript('test/health'),
  death: mortal,
  'death-typescript': withAddon(inTypescript('test/death')),
}

/** The text of the mutant's file, with the mutant's edits. */
function mutated(at, { name, file, also, ...edit }) {
  let source = readFileSync(join(at, file), 'utf8')
  for (const { find, replace } of also ? [edit, also] : [edit]) {
    if (source.split(find).length !== 2) throw new Error(`${name}: its text does not occur exactly once in ${file}`)
    source = source.replace(find, () => replace)
  }
  return source
}

/** @returns the number of mutants that no longer fit the sources */
async function check(kind) {
  const { mutants } = await import(`./${kind}.js`)
  let misfits = 0
  for (const mutant of mutants) {
    try {
      mutated(join(root, targets[kind].sources), mutant)
    } catch (error) {
      misfits++
      console.error(`${kind}  ${error.message}`)
    }
  }
  return misfits
}

function findKiller(engine, at) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { ok, hung, text } = engine.test(at, attempt)
    if (ok) continue
    const failed = /\[ {2}FAILED {2}\] (\S+)/.exec(text) ?? /(?:FAIL|×) +(.+)/.exec(text)
    return failed ? failed[1].trim() : hung ? 'a hang' : 'a crash'
  }
  return undefined
}

async function hunt(kind, names) {
  const engine = targets[kind]
  const { mutants } = await import(`./${kind}.js`)
  let survivors = 0
  const chosen = mutants.filter(({ name }) => names.length === 0 || names.includes(name))
  for (const mutant of [{ name: 'unbroken' }, ...chosen]) {
    const at = mkdtempSync(join(tmpdir(), 'mapsafe-mutant-'))
    try {
      engine.copy(at)
      if (mutant.file) writeFileSync(join(at, mutant.file), mutated(at, mutant))
      const built = engine.build(at)
      if (!built.ok) throw new Error(`${mutant.name}: does not compile\n${built.text}`)
      const killer = findKiller(engine, at)
      if (!mutant.file) {
        if (killer) throw new Error(`unbroken, ${kind} fails: ${killer}`)
        continue
      }
      if (!killer) survivors++
      console.log(`${killer ? 'caught  ' : 'SURVIVED'}  ${kind}  ${mutant.name}${killer ? `  by ${killer}` : ''}`)
    } finally {
      rmSync(at, { recursive: true, force: true })
    }
  }
  console.log(`${kind}: ${chosen.length - survivors} of ${chosen.length} mutants caught`)
  return survivors
}

const [kind, ...names] = process.argv.slice(2)
const isCheck = kind === '--check'
const kinds = kind && !isCheck ? [kind] : Object.keys(targets)
let failures = 0
for (const each of kinds) failures += isCheck ? await check(each) : await hunt(each, names)
process.exitCode = failures > 0 ? 1 : 0
