import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { Crew, type CrewKind } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import type * as tasks from './stale.tasks.js'

describe.each<CrewKind>(['threads', 'processes'])('%s', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('stale.tasks.ts', import.meta.url), 4, kind)
  afterAll(() => crew.dismiss())

  test.each(nearAndFarLineups)(
    'no read is older than an invalidation that returned before it ($name)',
    async (lineup) => {
      using scratch = new Scratch()
      const file = kind === 'threads' ? undefined : scratch.file()
      const options = { ...lineup.attach, maxBytes: 2 ** 20, file, engine: lineup.engineOf(0) }
      using cache = new ConcurrentCache<string, number>(options)
      cache.set('other', 7, { tags: ['of others'] })
      const found = await crew.run({ lineup, handle: cache.handle }, 'readAmongInvalidations', 3, scaled(1000))
      expect(found.flatMap(({ stale }) => stale)).toEqual([])
      const sum = (name: 'reads' | 'hits' | 'invalidations'): number => found.reduce((all, each) => all + each[name], 0)
      console.info(`${sum('invalidations')} invalidations, ${sum('reads')} reads, ${sum('hits')} of them found a value`)
      expect(sum('hits')).toBeGreaterThan(0)
      expect(cache.get('other')).toBe(7)
      expect(cache.verify().problems).toEqual([])
    },
  )
})
