import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { OrderCheck, TransitCheck, type Check } from './snapshot.checks.js'
import type * as tasks from './snapshot.tasks.js'

const WRITERS = 4

const crew = new Crew<typeof tasks>(new URL('snapshot.tasks.ts', import.meta.url), WRITERS)
afterAll(() => crew.dismiss())

const FILLERS = 2000

/** Looks again and again while all workers of a run are at work, then tells them to stop. */
async function observe(map: ConcurrentMap<string, number>, run: Promise<unknown>, check: Check): Promise<void> {
  try {
    while (map.get('started') !== WRITERS) await sleep(1)
    for (let i = 0; i < scaled(60); i++) {
      expect(check.look()).toEqual([])
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
    const check = new OrderCheck(map, WRITERS)
    await observe(map, crew.run({ lineup, handle: map.handle }, 'writeInOrder', FILLERS), check)
    expect(check.progress).toBeGreaterThan(20)
    expectSound(map)
  })

  test('amounts in transit are seen at most once, and in one place', async () => {
    using map = crew.open<string, number>(lineup, { nearCache: false })
    for (let i = 0; i < 3000; i++) map.set(`filler ${i}`, i)
    map.set('from', 1_000_000).set('to', 0)
    const check = new TransitCheck(map, WRITERS, 1_000_000)
    await observe(map, crew.run({ lineup, handle: map.handle }, 'transfer'), check)
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
