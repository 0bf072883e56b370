import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { ABSENT, DONE, PUT_ALWAYS, RESULT_CALL, RESULT_STATUS, TIMEOUT, type Engine } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { partitionsOf } from '../../src/format/eviction-area.js'
import { HEADER_HEAP_MUTEX, PARTITION_MUTEX, THREAD_OWED, VALUE_LATIN1 } from '../../src/format/layout.js'
import { Region } from '../../src/format/region.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { lineups } from '../support/run.js'
import { Stopwatch } from '../support/stopwatch.js'

/** Milliseconds: the bound of a call, and what is certainly less. */
const BOUND = 2000
const SHORT = BOUND / 2

/** Of two size classes, and of whole pages, for which the heap's mutex is needed. */
const small = 'x'.repeat(2000)
const medium = 'x'.repeat(4000)
const large = 'x'.repeat(40_000)

function put(engine: Engine, key: string, value: string): number {
  engine.put(key, VALUE_LATIN1, value, PUT_ALWAYS)
  return engine.result[RESULT_STATUS]
}

/** How long something took, but for what the system gave others. */
function took(call: () => unknown): number {
  const watch = new Stopwatch()
  watch.time(call)
  return watch.longest
}

describe.each(lineups)('the budget of a call ($name)', (lineup) => {
  function open(bytes: number, isCache = false): [Engine, Engine] {
    const region = new SharedArrayBuffer(bytes)
    formatRegion(region, isCache ? { ttl: undefined, maxEntries: undefined } : undefined)
    return [openEngine(region, lineup.engineOf(1)), openEngine(region, lineup.engineOf(0))]
  }

  test('is shared by operations that are parts of one', () => {
    const [waiter, holder] = open(2 ** 22)
    const { result, words } = waiter
    words[HEADER_HEAP_MUTEX] = holder.mark
    result[RESULT_CALL] = 7
    // By the clock: on a busy machine, this thread waits for a processor most of the time, and that counts as well.
    const start = performance.now()
    put(waiter, 'a', large)
    expect(performance.now() - start).toBeGreaterThan(SHORT)
    expect(result[RESULT_STATUS]).toBe(TIMEOUT)
    expect(took(() => put(waiter, 'b', large))).toBeLessThan(SHORT)
    expect(result[RESULT_STATUS]).toBe(TIMEOUT)
    words[HEADER_HEAP_MUTEX] = 0
    result[RESULT_CALL] = 0
    expect(put(waiter, 'c', large)).toBe(DONE)
  })

  // Callers that are held up by the same stopped thread try again and again, and pass a mutex on among each other.
  test('is spent on what is passed on, too, once the call is held up', async () => {
    const [waiter, holder] = open(2 ** 22)
    const { result, words } = waiter
    words[HEADER_HEAP_MUTEX] = holder.mark
    const program = `
      const { workerData: { words, at, marks, after } } = require('node:worker_threads')
      const asleep = new Int32Array(new SharedArrayBuffer(4))
      Atomics.wait(asleep, 0, 0, after)
      for (let i = 0; ; i++) {
        Atomics.store(words, at, marks[i % 2])
        Atomics.wait(asleep, 0, 0, 1)
      }`
    const workerData = { words, at: HEADER_HEAP_MUTEX, marks: [holder.mark, waiter.mark], after: 0.6 * BOUND }
    const passing = new Worker(program, { eval: true, workerData })
    await once(passing, 'online')
    expect(took(() => put(waiter, 'a', large))).toBeLessThan(1.5 * BOUND)
    expect(result[RESULT_STATUS]).toBe(TIMEOUT)
    await passing.terminate()
  })

  test('is not spent on victims where others serve as well', () => {
    const [waiter, holder] = open(2 ** 25, true)
    const { result, words } = waiter
    // More than there is room for. Every fourth is of a smaller size class.
    const keys = 12_000
    for (let i = 0; i < keys; i++) put(waiter, `key ${i}`, i % 4 === 0 ? small : medium)
    const partitions = partitionsOf(new Region(words.buffer))
    expect(partitions.length).toBeGreaterThan(1)
    // The last one is the only one whose entries can be evicted.
    const held = partitions.slice(0, -1)
    for (const at of held) words[at + PARTITION_MUTEX] = holder.mark
    const writes = 40
    const statuses: number[] = []
    const time = took(() => {
      for (let i = keys - 4; i > 0 && statuses.length < writes; i -= 4) {
        waiter.get(`key ${i}`)
        // The node of a key that is there stays; what it needs is a larger block, for which an entry has to go.
        if (result[RESULT_STATUS] !== ABSENT) statuses.push(put(waiter, `key ${i}`, medium))
      }
    })
    expect(statuses).toEqual(Array.from({ length: writes }, () => DONE))
    // Even a little patience would cost each of them twice as much.
    expect(time).toBeLessThan(25 * writes)
    for (const at of held) words[at + PARTITION_MUTEX] = 0
    expect(waiter.verify()).toEqual([])
  })

  test('is not spent on what can be given back later, and is then', () => {
    const [waiter, holder] = open(2 ** 22)
    const { result, words } = waiter
    const owed = threadRecordAt((waiter.mark & 0xff) - 1) + THREAD_OWED
    for (const key of ['a', 'b']) expect(put(waiter, key, large)).toBe(DONE)
    words[HEADER_HEAP_MUTEX] = holder.mark
    for (const key of ['a', 'b']) {
      expect(took(() => waiter.remove(key, PUT_ALWAYS))).toBeLessThan(SHORT)
      expect(result[RESULT_STATUS]).toBe(DONE)
    }
    expect(words[owed]).not.toBe(0)
    words[HEADER_HEAP_MUTEX] = 0
    expect(put(waiter, 'c', large)).toBe(DONE)
    expect(words[owed]).toBe(0)
    expect(waiter.verify()).toEqual([])
  })
})
