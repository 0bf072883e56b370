import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './crew.tasks.js'
import type { Followed } from './crew.tasks.js'

const WORKERS = 4

describe.each(['threads', 'processes'] as const)('%s that watch', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('crew.tasks.ts', import.meta.url), WORKERS, kind)
  afterAll(() => crew.dismiss())

  test.each(nearAndFarLineups)('$name: read nothing older than what they were told', async (lineup) => {
    using map = crew.open<string, number>(lineup, { maxBytes: 16 * 2 ** 20 })
    const run = { lineup, handle: map.handle, workers: WORKERS }
    const results = await crew.run(run, 'followOrWrite', 30, scaled(5000))
    const followed = results.filter((result): result is Followed => typeof result !== 'number')
    expect(followed.length).toBe(WORKERS / 2)
    for (const { violations, different, told, missed } of followed) {
      expect(violations).toEqual([])
      expect(different, 'keys whose last change was not the last one told').toEqual([])
      expect(told + missed).toBeGreaterThan(0)
    }
    console.info(
      `${kind}, ${lineup.name}: ${followed.map(({ told, missed }) => `${told} told, ${missed} missed`).join('; ')}`,
    )
    expectSound(map)
  })
})
