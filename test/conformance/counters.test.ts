import { afterEach, describe, expect, test, vi } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Counters, type Key } from '../../src/index.js'
import { HotKeys } from '../../src/store/near/hot-keys.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'

// What every method counts, by what there is under its key and what the near-cache knows of it. See Counters.

type AnyMap = ConcurrentMap<Key, unknown>
type Call = (map: AnyMap, key: Key) => unknown
type Counted = Partial<Counters>
/**
 * What a call adds to the counters: where the key has an entry, where it has none, and where its entry has expired; and
 * how often it tells of its key for the hot keys.
 */
interface Row {
  readonly call: Call
  /** Counted as one read, beside what follows. */
  readonly reads?: 'alone' | 'many'
  readonly present?: Counted
  readonly absent?: Counted
  readonly expired?: Counted
  readonly notes: number
  /** Whether a near hit is no use that anyone is told of. */
  readonly isAnsweredNear?: true
}

function isACache(map: AnyMap): map is ConcurrentCache<Key, unknown> {
  return map instanceof ConcurrentCache
}

function asCache(map: AnyMap): ConcurrentCache<Key, unknown> {
  return isACache(map) ? map : expect.fail('it is no cache')
}

const replaces = { present: { replaced: 1 }, expired: { expired: 1 } }
const deletes = { present: { deleted: 1 } }
const none = { notes: 0 }

const rows: Record<string, Row> = {
  get: { call: (map, key) => map.get(key), reads: 'alone', notes: 1, isAnsweredNear: true },
  getEntry: { call: (map, key) => map.getEntry(key), reads: 'alone', notes: 1, isAnsweredNear: true },
  getOrInsert: {
    call: (map, key) => map.getOrInsert(key, 1),
    reads: 'alone',
    expired: { expired: 1 },
    notes: 1,
    isAnsweredNear: true,
  },
  getOrInsertComputed: {
    call: (map, key) => map.getOrInsertComputed(key, () => 1),
    reads: 'alone',
    expired: { expired: 1 },
    notes: 1,
    isAnsweredNear: true,
  },
  getMany: { call: (map, key) => map.getMany([key]), reads: 'many', ...none },
  getEntries: { call: (map, key) => map.getEntries([key]), reads: 'many', ...none },
  has: { call: (map, key) => map.has(key), notes: 1, isAnsweredNear: true },
  hasMany: { call: (map, key) => map.hasMany([key]), ...none },
  peek: { call: (map, key) => map.peek(key), ...none },
  peekEntry: { call: (map, key) => map.peekEntry(key), ...none },

  set: { call: (map, key) => map.set(key, 1), ...replaces, notes: 1 },
  setIfAbsent: { call: (map, key) => map.setIfAbsent(key, 1), expired: { expired: 1 }, notes: 1 },
  setIfVersion: { call: (map, key) => map.setIfVersion(key, 1, 0), expired: { expired: 1 }, notes: 1 },
  replace: { call: (map, key) => map.replace(key, 1), present: { replaced: 1 }, notes: 1 },
  compareAndSwap: { call: (map, key) => map.compareAndSwap(key, 'value', 1), present: { replaced: 1 }, notes: 1 },
  swap: { call: (map, key) => map.swap(key, 1), ...replaces, notes: 1 },
  update: { call: (map, key) => map.update(key, () => 1), ...replaces, notes: 1 },
  delete: { call: (map, key) => map.delete(key), ...deletes, notes: 1 },
  deleteIfVersion: { call: (map, key) => map.deleteIfVersion(key, 1), ...deletes, notes: 1 },
  compareAndDelete: { call: (map, key) => map.compareAndDelete(key, 'value'), ...deletes, notes: 1 },
  take: { call: (map, key) => map.take(key), ...deletes, notes: 1 },
  setMany: { call: (map, key) => map.setMany([[key, 1]]), ...replaces, ...none },
  deleteMany: { call: (map, key) => map.deleteMany([key]), ...deletes, ...none },

  deleteWhere: { call: (map) => map.deleteWhere(() => true), ...deletes, ...none },
  clear: {
    call: (map) => {
      map.clear()
    },
    ...deletes,
    expired: { deleted: 1 },
    ...none,
  },
  deleteWhereAsync: { call: (map) => map.deleteWhereAsync(() => true), ...deletes, ...none },
  clearAsync: { call: (map) => map.clearAsync(), ...deletes, expired: { deleted: 1 }, ...none },
  changes: { call: (map, key) => map.changes({ keys: [key] }).return(), ...none },
  watch: {
    call: (map, key) => {
      map.watch(key, () => 1).stop()
    },
    ...none,
  },
  keys: { call: (map) => [...map.keys()], ...none },
  values: { call: (map) => [...map.values()], ...none },
  entries: { call: (map) => [...map.entries()], ...none },
  forEach: {
    call: (map) => {
      map.forEach(() => 1)
    },
    ...none,
  },
  scan: { call: (map) => map.scan(), ...none },
  snapshot: { call: (map) => [...map.snapshot()], ...none },
  snapshotAsync: { call: async (map) => [...(await map.snapshotAsync())], ...none },
  toJSON: { call: (map) => map.toJSON(), ...none },
  namespace: {
    call: (map) => {
      map.namespace('a:').clear()
    },
    ...none,
  },
  stats: { call: (map) => map.stats(), ...none },
  health: { call: (map) => map.health(), ...none },
  healthAsync: { call: (map) => map.healthAsync(), ...none },
  verify: { call: (map) => map.verify(), ...none },
  verifyAsync: { call: (map) => map.verifyAsync(), ...none },
  repair: { call: (map) => map.repair(), ...none },
}

const cacheRows: Record<string, Row> = {
  ...rows,
  touch: { call: (map, key) => asCache(map).touch(key), present: { replaced: 1 }, notes: 1 },
  invalidateTags: {
    call: (map) => {
      asCache(map).invalidateTags(['tag'])
    },
    ...none,
  },
  getOrLoad: {
    call: (map, key) => asCache(map).getOrLoad(key, () => 1),
    reads: 'alone',
    absent: { loads: 1 },
    expired: { loads: 1, expired: 1 },
    notes: 1,
    isAnsweredNear: true,
  },
  getManyOrLoad: {
    call: (map, key) => asCache(map).getManyOrLoad([key], () => [[key, 1]]),
    reads: 'many',
    absent: { loads: 1 },
    expired: { loads: 1, expired: 1 },
    ...none,
  },
}

/** Methods that have a test of their own below, or of which nothing is left to count afterwards. */
const OTHERS = ['constructor', 'increment', 'incrementEntry', 'close']

test.each([
  ['ConcurrentMap', [ConcurrentMap.prototype], rows],
  ['ConcurrentCache', [ConcurrentMap.prototype, ConcurrentCache.prototype], cacheRows],
] as const)('every method of %s is here', (_, prototypes, table) => {
  const names = prototypes.flatMap((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
      typeof value === 'function' ? [name] : [],
    ),
  )
  expect(new Set(names)).toEqual(new Set([...Object.keys(table), ...OTHERS]))
})

const zero: Counters = {
  ...{ hits: 0, misses: 0, nearHits: 0, nearMisses: 0, nearRefreshed: 0, loads: 0, loadFailures: 0 },
  ...{
    staleOnError: 0,
    loadsRefused: 0,
    breakerOpened: 0,
    replaced: 0,
    deleted: 0,
    expired: 0,
    evicted: 0,
    admitted: 0,
    rejected: 0,
    lostUpdates: 0,
    lockWaits: 0,
    takeovers: 0,
  },
}

/** What `act` adds to the counters of a map. */
async function countedBy(map: AnyMap, act: () => unknown): Promise<Counters> {
  const before = map.stats().counters
  await act()
  const after = map.stats().counters
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Counters]]),
  ) as unknown as Counters
}

const BYTES = new Uint8Array([1, 2, 3])

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each(nearAndFarLineups)('$name', (lineup) => {
  const hasNear = lineup.attach.nearCache !== false
  const openCache = (): ConcurrentCache<Key, unknown> =>
    new ConcurrentCache<Key, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(1), ...lineup.attach })
  const open = (isCache: boolean): AnyMap => {
    const options = { maxBytes: 2 ** 20, engine: lineup.engineOf(1), ...lineup.attach }
    return isCache ? openCache() : new ConcurrentMap<Key, unknown>(options)
  }

  /** What one read counts. */
  function read(row: Row, isFound: boolean, key: Key, isKnown: boolean): Counted {
    const found = isFound ? { hits: 1 } : { misses: 1 }
    if (row.reads === undefined) return {}
    if (!hasNear || typeof key === 'object') return found
    if (isKnown) return { ...found, nearHits: 1 }
    return row.reads === 'many' ? found : { ...found, nearMisses: 1 }
  }

  const kinds = [
    ...Object.entries(rows).map(([name, row]) => ({ name, row, isCache: false })),
    ...Object.entries(cacheRows).map(([name, row]) => ({ name: `${name} of a cache`, row, isCache: true })),
  ]
  describe.each(kinds)('$name', ({ row, isCache }) => {
    const { call, notes, isAnsweredNear } = row

    async function check(map: AnyMap, key: Key, expected: Counted, isNear = false): Promise<void> {
      const note = vi.spyOn(HotKeys.prototype, 'note')
      expect(await countedBy(map, () => call(map, key))).toEqual({ ...zero, ...expected })
      expect(note.mock.calls.map(([noted]) => noted)).toEqual(
        isNear && isAnsweredNear ? [] : new Array(notes).fill(key),
      )
    }

    test.each<[string, Key]>([
      ['a string', 'key'],
      ['bytes', BYTES],
    ])('with an entry of %s', async (_, key) => {
      using map = open(isCache)
      map.set(key, 'value')
      await check(map, key, { ...read(row, true, key, false), ...row.present })
    })

    test.each<[string, Key]>([
      ['a string', 'key'],
      ['bytes', BYTES],
    ])('without an entry of %s', async (_, key) => {
      using map = open(isCache)
      await check(map, key, { ...read(row, false, key, false), ...row.absent })
    })

    test('with an entry that the near-cache knows', async () => {
      using map = open(isCache)
      map.set('key', 'value')
      for (let i = 0; i < 3; i++) map.get('key')
      await check(map, 'key', { ...read(row, true, 'key', true), ...row.present }, hasNear)
    })

    test('without an entry, as the near-cache knows', async () => {
      using map = open(isCache)
      for (let i = 0; i < 3; i++) map.get('key')
      // Whoever inserts or loads goes to the engine.
      const isAnswered = hasNear && /\.(get|getEntry|has)\(/.test(String(call))
      await check(map, 'key', { ...read(row, false, 'key', true), ...row.absent }, isAnswered)
    })

    test('with an entry that has expired', async ({ skip }) => {
      skip(!isCache, 'in a map nothing expires')
      using map = openCache()
      map.set('key', 'value', { ttl: 1_000_000 })
      new Clock(map.handle).advance(2_000_000)
      await check(map, 'key', { ...read(row, false, 'key', false), ...row.expired })
    })
  })

  describe.each(['increment', 'incrementEntry'] as const)('%s', (method) => {
    test.each([false, true])(
      '(of a cache: %s) replaces a number, and starts anew where it has expired',
      async (isCache) => {
        using map = open(isCache)
        const note = vi.spyOn(HotKeys.prototype, 'note')
        const ifPresent = { ifPresent: true }
        expect(await countedBy(map, () => map[method]('key', 1, ifPresent))).toEqual(zero)
        expect(await countedBy(map, () => map[method]('key'))).toEqual(zero)
        expect(await countedBy(map, () => map[method]('key'))).toEqual({ ...zero, replaced: 1 })
        expect(await countedBy(map, () => map[method]('key', 1, ifPresent))).toEqual({ ...zero, replaced: 1 })
        expect(note).toHaveBeenCalledTimes(4)
        if (!isCache) return
        using cache = openCache()
        expect(await countedBy(cache, () => cache[method]('key', 1, { renew: true }))).toEqual(zero)
        expect(await countedBy(cache, () => cache[method]('key', 1, { renew: true }))).toEqual({ ...zero, replaced: 1 })
        cache.set('old', 1, { ttl: 1_000_000 })
        new Clock(cache.handle).advance(2_000_000)
        expect(await countedBy(cache, () => cache[method]('old', 1, ifPresent))).toEqual(zero)
        expect(await countedBy(cache, () => cache[method]('old'))).toEqual({ ...zero, expired: 1 })
      },
    )
  })

  test('a stored undefined is a hit', async () => {
    using map = open(false)
    map.set('key', undefined)
    const reads: Call[] = [(_, key) => map.get(key), (_, key) => map.getEntry(key), (_, key) => map.getMany([key])]
    for (const each of reads) expect(await countedBy(map, () => each(map, 'key'))).toMatchObject({ hits: 1, misses: 0 })
    expect(map.getMany(['key', 'none'])).toEqual([undefined, undefined])
  })

  test('a load that fails is a miss, and one failure', async () => {
    using cache = openCache()
    const load = (): Promise<unknown> => cache.getOrLoad('key', () => Promise.reject(new Error('mine'))).catch(() => 1)
    expect(await countedBy(cache, load)).toMatchObject({ hits: 0, misses: 1, loads: 1, loadFailures: 1 })
  })

  test('many calls at once are as many reads, and one load', async () => {
    using cache = openCache()
    const load = (): Promise<unknown> => Promise.all(Array.from({ length: 10 }, () => cache.getOrLoad('key', () => 1)))
    expect(await countedBy(cache, load)).toMatchObject({ hits: 0, misses: 10, loads: 1 })
  })

  test('reads of many keys make no near-cache look bad', () => {
    using map = open(false)
    const keys = Array.from({ length: 1000 }, (_, i) => i)
    map.setMany(keys.map((key) => [key, 'value']))
    for (let i = 0; i < 5; i++) map.getMany(keys)
    expect(map.stats().counters).toMatchObject({ hits: 5000, nearHits: 0, nearMisses: 0 })
    expect(map.health().ok).toBe(true)
  })
})
