import { afterAll, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import type * as tasks from './writers.tasks.js'

const crew = new Crew<typeof tasks>(new URL('./writers.tasks.js', import.meta.url), 2, 'threads')
afterAll(() => crew.dismiss())

const LEAST_LOOKS = 10

test.each(lineups)('$name: what moves while others write is not taken for lost', async (lineup) => {
  using map = crew.open<number, string>(lineup, { maxBytes: 8 * 2 ** 20 })
  const stop = new SharedArrayBuffer(4)
  const running = crew.run({ lineup, handle: map.handle }, 'churn', stop)
  const lost: number[] = []
  let looks = 0
  try {
    while (map.size < 500) await new Promise((resolve) => setTimeout(resolve, 5))
    // Longer than it takes to convict a suspect.
    const until = performance.now() + scaled(4000)
    for (; performance.now() < until || looks <= LEAST_LOOKS; looks++) {
      const { verdicts } = map.health()
      const { value } = verdicts.find(({ name }) => name === 'lostMemory')!
      if (value > 0) lost.push(value)
      await new Promise((resolve) => setImmediate(resolve))
    }
  } finally {
    Atomics.store(new Int32Array(stop), 0, 1)
  }
  for (const writes of await running) expect(writes).toBeGreaterThan(1000)
  expect(lost).toEqual([])
  expect(map.verify().problems).toEqual([])
})
