import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { nearAndFarLineups, scaled, seed } from '../support/run.js'
import { checkLinearizable } from './checker.js'
import { ttlHistories, ttlModel } from './ttl-model.js'
import type * as tasks from './ttl.tasks.js'

const WORKERS = 4
const crew = new Crew<typeof tasks>(new URL('ttl.tasks.ts', import.meta.url), WORKERS, 'threads')
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('every history of entries that expire is linearizable ($name)', (lineup) => {
  test.each([{ ttl: 2 }, { ttl: 10 }])('a lifetime of $ttl ms', async ({ ttl }) => {
    const cache = new ConcurrentCache<Key, number>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    const extent = { histories: scaled(Math.ceil(80 / ttl)), calls: 16, ttl }
    const recorded = await crew.run({ lineup, handle: cache.handle }, 'record', extent)
    let expiries = 0
    for (const operations of ttlHistories(recorded.flat())) {
      expiries += operations.filter(({ call }) => call.name === 'expire').length
      const { isLinearizable, order } = checkLinearizable(operations, ttlModel)
      if (isLinearizable) continue
      const lines = operations
        .toSorted((a, b) => a.invoked - b.invoked)
        .map(({ worker, invoked, returned, call }) => `  ${worker}  [${invoked}, ${returned}]  ${JSON.stringify(call)}`)
      expect.fail(
        `Not linearizable (MAPSAFE_SEED=${seed}), ${order.length} of ${operations.length}:\n${lines.join('\n')}`,
      )
    }
    expect(expiries).toBeGreaterThan(0)
    cache.close()
  })
})
