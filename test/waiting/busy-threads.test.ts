import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './busy-threads.tasks.js'

/** Far more than there are cores. */
const WORKERS = 64
const CALLS = 500

const crew = new Crew<typeof tasks>(new URL('busy-threads.tasks.ts', import.meta.url), WORKERS, 'threads')
afterAll(() => crew.dismiss())

const subjects: [string, (engine: 'native' | 'typescript' | undefined) => ConcurrentMap<Key, unknown>][] = [
  ['a map', (engine) => new ConcurrentMap({ maxBytes: 2 ** 25, engine })],
  ['a full cache', makeFullCache],
]

function makeFullCache(engine: 'native' | 'typescript' | undefined): ConcurrentMap<Key, unknown> {
  const cache = new ConcurrentCache<Key, unknown>({ maxBytes: 2 ** 20, engine })
  for (let i = 0; cache.stats().counters.evicted < 1000; i++) cache.set(i, 'x'.repeat(200))
  return cache
}

describe.each(subjects)('%s of more threads than cores', (_, make) => {
  test.each(lineups)('times out for nobody, since all of them live and run ($name)', async (lineup) => {
    using map = make(lineup.engineOf(0) as 'native' | 'typescript')
    const outcomes = await crew.run({ lineup, handle: map.handle }, 'call', scaled(CALLS))
    const calls = outcomes.reduce((sum, outcome) => sum + outcome.calls, 0)
    const timeouts = outcomes.flatMap((outcome) => outcome.timeouts)
    console.info(`${calls} calls of ${WORKERS} ${lineup.name} workers, ${timeouts.length} timed out`)
    expect(timeouts).toEqual([])
    expectSound(map)
  })
})
