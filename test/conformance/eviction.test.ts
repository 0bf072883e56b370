/* eslint mapsafe/prefer-set-if-absent: off -- reads and then sets, as programs do with a cache of their own */
import { afterEach, describe, expect, test } from 'vitest'
import { drawKeys } from '../../bench/harness/draws.js'
import { EvictionSimulation } from '../../bench/simulator/policies/mapsafe.js'
import { findPlace } from '../../src/public/handle.js'
import { ConcurrentCache, type ConcurrentCacheOptions, type EngineChoice } from '../../src/index.js'
import { HEADER_SECRET_0, HEADER_SECRET_1 } from '../../src/format/layout.js'
import { keysByHash } from '../support/chosen-keys.js'
import { keyHash } from '../support/key-hash.js'
import { Clock } from '../support/clock.js'
import { Random } from '../support/random.js'
import { nearAndFarLineups, seed } from '../support/run.js'

const MIB = 2 ** 20

/** Sound, and the area of the eviction too; never more entries than it may hold. */
function expectSound(cache: ConcurrentCache<number, unknown>, most = Infinity): void {
  expect(cache.verify().problems, `MAPSAFE_SEED=${seed}`).toEqual([])
  expect(cache.size).toBe([...cache.keys()].length)
  expect(cache.size).toBeLessThanOrEqual(most)
}

const keysOf = (cache: ConcurrentCache<number, unknown>): number[] => [...cache.keys()].sort((a, b) => a - b)

describe.each(nearAndFarLineups)('$name', (lineup) => {
  let caches: ConcurrentCache<number, unknown>[] = []
  let turn = 0

  /** The cache, through another engine each time if there are two. */
  function cache(): ConcurrentCache<number, unknown> {
    return caches[turn++ % caches.length]
  }

  function open(options: ConcurrentCacheOptions): void {
    const { attach } = lineup
    const first = new ConcurrentCache<number, unknown>({ ...options, ...attach, engine: lineup.engineOf(0) })
    const second = ConcurrentCache.attach<number, unknown>(first.handle, { ...attach, engine: lineup.engineOf(1) })
    caches = [first, second]
  }

  afterEach(() => {
    for (const one of caches) one.close()
    caches = []
  })

  describe('a bound on the number of entries', () => {
    test.each([1, 2, 20, 1000])('of %i is kept at every moment', (maxEntries) => {
      open({ maxEntries })
      const random = new Random(seed)
      let most = 0
      for (let i = 0; i < 5000; i++) {
        const key = random.below(3 * maxEntries)
        if (random.chance(0.1)) cache().delete(key)
        else if (cache().get(key) === undefined) cache().set(key, i)
        most = Math.max(most, cache().size)
      }
      expect(most).toBeLessThanOrEqual(maxEntries)
      expectSound(caches[0], maxEntries)
    })

    test('is spread over partitions without being exceeded', () => {
      const maxEntries = 20_001
      open({ maxEntries, maxBytes: 64 * MIB })
      for (let key = 0; key < 30_000; key++) cache().set(key, key)
      expectSound(caches[0], maxEntries)
      expect(caches[0].size).toBeGreaterThan(0.95 * maxEntries)
    })

    test('evicts nothing before it is reached, nor for a key that is there', () => {
      open({ maxEntries: 100 })
      for (let key = 0; key < 100; key++) cache().set(key, key)
      for (let i = 0; i < 1000; i++) cache().set(i % 100, `again ${i}`)
      for (let i = 0; i < 100; i++) cache().increment(1000 + (i % 1), 0)
      expect(cache().size).toBe(100)
      expect(keysOf(caches[0]).filter((key) => key < 100)).toHaveLength(99)
    })

    test('counts a deleted entry no more', () => {
      open({ maxEntries: 100 })
      for (let key = 0; key < 100; key++) cache().set(key, key)
      for (let key = 0; key < 50; key++) cache().delete(key)
      for (let key = 100; key < 150; key++) cache().set(key, key)
      expect(keysOf(caches[0])).toEqual(Array.from({ length: 100 }, (_, i) => i + 50))
    })

    test('begins anew after clear', () => {
      open({ maxEntries: 100 })
      for (let key = 0; key < 1000; key++) cache().set(key, key)
      cache().clear()
      expectSound(caches[0], 0)
      for (let key = 0; key < 100; key++) cache().set(key, key)
      expect(cache().size).toBe(100)
    })

    test('lets the inserts of every kind in', () => {
      open({ maxEntries: 10 })
      for (let key = 0; key < 100; key++) cache().set(key, key)
      cache().setIfAbsent(1000, 'a')
      cache().increment(1001)
      cache().getOrInsert(1002, 'b')
      cache().update(1003, () => 'c')
      cache().swap(1004, 'd')
      cache().setMany([
        [1005, 'e'],
        [1006, 'f'],
      ])
      expect(cache().get(1006)).toBe('f')
      expect(cache().size).toBe(10)
      expectSound(caches[0], 10)
    })
  })

  test('a failed write evicts and keeps nothing', () => {
    open({ maxEntries: 10 })
    for (let key = 0; key < 10; key++) cache().set(key, key)
    expect(cache().replace(99, 'x')).toBe(false)
    expect(cache().setIfVersion(99, 'x', 12345)).toBe(false)
    expect(cache().setIfAbsent(5, 'x')).toBe(false)
    expect(keysOf(caches[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expectSound(caches[0], 10)
  })

  test('what is used stays while a scan passes', () => {
    open({ maxEntries: 200 })
    const read = (key: number): void => {
      const one = cache()
      if (one.get(key) === undefined) one.set(key, key)
    }
    for (let i = 0; i < 2000; i++) read(i % 100)
    let hits = 0
    for (let i = 0; i < 20_000; i++) {
      if (i % 2 === 0) read(10_000 + i)
      else if (cache().has((i >> 1) % 100)) {
        hits++
        read((i >> 1) % 100)
      } else read((i >> 1) % 100)
    }
    expect(hits).toBeGreaterThan(0.97 * 10_000)
  })

  test('what is read from the near-cache stays, too', () => {
    open({ maxEntries: 100 })
    const [one, other] = caches
    // Buckets of their own, so that no write of another key sends a read to the engine.
    const words = new Int32Array(findPlace(one.handle).region)
    const homes = Array.from({ length: 20_000 }, (_, key) => {
      return keyHash(words[HEADER_SECRET_0], words[HEADER_SECRET_1], key) & 63
    })
    const keys = [...homes.keys()]
    const kept = keys.filter((key) => homes[key] < 30).slice(0, 10)
    const passing = keys.filter((key) => homes[key] > 32 && homes[key] < 62)
    for (const key of kept) one.set(key, key)
    const random = new Random(seed)
    let misses = 0
    for (let i = 0; i < 10_000; i++) {
      // A hundred at a time are worth keeping, too, and after a while others.
      const key = passing[100 * Math.floor(i / 1000) + random.below(100)]
      if (other.get(key) === undefined) other.set(key, key)
      for (const hot of kept) {
        if (one.get(hot) !== undefined) continue
        one.set(hot, hot)
        misses++
      }
    }
    expect(misses, `MAPSAFE_SEED=${seed}`).toBeLessThan(100)
  })

  test('an eviction is a deletion: the key is gone for everybody, and a write on condition of its version fails', () => {
    open({ maxEntries: 10 })
    const [one, other] = caches
    one.set(1, 'one')
    const { version } = one.getEntry(1)!
    other.get(1)
    for (let key = 100; one.has(1); key++) one.set(key, key)
    expect(other.get(1)).toBeUndefined()
    expect(other.setIfVersion(1, 'late', version)).toBe(false)
    one.set(1, 'again')
    expect(one.getEntry(1)!.version).toBeGreaterThan(version)
    expect(other.get(1)).toBe('again')
  })

  test('what has expired goes first', () => {
    open({ maxEntries: 100 })
    const clock = new Clock(caches[0].handle)
    for (let key = 0; key < 50; key++) cache().set(key, key, { ttl: 1000 })
    for (let key = 50; key < 100; key++) cache().set(key, key)
    clock.advance(100_000)
    for (let key = 100; key < 110; key++) cache().set(key, key)
    const live = keysOf(caches[0]).filter((key) => key >= 50 && cache().get(key) !== undefined)
    expect(live).toHaveLength(60)
  })

  describe('a bound on bytes', () => {
    test('evicts small entries instead of being full', () => {
      open({ maxBytes: MIB })
      const value = 'x'.repeat(100)
      for (let key = 0; key < 40_000; key++) {
        cache().set(key, `${value}${key}`)
        expect(cache().get(key)).toBe(`${value}${key}`)
      }
      expect(cache().size).toBeGreaterThan(3000)
      expectSound(caches[0])
    })

    test('gives memory to entries of another size', () => {
      open({ maxBytes: 8 * MIB })
      const random = new Random(seed)
      for (const [count, least, most] of [
        [15_000, 1, 40],
        [1500, 3000, 9000],
        [20_000, 10, 200],
        [300, 8000, 30_000],
        [2000, 100, 5000],
      ]) {
        for (let i = 0; i < count; i++) {
          const value = 'v'.repeat(least + random.below(most - least))
          const key = random.below(30_000)
          cache().set(key, value)
          // Called for each of them, expect takes as long as all the rest.
          if (cache().get(key) !== value) expect.fail(`entry ${key} is not what was written`)
        }
        expect(cache().size).toBeGreaterThan(0)
        expectSound(caches[0])
      }
    })

    test('refuses an entry that could never fit, and nothing else goes for it', () => {
      open({ maxBytes: MIB })
      for (let key = 0; key < 100; key++) cache().set(key, key)
      const refused = expect.objectContaining({ code: 'ERR_MAPSAFE_ENTRY_TOO_LARGE' }) as Error
      expect(() => cache().set(1, 'x'.repeat(2 * MIB))).toThrow(refused)
      expect(cache().size).toBe(100)
      expect(cache().get(1)).toBe(1)
    })

    test('gives its memory back when it is cleared', () => {
      open({ maxBytes: 2 * MIB })
      const fill = (): number => {
        for (let key = 0; key < 20_000; key++) cache().set(key, 'x'.repeat(100))
        const { size } = cache()
        cache().clear()
        expectSound(caches[0], 0)
        return size
      }
      const [first, second, third] = [fill(), fill(), fill()]
      expect(second).toBeGreaterThan(0.9 * first)
      expect(third).toBeGreaterThan(0.9 * first)
    })
  })

  test('hits about as often as the simulation says', () => {
    const capacity = 500
    open({ maxEntries: capacity })
    const accesses = drawKeys(20_000, 60_000, seed)
    const simulation = new EvictionSimulation(capacity)
    let hits = 0
    let simulated = 0
    for (const key of accesses) {
      if (cache().get(key) === undefined) cache().set(key, key)
      else hits++
      if (simulation.access(key)) simulated++
    }
    expect(Math.abs(hits - simulated) / accesses.length).toBeLessThan(0.01)
    expectSound(caches[0], capacity)
  })
})

/** A cache whose hashes are the same in every run, so that all decide on the same ones. */
function openAlike(
  engine: EngineChoice,
  bounds: { readonly maxEntries?: number; readonly maxBytes?: number },
  secret = 1,
  nearCache: ConcurrentCacheOptions['nearCache'] = false,
): ConcurrentCache<number, unknown> {
  const cache = new ConcurrentCache<number, unknown>({ engine, ...bounds, nearCache: false })
  const words = new Int32Array(findPlace(cache.handle).region)
  words[HEADER_SECRET_0] = secret
  words[HEADER_SECRET_1] = 2
  return ConcurrentCache.attach<number, unknown>(cache.handle, { engine, nearCache })
}

describe('both engines and the simulation evict alike', () => {
  test.each([1, 20, 300, 1500])('capacity %i', (capacity) => {
    const native = openAlike('native', { maxEntries: capacity })
    const typescript = openAlike('typescript', { maxEntries: capacity })
    const simulation = new EvictionSimulation(capacity, (key) => keyHash(1, 2, key))
    const random = new Random(seed)
    const everyone = [native, typescript]
    for (let i = 0; i < 20_000; i++) {
      const draw = random.next()
      const key =
        draw < 0.5
          ? Math.floor(capacity * 4 * random.next() ** 3)
          : draw < 0.8
            ? 100_000 + (i % Math.floor(1.2 * capacity + 1))
            : 200_000 + i
      if (random.chance(0.02)) {
        for (const cache of everyone) cache.delete(key)
        simulation.delete(key)
      } else {
        for (const cache of everyone) if (cache.get(key) === undefined) cache.set(key, i)
        simulation.access(key)
      }
      if (i % 1000 !== 999) continue
      expect(keysOf(typescript), `seed ${seed}, step ${i}`).toEqual(keysOf(native))
      expect(
        simulation.keys().sort((a, b) => a - b),
        `seed ${seed}, step ${i}`,
      ).toEqual(keysOf(native))
    }
    for (const cache of everyone) expectSound(cache, capacity)
  })

  test.each([20, 300])('asked for more keys than capacity %i back and forth', (capacity) => {
    const everyone = (['native', 'typescript'] as const).map((engine) => openAlike(engine, { maxEntries: capacity }))
    const simulation = new EvictionSimulation(capacity, (key) => keyHash(1, 2, key))
    const last = 10 * capacity - 1
    for (let i = 0; i < 10 * last; i++) {
      const key = last - Math.abs(last - (i % (2 * last)))
      for (const cache of everyone) if (cache.get(key) === undefined) cache.set(key, i)
      simulation.access(key)
      if (i % 1000 !== 999) continue
      const held = simulation.keys().sort((a, b) => a - b)
      for (const cache of everyone) expect(keysOf(cache), `step ${i}`).toEqual(held)
    }
  })

  test.each([
    { engine: 'native', nearCache: false },
    { engine: 'native', nearCache: { maxEntries: 64 } },
    { engine: 'typescript', nearCache: false },
    { engine: 'typescript', nearCache: { maxEntries: 64 } },
  ] as const)('to be met by a walk is no use of an entry ($engine, near-cache $nearCache)', ({ engine, nearCache }) => {
    /** What a cache holds at the end if now and then `visit` is called. */
    const heldAfter = (visit: (cache: ConcurrentCache<number, unknown>) => unknown): number[] => {
      using cache = openAlike(engine, { maxEntries: 300 }, 1, nearCache)
      const random = new Random(7)
      for (let i = 0; i < 5000; i++) {
        const key = Math.floor(2000 * random.next() ** 3)
        if (cache.get(key) === undefined) cache.set(key, i)
        if (i % 25 === 0) visit(cache)
      }
      return keysOf(cache)
    }
    const undisturbed = heldAfter(() => undefined)
    const walks: Readonly<Record<string, (cache: ConcurrentCache<number, unknown>) => unknown>> = {
      entries: (cache) => Array.from(cache),
      keys: (cache) => Array.from(cache.keys()),
      values: (cache) => Array.from(cache.values()),
      deleteWhere: (cache) => cache.deleteWhere(() => false),
      has: (cache) => keysOf(cache).forEach((key) => cache.has(key)),
      peek: (cache) => keysOf(cache).forEach((key) => cache.peek(key)),
      health: (cache) => cache.health(),
      forEach: (cache) => cache.forEach(() => undefined),
      scan: (cache) => cache.scan(0, { count: 1000 }),
      snapshot: (cache) => Array.from(cache.snapshot()),
    }
    for (const [name, walk] of Object.entries(walks)) expect(heldAfter(walk), name).toEqual(undisturbed)
    // While these are uses.
    const used: readonly ((cache: ConcurrentCache<number, unknown>) => void)[] = [
      (cache) => keysOf(cache).forEach((key) => cache.get(key)),
      (cache) => keysOf(cache).forEach((key) => cache.getEntry(key)),
    ]
    for (const use of used) expect(heldAfter(use)).not.toEqual(undisturbed)
  })
})

describe.each(['native', 'typescript'] as const)('a cache without room in its index (%s)', (engine) => {
  // No split parts them before the directory has grown as far as it may.
  const keys = keysByHash([1, 2], (hash) => hash >>> 23 === 5 && (hash & 63) === 7, 90)

  test('takes one key in place of another that has the same home', () => {
    using cache = openAlike(engine, { maxBytes: 4 * MIB })
    for (let key = -1000; key < 0; key++) cache.set(key, key)
    for (const key of keys) {
      cache.set(key, key)
      expect(cache.get(key)).toBe(key)
    }
    expect(cache.size).toBeGreaterThan(50)
    expectSound(cache)
  })
})

describe.each(['native', 'typescript'] as const)('a cache without free memory (%s)', (engine) => {
  // With these secrets a segment splits, and the directory doubles for it, just after the memory was used up.
  test.each([3, 9, 11, 13])('has room for the index to grow, secret %i', (secret) => {
    using cache = openAlike(engine, { maxBytes: 4 * MIB }, secret)
    for (let key = 0; key < 32_000; key++) {
      cache.set(key, 'x'.repeat(100))
      if (key % 3 === 0) cache.get(key)
    }
    expectSound(cache)
  })
})
