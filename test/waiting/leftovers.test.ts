import { describe, expect, test } from 'vitest'
import { DONE, PUT_ALWAYS, RESULT_CALL, RESULT_STATUS, TIMEOUT, type Engine } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { giveBackLeftovers } from '../../src/engine/typescript/memory/leftovers.js'
import { WaitBudget } from '../../src/engine/typescript/threads/wait-budget.js'
import { HEADER_HEAP_MUTEX, THREAD_HAS_EXCESS, VALUE_LATIN1 } from '../../src/format/layout.js'
import { Region } from '../../src/format/region.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { lineups } from '../support/run.js'

const BYTES = 2 ** 22
/** Of a size class other than the short ones: its entries need the pages that these had. */
const short = 'x'.repeat(100)
const long = 'x'.repeat(20_000)

function put(engine: Engine, key: string, value: string): number {
  engine.put(key, VALUE_LATIN1, value, PUT_ALWAYS)
  return engine.result[RESULT_STATUS]
}

/** Puts entries of one size until there is no room, or `most`. Returns how many. */
function fill(engine: Engine, value: string, most = Infinity): number {
  let count = 0
  while (count < most && put(engine, `${value.length} ${count}`, value) === DONE) count++
  return count
}

/** Deletes everything while another thread holds the heap's mutex: one call, which waits for that only so long. */
function clearWithoutHeap(engine: Engine, holder: Engine): void {
  engine.words[HEADER_HEAP_MUTEX] = holder.mark
  engine.result[RESULT_CALL] = 7
  engine.clear(0, 2 ** 31 - 1)
}

describe.each(lineups)('free memory that a thread could not give back ($name)', (lineup) => {
  function open(isCache: boolean): [Engine, Engine] {
    const region = new SharedArrayBuffer(BYTES)
    formatRegion(region, isCache ? { ttl: undefined, maxEntries: undefined } : undefined)
    return [openEngine(region, lineup.engineOf(1)), openEngine(region, lineup.engineOf(0))]
  }
  const room = fill(open(false)[0], long)

  test('serves others once the thread has closed the map', () => {
    const [leaver, stayer] = open(false)
    fill(leaver, short)
    clearWithoutHeap(leaver, stayer)
    leaver.close()
    stayer.words[HEADER_HEAP_MUTEX] = 0
    expect(fill(stayer, long)).toBeGreaterThan(room * 0.95)
    expect(stayer.verify()).toEqual([])
  })

  test('serves others in a cache, which evicts no entry for want of it', () => {
    const [leaver, stayer] = open(true)
    fill(leaver, short, 15_000)
    clearWithoutHeap(leaver, stayer)
    leaver.close()
    stayer.words[HEADER_HEAP_MUTEX] = 0
    expect(fill(stayer, long, room / 2)).toBe(Math.ceil(room / 2))
    expect(stayer.size()).toBe(Math.ceil(room / 2))
    expect(stayer.verify()).toEqual([])
  })

  test('serves a cache whose queues lack memory', () => {
    const [leaver, stayer] = open(true)
    for (let i = 0; i < 100; i++) put(stayer, `kept ${i}`, short)
    fill(leaver, short, 15_000)
    clearWithoutHeap(leaver, stayer)
    leaver.close()
    stayer.words[HEADER_HEAP_MUTEX] = 0
    for (let i = 0; i < 100; i++) expect([i, put(stayer, `new ${i}`, short)]).toEqual([i, DONE])
    expect(stayer.verify()).toEqual([])
  })

  test('is waited for no longer than the heap by which it would go back', () => {
    const [leaver, stayer] = open(true)
    fill(leaver, short, 15_000)
    clearWithoutHeap(leaver, stayer)
    leaver.close()
    const holder = openEngine(stayer.words.buffer, lineup.engineOf(0))
    stayer.words[HEADER_HEAP_MUTEX] = holder.mark
    const statuses = Array.from({ length: 200 }, (_, i) => {
      stayer.result[RESULT_CALL] = 9
      return put(stayer, `new ${i}`, i % 2 === 0 ? short : long)
    })
    expect(statuses).toContain(TIMEOUT)
    stayer.words[HEADER_HEAP_MUTEX] = 0
    stayer.result[RESULT_CALL] = 0
    expect(put(stayer, 'last', long)).toBe(DONE)
    expect(stayer.verify()).toEqual([])
  })

  // Who has no node for an insert looks for it again and again, as long as some comes back.
  test('does not come back without the heap', () => {
    const [leaver, stayer] = open(false)
    fill(leaver, short, 1000)
    clearWithoutHeap(leaver, stayer)
    leaver.close()
    const { words, mark } = stayer
    const giveBack = (): boolean => {
      const budget = new WaitBudget(words, mark, threadRecordAt((mark & 0xff) - 1), () => true)
      return giveBackLeftovers(new Region(words.buffer), budget)
    }
    expect(giveBack()).toBe(false)
    words[HEADER_HEAP_MUTEX] = 0
    expect(giveBack()).toBe(true)
    expect(giveBack()).toBe(false)
    expect(stayer.verify()).toEqual([])
  })

  test('goes back with the next sweep of a thread that makes no other calls', () => {
    const [idle, other] = open(true)
    const record = threadRecordAt((idle.mark & 0xff) - 1)
    fill(idle, short, 5000)
    clearWithoutHeap(idle, other)
    expect(idle.words[record + THREAD_HAS_EXCESS]).toBe(1)
    other.words[HEADER_HEAP_MUTEX] = 0
    for (let i = 0; i < 100 && idle.words[record + THREAD_HAS_EXCESS] !== 0; i++) idle.sweep(0, 0)
    expect(idle.words[record + THREAD_HAS_EXCESS]).toBe(0)
  })
})
