import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './snapshot.tasks.js'

const crew = new Crew<typeof tasks>(new URL('snapshot.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

const FILLERS = 2000

/** Looks again and again while all workers of a run are at work, then tells them to stop. */
async function observe(map: ConcurrentMap<string, number>, run: Promise<unknown>, look: () => void): Promise<void> {
  try {
    while (map.get('started') !== 4) await sleep(1)
    for (let i = 0; i < scaled(60); i++) {
      look()
      await sleep(2)
    }
  } finally {
    map.set('stop', 1)
    await run
  }
}

describe.each(lineups)('a snapshot is one instant ($name)', (lineup) => {
  test('with what a thread wrote it has all that the thread wrote before, and never less than the last one', async () => {
    using map = crew.open<string, number>(lineup, { nearCache: false })
    const last: number[] = [0, 0, 0, 0]
    let distinct = 0
    await observe(map, crew.run({ lineup, handle: map.handle }, 'writeInOrder', FILLERS), () => {
      const before = last.map((_, worker) => map.get(`c${worker}`) ?? 0)
      const snapshot = map.snapshot()
      const after = last.map((_, worker) => map.get(`a${worker}`) ?? 0)
      const found = new Map(snapshot)
      expect(found.size).toBe(snapshot.size)
      for (let worker = 0; worker < 4; worker++) {
        const [a, b, c] = ['a', 'b', 'c'].map((name) => found.get(`${name}${worker}`) ?? 0)
        expect(a).toBeGreaterThanOrEqual(b)
        expect(b).toBeGreaterThanOrEqual(c)
        expect(a - c).toBeLessThanOrEqual(1)
        // Not older than what was read before the call, nor newer than what was read after it.
        expect(c).toBeGreaterThanOrEqual(before[worker])
        expect(a).toBeLessThanOrEqual(after[worker])
        expect(c).toBeGreaterThanOrEqual(last[worker])
        if (c > last[worker]) distinct++
        last[worker] = c
      }
    })
    expect(distinct).toBeGreaterThan(20)
    expectSound(map)
  })

  test('amounts in transit are seen at most once, and in one place', async () => {
    using map = crew.open<string, number>(lineup, { nearCache: false })
    for (let i = 0; i < 3000; i++) map.set(`filler ${i}`, i)
    map.set('from', 1_000_000).set('to', 0)
    await observe(map, crew.run({ lineup, handle: map.handle }, 'transfer'), () => {
      const found = new Map(map.snapshot())
      let sum = found.get('from')! + found.get('to')!
      for (let worker = 0; worker < 4; worker++) sum += found.get(`in transit ${worker}`) ?? 0
      // Each worker has at most one amount, of at most 9, between two keys.
      expect(sum).toBeLessThanOrEqual(1_000_000)
      expect(sum).toBeGreaterThanOrEqual(1_000_000 - 4 * 9)
    })
    expectSound(map)
  })

  test('two threads that take snapshots at once do not block each other', async () => {
    using map = crew.open<string, number>(lineup, { nearCache: false })
    using other = ConcurrentMap.attach<string, number>(map.handle, { engine: lineup.engineOf(1) })
    const rounds = crew.run({ lineup, handle: map.handle }, 'takeSnapshots', scaled(30))
    for (let i = 0; i < scaled(2000); i++) other.set(`key ${i}`, i)
    for (const sizes of await rounds) {
      for (const [i, size] of sizes.entries()) expect(size).toBeGreaterThanOrEqual(sizes[i - 1] ?? 0)
    }
    expect(map.snapshot().size).toBe(scaled(2000))
    expectSound(map)
  })
})
