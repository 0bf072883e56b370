import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { Crew, type CrewKind } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import type * as tasks from './cleared.tasks.js'

describe.each<CrewKind>(['threads', 'processes'])('%s', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('cleared.tasks.ts', import.meta.url), 3, kind)
  afterAll(() => crew.dismiss())

  describe.each(['map', 'cache'])('and a %s', (of) => {
    test.each(nearAndFarLineups)(
      'no read is older than a clear of its namespace that returned before it ($name)',
      async (lineup) => {
        using scratch = new Scratch()
        const file = kind === 'threads' ? undefined : scratch.file()
        const options = { ...lineup.attach, maxBytes: 2 ** 20, file, engine: lineup.engineOf(0) }
        using map =
          of === 'cache' ? new ConcurrentCache<string, number>(options) : new ConcurrentMap<string, number>(options)
        map.set('a:not by the namespace', 7)
        map.namespace('b:').set('other', 7)
        const found = await crew.run({ lineup, handle: map.handle }, 'readAmongClears', 3, scaled(500))
        expect(found.flatMap(({ stale }) => stale)).toEqual([])
        const sum = (name: 'reads' | 'hits' | 'clears'): number => found.reduce((all, each) => all + each[name], 0)
        console.info(`${sum('clears')} clears, ${sum('reads')} reads, ${sum('hits')} of them found a value`)
        expect(sum('hits')).toBeGreaterThan(0)
        const space = map.namespace('a:')
        space.clear()
        expect([...space]).toEqual([['not by the namespace', 7]])
        expect(map.get('b:other')).toBe(7)
        expect(map.verify().problems).toEqual([])
      },
    )
  })
})
