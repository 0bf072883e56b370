// Deaths of who watches, and of who changes what others watch. The counterpart of `Death.InWritesThatAreWatched` and the two after it.
import { ConcurrentCache } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { doing, fill, invalidating, many, putting, removing, scenarios, type Scenario } from './steps.scenarios.js'

const GROUPS = 8

const watching = doing((map) => storeOf(map).open().watch())

export const watchedScenarios: Readonly<Record<string, Scenario>> = {
  'beginning and ending to watch': {
    prepare: (map) => fill(map, 20),
    operations: () => [
      watching,
      putting('new', '1'),
      doing((map) => storeOf(map).open().unwatch()),
      watching,
      removing('new'),
      doing((map) => map.close()),
    ],
    isWholeLife: true,
  },
  'writes that are watched': { ...scenarios['writes of one bucket'], isWatched: true },
  'increments that are watched': { ...scenarios.increments, weight: 2, isWatched: true },
  'a key held while it is watched': { ...scenarios['a key held'], isWatched: true },
  'a clear that is watched': { ...scenarios.clear, weight: 2, isWatched: true },
  'a sweep that is watched': { ...scenarios['a sweep'], isWatched: true },
  'inserts that evict and are watched': { ...scenarios['inserts that evict'], isWatched: true },
  'invalidations that are watched': {
    isCache: true,
    isWatched: true,
    prepare(map) {
      fill(map, 20)
      if (!(map instanceof ConcurrentCache)) throw new Error('a map has no tags')
      for (let i = 0; i < GROUPS; i++) map.set(`of ${i}`, i, { tags: [`tag ${i}`] })
    },
    operations: () => many(GROUPS, (i) => invalidating(`tag ${i}`, [`of ${i}`])),
  },
  'tags that are watched': { ...scenarios.tags, isWatched: true },
}
