/**
 * Breaks the protocol on purpose and demands that a test notices.
 *
 *   node scripts/mutants/run.js [--jobs N] [--shard I/N] [--record] [LIST] [name ...]
 *   node scripts/mutants/run.js --check
 *
 * A LIST is one of targets.js, such as native, typescript or death; all without one.
 * `--jobs` tests N mutants at a time (default 1), `--shard` every Nth from the Ith, of 1 to N.
 *
 * Each mutant is one edit of a copy of the sources; the tests run on the copy. A mutant is caught when they fail, or
 * end in a crash or a hang. Exits with 1 if one survives. The unbroken copy must pass first. The test that caught a
 * mutant last time is tried first; `--record` writes down which that was, in killers.json. `--check` runs nothing, but
 * demands that every mutant still fits the sources; so does `npm test`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, targets } from './targets.js'

const KILLERS = new URL('killers.json', import.meta.url)
/** A race needs its chance: so often the test that is known to catch a mutant, then all of them. */
const KNOWN_ATTEMPTS = 2
const ATTEMPTS = 3

const killers = JSON.parse(readFileSync(KILLERS, 'utf8'))

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

/** Calls `work` with the path of a folder that is there as long as that takes. */
async function inFolder(work) {
  const at = mkdtempSync(join(tmpdir(), 'mapsafe-mutant-'))
  try {
    return await work(at)
  } finally {
    rmSync(at, { recursive: true, force: true })
  }
}

/** @returns which test was red, or what else happened; undefined if nothing did */
async function findKiller(target, at, known) {
  const attempts = [
    ...(known === undefined ? [] : Array.from({ length: KNOWN_ATTEMPTS }, (_, attempt) => ({ attempt, only: known }))),
    ...Array.from({ length: ATTEMPTS }, (_, attempt) => ({ attempt, only: undefined })),
  ]
  for (const { attempt, only } of attempts) {
    const { ok, hung, text } = await target.test(at, attempt, only)
    if (ok) continue
    const test = target.killerIn(text)
    return { test, by: test ?? (hung ? 'a hang' : 'a crash') }
  }
  return undefined
}

async function hunt(kind, chosen, jobs) {
  const target = targets[kind]
  const survivors = []
  const tryOut = async (mutant, base) => {
    await inFolder(async (at) => {
      target.copy(at, base)
      writeFileSync(join(at, mutant.file), mutated(at, mutant))
      const built = await target.build(at, base, mutant.file)
      if (!built.ok) throw new Error(`${mutant.name}: does not compile\n${built.text}`)
      const killer = await findKiller(target, at, killers[kind]?.[mutant.name])
      if (killer === undefined) survivors.push(mutant.name)
      if (killer?.test !== undefined) (killers[kind] ??= {})[mutant.name] = killer.test
      console.log(`${killer ? 'caught  ' : 'SURVIVED'}  ${kind}  ${mutant.name}${killer ? `  by ${killer.by}` : ''}`)
    })
  }
  await inFolder(async (base) => {
    target.copy(base, base)
    const built = await target.build(base, base)
    if (!built.ok) throw new Error(`unbroken, ${kind} does not compile\n${built.text}`)
    const { ok, text } = await target.test(base, 0)
    if (!ok) throw new Error(`unbroken, ${kind} fails: ${target.killerIn(text)}\n${text}`)
    const queue = [...chosen]
    const work = async () => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) await tryOut(mutant, base)
    }
    await Promise.all(Array.from({ length: jobs }, work))
  })
  console.log(`${kind}: ${chosen.length - survivors.length} of ${chosen.length} mutants caught`)
  return survivors
}

/** Every mutant of the lists that are asked for, and of this shard, by list. */
async function choose(kinds, names, [shard, shards]) {
  const chosen = new Map()
  let index = 0
  for (const kind of kinds) {
    const { mutants } = await import(`./${kind}.js`)
    const named = mutants.filter(({ name }) => names.length === 0 || names.includes(name))
    chosen.set(
      kind,
      named.filter(() => index++ % shards === shard - 1),
    )
  }
  return chosen
}

const { values, positionals } = parseArgs({
  options: {
    check: { type: 'boolean' },
    jobs: { type: 'string', default: '1' },
    shard: { type: 'string', default: '1/1' },
    record: { type: 'boolean' },
  },
  allowPositionals: true,
})
const [list, ...names] = positionals
const kinds = list === undefined ? Object.keys(targets) : [list]

if (values.check) {
  let misfits = 0
  for (const kind of kinds) misfits += await check(kind)
  process.exitCode = misfits > 0 ? 1 : 0
} else {
  const began = performance.now()
  const chosen = await choose(kinds, names, values.shard.split('/').map(Number))
  const survivors = []
  const unsound = []
  for (const [kind, mutants] of chosen) {
    if (mutants.length === 0) continue
    try {
      survivors.push(...(await hunt(kind, mutants, Number(values.jobs))))
    } catch (error) {
      unsound.push(kind)
      console.error(error.message)
    }
  }
  if (values.record) writeFileSync(KILLERS, `${JSON.stringify(killers, null, 2)}\n`)
  const total = [...chosen.values()].flat().length
  const minutes = ((performance.now() - began) / 60_000).toFixed(1)
  const lists = unsound.length > 0 ? `; could not be tested: ${unsound.join(', ')}` : ''
  const those = survivors.length > 0 ? ` (${survivors.join(', ')})` : ''
  console.log(`${total} mutants, ${survivors.length} survived${those}${lists}; ${minutes} minutes`)
  process.exitCode = survivors.length + unsound.length > 0 ? 1 : 0
}
