import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap, type AttachedThread } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { Crew } from '../support/crew.js'
import { until } from '../support/patience.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { openMemory } from '../support/shared-memory.js'
import { HOLDER, KEY, LET_GO, type Lock } from './stopped-owner.tasks.js'
import type * as tasks from './who-waits.tasks.js'

const module = new URL('who-waits.tasks.ts', import.meta.url)
const scratch = new Scratch()
const holders = new Crew<typeof tasks>(module, 1, 'processes')
const writers = new Crew<typeof tasks>(module, 1, 'processes')
afterAll(async () => {
  await holders.dismiss()
  await writers.dismiss()
  scratch[Symbol.dispose]()
})

const locks: readonly [Lock, string, number][] = [
  ['cleanup', 'keys', 10],
  ['bucket', 'keys', 10],
  ['everything', 'keys', 10],
  ['heap', 'memory', 50_000],
]

describe.each(lineups)('$name', (lineup) => {
  test.each(locks)('a thread that waits for %s says so, and whose that is', async (lock, what, bytes) => {
    const file = scratch.file()
    using map = new ConcurrentMap<string, string>({ file, maxBytes: 2 ** 24, engine: lineup.engineOf(0) })
    using inspection = openInspection(file)
    // Too long for a value that is changed in place: the bucket must be taken.
    map.set(KEY, 'value')
    const memory = scratch.memory(8)
    const told = new Int32Array(openMemory(memory))
    const held = holders.run({ lineup, handle: map.handle }, 'holdUntilTold', memory, lock)
    await until('the lock is held', () => Atomics.load(told, HOLDER) !== 0)
    const holder = Atomics.load(told, HOLDER)
    expect(map.stats().threads.filter(({ waits }) => waits !== undefined)).toEqual([])
    const begun = Date.now()
    const written = writers.run({ lineup, handle: map.handle }, 'writeUntilTold', memory, bytes)
    let seen: AttachedThread | undefined
    const look = (threads: readonly AttachedThread[]): AttachedThread | undefined =>
      threads.find(({ waits }) => waits?.for === what && waits.thread !== undefined)
    let isInspected = false
    await until('the wait is seen, from inside and from outside', () => {
      seen ??= look(map.stats().threads)
      isInspected ||= look(inspection.stats().threads) !== undefined
      return seen !== undefined && isInspected
    })
    const [now, { lockWaits }] = [Date.now(), map.stats().counters]
    Atomics.store(told, LET_GO, 1)
    await held
    await written
    expect(seen?.waits?.thread).toEqual({ pid: holder, threadId: expect.any(Number) })
    expect(seen?.pid).not.toBe(holder)
    expect(seen?.waits?.since).toBeGreaterThanOrEqual(begun - 2)
    expect(seen?.waits?.since).toBeLessThanOrEqual(now + 2)
    expect(lockWaits).toBeGreaterThan(0)
    expect(map.stats().threads.filter(({ waits }) => waits !== undefined)).toEqual([])
  })
})
