import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './spinning.tasks.js'

const crew = new Crew<typeof tasks>(new URL('spinning.tasks.ts', import.meta.url), 2)
afterAll(() => crew.dismiss())

describe.each(lineups)('a thread that does nothing but near hits ($name)', (lineup) => {
  test('sees what another thread writes', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0) })
    map.set('ping', 0)
    map.set('pong', 0)
    const { handle } = map
    const rounds = scaled(100)
    expect(await crew.run({ lineup, handle }, 'pingPong', rounds, 10_000)).toEqual([rounds, rounds])
    expectSound(map)
  })
})
