import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DONE, PUT_ALWAYS, PUT_GIVEN, RESULT_STATUS } from '../../src/engine/engine.js'
import { NEVER } from '../../src/format/entry.js'
import { VALUE_NUMBER } from '../../src/format/layout.js'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { giveLabels } from '../../src/store/give-labels.js'
import { namespaceLabel } from '../../src/store/membership.js'
import { nearAndFarLineups } from '../support/run.js'

interface Item {
  readonly n: number
}
/** What one of two threads does with the key `a` of a group, through the writes of a namespace or with tags. */
interface Group {
  set(value: Item): void
  setMany(value: Item): void
  setIfAbsent(value: Item): boolean
  setIfVersion(value: Item, version: number): boolean
  replace(value: Item): boolean
  swap(value: Item): Item | undefined
  compareAndSwap(expected: Item, value: Item): boolean
  getOrInsert(value: Item): Item
  getOrInsertComputed(compute: () => Item): Item
  update(compute: (value: Item | undefined) => Item): Item
  get(): Item | undefined
  /** Makes the entries of the group absent. */
  end(): void
  /** `end` and `set` for a function that decides on a write of the same thread, in the place of another thread. */
  endAside(): void
  setAside(value: Item): void
}

/** Writes and invalidates with the store, which does not know who calls. */
function aside(map: ConcurrentMap<string, Item>, key: string, labels: string[]): Pick<Group, 'endAside' | 'setAside'> {
  const store = storeOf(map as ConcurrentMap<Key, Item>)
  return {
    endAside: () => store.labelIndex.invalidate(store.open(), labels.slice(-1)),
    setAside(value) {
      const engine = store.open()
      const encoder = store.encode(value)
      const pairs = store.labelIndex.pairsOf(engine, labels)
      store.put(engine, key, encoder, PUT_ALWAYS | PUT_GIVEN, 0, NEVER, NEVER, pairs)
      encoder.release()
      expect(engine.result[RESULT_STATUS]).toBe(DONE)
    },
  }
}

function namespaceOf(map: ConcurrentMap<string, Item>): Group {
  const space = map.namespace('user:')
  return {
    set: (value) => void space.set('a', value),
    setMany: (value) => void space.setMany([['a', value]]),
    setIfAbsent: (value) => space.setIfAbsent('a', value),
    setIfVersion: (value, version) => space.setIfVersion('a', value, version),
    replace: (value) => space.replace('a', value),
    swap: (value) => space.swap('a', value),
    compareAndSwap: (expected, value) => space.compareAndSwap('a', expected, value),
    getOrInsert: (value) => space.getOrInsert('a', value),
    getOrInsertComputed: (compute) => space.getOrInsertComputed('a', compute),
    update: (compute) => space.update('a', compute),
    get: () => space.get('a'),
    end: () => space.clear(),
    ...aside(map, 'user:a', [namespaceLabel('user:')]),
  }
}

function taggedOf(cache: ConcurrentCache<string, Item>): Group {
  const options = { tags: ['of all', 'users'] }
  return {
    set: (value) => void cache.set('a', value, options),
    setMany: (value) => void cache.setMany([['a', value, options]]),
    setIfAbsent: (value) => cache.setIfAbsent('a', value, options),
    setIfVersion: (value, version) => cache.setIfVersion('a', value, version, options),
    replace: (value) => cache.replace('a', value, options),
    swap: (value) => cache.swap('a', value, options),
    compareAndSwap: (expected, value) => cache.compareAndSwap('a', expected, value, options),
    getOrInsert: (value) => cache.getOrInsert('a', value, options),
    getOrInsertComputed: (compute) => cache.getOrInsertComputed('a', compute, options),
    update: (compute) => cache.update('a', compute, options),
    get: () => cache.get('a'),
    end: () => cache.invalidateTags(['users']),
    ...aside(cache, 'a', ['tof all', 'tusers']),
  }
}

type Write = (group: Group, meanwhile: () => void) => unknown

/** A value whose encoding, which is a part of the write, takes as long as `meanwhile` does. */
const slow = (n: number, meanwhile: () => void): Item => ({
  get n(): number {
    meanwhile()
    return n
  },
})
/** Before the write there is the value 0. Then what the write returns, and what is there afterwards. */
type Case = readonly [name: string, write: Write, returns: unknown, there: number | undefined]

const overtakenByAWrite: Case[] = [
  ['set', (group, meanwhile) => group.set(slow(1, meanwhile)), undefined, 1],
  ['setMany', (group, meanwhile) => group.setMany(slow(1, meanwhile)), undefined, 1],
  ['setIfAbsent', (group, meanwhile) => group.setIfAbsent(slow(1, meanwhile)), false, 2],
  ['setIfVersion', (group, meanwhile) => group.setIfVersion(slow(1, meanwhile), 1), false, 2],
  ['replace', (group, meanwhile) => group.replace(slow(1, meanwhile)), true, 1],
  ['swap', (group, meanwhile) => group.swap(slow(1, meanwhile)), { n: 2 }, 1],
  ['compareAndSwap', (group, meanwhile) => group.compareAndSwap({ n: 0 }, slow(1, meanwhile)), false, 2],
  ['compareAndSwap of a new one', (group, meanwhile) => group.compareAndSwap({ n: 2 }, slow(1, meanwhile)), false, 2],
  ['update', (group, meanwhile) => group.update((value) => slow((value?.n ?? 10) + 1, meanwhile)), { n: 3 }, 3],
]

const overtakenByAnEnd: Case[] = [
  ['set', (group, meanwhile) => group.set(slow(1, meanwhile)), undefined, 1],
  ['setMany', (group, meanwhile) => group.setMany(slow(1, meanwhile)), undefined, 1],
  ['setIfAbsent', (group, meanwhile) => group.setIfAbsent(slow(1, meanwhile)), true, 1],
  ['replace', (group, meanwhile) => group.replace(slow(1, meanwhile)), false, undefined],
  ['swap', (group, meanwhile) => group.swap(slow(1, meanwhile)), undefined, 1],
  ['compareAndSwap', (group, meanwhile) => group.compareAndSwap({ n: 0 }, slow(1, meanwhile)), false, undefined],
  ['update', (group, meanwhile) => group.update((value) => slow((value?.n ?? 10) + 1, meanwhile)), { n: 11 }, 11],
]

/** Before the write there is nothing. */
const ofNothing: Case[] = [
  ['getOrInsert', (group, meanwhile) => group.getOrInsert(slow(1, meanwhile)), { n: 1 }, 1],
  [
    'getOrInsertComputed',
    (group, meanwhile) =>
      group.getOrInsertComputed(() => {
        meanwhile()
        return { n: 1 }
      }),
    { n: 1 },
    undefined,
  ],
  [
    'update',
    (group, meanwhile) =>
      group.update((value) => {
        expect(value).toBe(undefined)
        meanwhile()
        return { n: 1 }
      }),
    { n: 1 },
    1,
  ],
]

describe.each(nearAndFarLineups)('a write that an invalidation overtakes ($name)', (lineup) => {
  describe.each(['namespace', 'tags'])('%s', (kind) => {
    let maps: ConcurrentMap<string, Item>[]
    let one: Group
    let other: Group

    beforeEach(() => {
      const options = { maxBytes: 4 * 2 ** 20, ...lineup.attach }
      if (kind === 'namespace') {
        const map = new ConcurrentMap<string, Item>({ ...options, engine: lineup.engineOf(0) })
        const there = ConcurrentMap.attach<string, Item>(map.handle, { ...lineup.attach, engine: lineup.engineOf(1) })
        maps = [map, there]
        ;[one, other] = [namespaceOf(map), namespaceOf(there)]
      } else {
        const cache = new ConcurrentCache<string, Item>({ ...options, engine: lineup.engineOf(0) })
        const there = ConcurrentCache.attach<string, Item>(cache.handle, {
          ...lineup.attach,
          engine: lineup.engineOf(1),
        })
        maps = [cache, there]
        ;[one, other] = [taggedOf(cache), taggedOf(there)]
      }
    })
    afterEach(() => {
      for (const map of maps) {
        expect(map.verify()).toEqual({ ok: true, problems: [] })
        map.close()
      }
    })

    function check([, write, returns, there]: Case, meanwhile: () => void): void {
      let times = 0
      const once = (): void => {
        if (times++ === 0) meanwhile()
      }
      expect(write(one, once)).toEqual(returns)
      expect(times).toBeGreaterThan(0)
      for (const group of [one, other]) expect(group.get()?.n).toBe(there)
      one.end()
      for (const group of [other, one]) expect(group.get()).toBe(undefined)
    }

    test.each(overtakenByAWrite)('%s never takes a newer entry away', (...each) => {
      other.set({ n: 0 })
      check(each, () => {
        other.endAside()
        other.setAside({ n: 2 })
      })
    })

    test.each(overtakenByAnEnd)('%s is there after it, or finds nothing', (...each) => {
      other.set({ n: 0 })
      check(each, () => other.endAside())
    })

    test.each(ofNothing)('%s of nothing', (...each) => check(each, () => other.endAside()))

    test('a counter begins in the group as it is then', () => {
      const store = storeOf(maps[0] as ConcurrentMap<Key, Item>)
      const engine = store.open()
      const labels = store.labelIndex.pairsOf(engine, ['tcounts'])
      const end = (): void => store.labelIndex.invalidate(engine, ['tcounts'])
      end()
      giveLabels(engine, labels)
      expect(engine.increment('count', 5)).toBe(5)
      expect(maps[1].has('count')).toBe(true)
      end()
      expect(maps[1].has('count')).toBe(false)
    })

    test('what has a generation that is raised no more is absent from the start', () => {
      const store = storeOf(maps[0] as ConcurrentMap<Key, Item>)
      const engine = store.open()
      const labels = store.labelIndex.pairsOf(engine, ['tlast'])
      Atomics.store(engine.words, labels[0], -1)
      giveLabels(engine, labels)
      engine.put('b', VALUE_NUMBER, 7, PUT_ALWAYS | PUT_GIVEN)
      expect(maps[1].has('b')).toBe(false)
    })

    test('getOrInsert and getOrInsertComputed return the newer entry', () => {
      const meanwhile = (): void => {
        other.end()
        other.set({ n: 2 })
      }
      expect(one.getOrInsert(slow(1, meanwhile))).toEqual({ n: 2 })
      one.end()
      expect(
        one.getOrInsertComputed(() => {
          meanwhile()
          return { n: 1 }
        }),
      ).toEqual({ n: 2 })
      expect(other.get()).toEqual({ n: 2 })
    })
  })
})
