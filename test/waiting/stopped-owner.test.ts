import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups } from '../support/run.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import { expectSound } from '../support/sound.js'
import { Scratch } from '../support/scratch.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import * as layout from '../../src/format/layout.js'
import { CALLED, HOLDER, KEY, LET_GO, LOCKS, type Lock, type Measured } from './stopped-owner.tasks.js'
import type * as tasks from './stopped-owner.tasks.js'

/** Milliseconds: the bound, and what a wait may overshoot it by. */
const LONGEST_CALL = 2200
/** Of sleep in a read. A read that waited would sleep for the bound; its thread does wait for helpers that collect garbage. */
const LONGEST_READ = 500
const CALLERS = 32
const module = new URL('stopped-owner.tasks.ts', import.meta.url)
const mixed = lineups.at(-1)!

const scratch = new Scratch()
const callers = new Crew<typeof tasks>(module, CALLERS, 'threads on a file')
afterAll(async () => {
  await callers.dismiss()
  scratch[Symbol.dispose]()
})

function makeMap() {
  const map = new ConcurrentMap<string | number, unknown>({ file: scratch.file(), maxBytes: 2 ** 24 })
  map.set(KEY, 'value')
  for (let i = 0; i < 1500; i++) map.set(i, i % 75 === 0 ? 'y'.repeat(50_000) : 'y'.repeat(100))
  return map
}

/** Filled until it evicts. */
function makeFullCache() {
  const cache = new ConcurrentCache<string | number, unknown>({ file: scratch.file(), maxBytes: 2 ** 23 })
  for (let i = 0; cache.stats().counters.evicted < 5000;) {
    for (const end = i + 2000; i < end; i++) cache.set(i, i % 500 === 0 ? 'y'.repeat(20_000) : 'y'.repeat(200))
  }
  cache.set(KEY, 'value')
  return cache
}

const situations: [string, () => ReturnType<typeof makeMap>, readonly Lock[]][] = [
  ['a map', makeMap, LOCKS.filter((lock) => lock !== 'partition' && lock !== 'reserve')],
  ['a full cache', makeFullCache, LOCKS],
]

/** A process that takes a lock. */
async function hold(map: ReturnType<typeof makeMap>, lock: Lock) {
  const crew = new Crew<typeof tasks>(module, 1, 'processes')
  const memory: SharedMemory = scratch.memory(8)
  const told = new Int32Array(openMemory(memory))
  const held = crew.run({ lineup: mixed, handle: map.handle }, 'holdUntilTold', memory, lock)
  while (Atomics.load(told, HOLDER) === 0) await sleep(1)
  return { crew, told, held }
}

test('every method is called', () => {
  const methods = new Set<string>()
  for (const type of [ConcurrentMap, ConcurrentCache]) {
    for (const owner of [type, type.prototype]) {
      for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
        if (typeof value === 'function' || get !== undefined) methods.add(name)
      }
    }
  }
  expect(methods.size).toBeGreaterThan(35)
  expect([...methods].filter((name) => !CALLED.includes(name))).toEqual([])
})

test('every lock is held', () => {
  const locks = Object.keys(layout).filter((name) => /_MUTEX$|HEADER_TAKEOVER$/.test(name))
  // Beside these: the version of a bucket, the segments' moves, and the file's locks of records.
  expect(locks.sort()).toEqual([
    'CACHE_RESERVE_MUTEX',
    'HEADER_DIRECTORY_MUTEX',
    'HEADER_FEED_MUTEX',
    'HEADER_HEAP_MUTEX',
    'HEADER_SHAPE_MUTEX',
    'HEADER_TAKEOVER',
    'PARTITION_MUTEX',
    'SEGMENT_MUTEX',
  ])
})

describe.each(situations)('in %s', (_, make, locks) => {
  test.each(locks)('no call takes longer than 2.2 seconds while a stopped process holds: %s', async (lock) => {
    const map = make()
    // The right to take over is wanted only where somebody is dead.
    const victim = lock === 'takeover' ? await hold(map, 'bucket') : undefined
    const { crew: holder, told, held } = await hold(map, lock)
    process.kill(told[HOLDER], 'SIGSTOP')
    victim?.crew.kill()
    await victim?.held.catch(() => undefined)
    await victim?.crew.dismiss()
    const run = { lineup: mixed, handle: map.handle }
    const reads = (await callers.run({ ...run, workers: 2 }, 'readEverything')).flat()
    const writes = (await callers.run(run, 'writeEverything')).flat()
    process.kill(told[HOLDER], 'SIGCONT')
    Atomics.store(told, LET_GO, 1)
    await held
    await holder.dismiss()

    report(lock, reads, writes)
    expect(reads.filter(({ slept, code }) => slept > LONGEST_READ || code !== undefined)).toEqual([])
    // Where callers wait for each other, time does not count in which the system gives one of them no processor.
    const busy = Math.max(...writes.map(({ delayed }) => delayed))
    // What begins a load and what ends it are calls of their own, between which the loader runs; and the first label of a
    // map, for a tag or a namespace, has memory made for labels before the write.
    const parts = (name: string): number => (/^get(Many)?OrLoad$|tags|namespace/.test(name) ? 2 : 1)
    expect(writes.filter(({ name, took }) => took > parts(name) * LONGEST_CALL + busy)).toEqual([])
    expect(writes.filter(({ code }) => code !== undefined && code !== 'ERR_MAPSAFE_TIMEOUT')).toEqual([])
    map.set(KEY, 'value')
    // Entries of a namespace that was cleared count until they are swept, and who cleared it has closed the map.
    storeOf(map)
      .open()
      .sweep(0, 2 ** 31 - 1)
    expectSound(map)
    map.clear()
    expect(map.repair()).toMatchObject({ blocksFreed: 0, hasLookedForLeaks: true })
    map.close()
  })
})

function report(lock: string, reads: readonly Measured[], writes: readonly Measured[]): void {
  const longest = (calls: readonly Measured[]): string => {
    const { name, engine, slept, took } = calls.reduce((most, call) => (call.took > most.took ? call : most))
    return `${name} (${engine}) ${took.toFixed(0)} ms, of these asleep ${slept.toFixed(0)}`
  }
  const refused = writes.filter(({ code }) => code !== undefined).map(({ name, engine }) => `${name} (${engine})`)
  console.info(
    `${lock}: longest read: ${longest(reads)}; other call: ${longest(writes)}; ` +
      `timed out: ${refused.join(', ') || 'none'}`,
  )
}
