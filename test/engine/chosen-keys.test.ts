import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/format/key.js'
import { ConcurrentMap, MapsafeError } from '../../src/index.js'
import {
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  HOME_BUCKETS,
  SEGMENT_BYTES,
  SLOTS_PER_BUCKET,
  STASH_BUCKETS,
} from '../../src/format/layout.js'
import { collidingStrings, hasherOf, keysByHash, unkeyedHashes, type Secret } from '../support/chosen-keys.js'
import { Random } from '../support/random.js'
import { lineups, seed } from '../support/run.js'

const random = new Random(seed)
const word = (): number => random.below(2 ** 32) | 0
const homeOf = (hash: number): number => hash & (HOME_BUCKETS - 1)

/** Whether the map took the entry; anything but a refusal for want of room is thrown on. */
function tryToSet(map: ConcurrentMap<Key, unknown>, key: Key, value: unknown): boolean {
  try {
    map.set(key, value)
    return true
  } catch (error) {
    if (error instanceof MapsafeError && error.code === 'ERR_MAPSAFE_FULL') return false
    throw error
  }
}

describe(`an attacker who knows the secret (seed ${seed})`, () => {
  // A map of this size has a directory of at most 2^8 entries, so that no split that it does parts these keys.
  const PREFIX_BITS = 9
  const secret: Secret = [word(), word()]
  const prefixOf = (hash: number): number => hash >>> (32 - PREFIX_BITS)
  const target = word()
  const isAttacked = (hash: number): boolean => prefixOf(hash) === prefixOf(target) && homeOf(hash) === homeOf(target)
  const attack = keysByHash(secret, isAttacked, 1000)
  const ordinary = Array.from({ length: 2000 }, (_, i) => `user ${i}`)
  const hash = hasherOf(secret)

  test.each(lineups)('fills one bucket, its neighbour and the stash, and no more: $name', ({ engineOf }) => {
    const made = new ConcurrentMap({ engine: 'typescript', maxBytes: 4 * 2 ** 20 })
    const words = new Int32Array(made.handle.region!)
    words[HEADER_SECRET_0] = secret[0]
    words[HEADER_SECRET_1] = secret[1]
    // Only now, because engines read the secret when they open a region.
    const [map, other] = [0, 1].map((worker) =>
      ConcurrentMap.attach<Key, unknown>(made.handle, { engine: engineOf(worker), nearCache: false }),
    )
    made.close()

    const [before, after] = [ordinary.slice(0, 1000), ordinary.slice(1000)]
    for (const key of before) map.set(key, key)
    const { segments, bytesInUse } = map.stats()

    // Again and again: what a refused write leaves behind would add up.
    const taken = new Set<number>()
    for (let round = 0; round < 3; round++) {
      for (const key of attack) if (tryToSet(round === 1 ? other : map, key, key)) taken.add(key)
    }
    expect(taken.size).toBeGreaterThanOrEqual((1 + STASH_BUCKETS) * SLOTS_PER_BUCKET - 2)
    expect(taken.size).toBeLessThanOrEqual((2 + STASH_BUCKETS) * SLOTS_PER_BUCKET)
    for (const key of attack) expect(other.get(key)).toBe(taken.has(key) ? key : undefined)

    const stats = map.stats()
    expect(2 ** stats.directoryDepth).toBeLessThanOrEqual(16 * stats.segments + 64)
    // One split a bit of the prefix at most, and blocks in the caches of two threads.
    expect(stats.segments).toBeLessThanOrEqual(segments + PREFIX_BITS)
    expect(stats.bytesInUse).toBeLessThanOrEqual(bytesInUse + PREFIX_BITS * 2 * SEGMENT_BYTES + 2 ** 18)

    // Ordinary keys are read, overwritten and deleted; new ones go in, but for those that lead into the attacked bucket
    // itself.
    for (const key of before) {
      expect(map.get(key)).toBe(key)
      other.set(key, 'new')
      expect(map.get(key)).toBe('new')
    }
    const refused = after.filter((key) => !tryToSet(map, key, key))
    expect(refused.filter((key) => homeOf(hash(key)) !== homeOf(target))).toEqual([])
    expect(refused.length).toBeLessThanOrEqual(5)
    for (const key of before.slice(0, 500)) expect(other.delete(key)).toBe(true)
    expect(map.size).toBe(1500 - refused.length + taken.size)
    expect(map.verify()).toEqual({ ok: true, problems: [] })

    // Whoever gets rid of the keys has the room again.
    for (const key of taken) expect(map.delete(key)).toBe(true)
    for (const key of refused) map.set(key, key)
    const rest = attack.filter((key) => !taken.has(key)).slice(0, STASH_BUCKETS * SLOTS_PER_BUCKET)
    for (const key of rest) map.set(key, key)
    for (const key of rest) expect(other.get(key)).toBe(key)
    expect(map.verify()).toEqual({ ok: true, problems: [] })
    other.close()
    map.close()
  })
})

describe(`an attacker who does not know the secret (seed ${seed})`, () => {
  const COUNT = 2 ** 16
  const STAGES = 16
  const keys = <K>(make: (i: number) => K): K[] => Array.from({ length: COUNT }, (_, i) => make(i))
  const chosen: readonly (readonly [string, () => readonly Key[]])[] = [
    ['integers one after the other', () => keys((i) => i)],
    ['multiples of 2^32', () => keys((i) => i * 2 ** 32)],
    ['numbered names', () => keys((i) => `user:${i}`)],
    ['a long common prefix', () => keys((i) => 'x'.repeat(100) + i.toString(36))],
    ['a long common suffix', () => keys((i) => i.toString(36).padStart(4, '0') + 'x'.repeat(100))],
    ['strings of zeros', () => keys((i) => '\0'.repeat(i % 1024) + String.fromCharCode(i >> 10))],
    ...Object.entries(unkeyedHashes).map(
      ([name, unkeyed]) => [`one hash under ${name}`, () => collidingStrings(unkeyed, STAGES)] as const,
    ),
  ]

  /**
   * By how many standard deviations the numbers of keys in 4096 cells are more uneven than random ones would be:
   * Pearson's chi-squared, which for so many cells is as good as normal.
   */
  function unevenness(hashes: readonly number[], cellOf: (hash: number) => number): number {
    const counts = new Uint32Array(4096)
    for (const hash of hashes) counts[cellOf(hash)]++
    const expected = hashes.length / counts.length
    const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    return (chiSquared - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1))
  }

  const cells = {
    segment: (hash: number): number => hash >>> 20,
    'segment and bucket': (hash: number): number => ((hash >>> 26) << 6) | homeOf(hash),
    'bucket and tag': (hash: number): number => hash & 4095,
  }

  test.each(chosen)('cannot crowd segments, buckets or tags: %s', (_, make) => {
    const made = make()
    expect(new Set(made).size).toBe(COUNT)
    const hashes = made.map(hasherOf([word(), word()]))
    for (const [name, cellOf] of Object.entries(cells)) {
      const uneven = unevenness(hashes, cellOf)
      // One run in a hundred million is beyond; fewer collisions than random keys have is as good as it gets.
      expect({ name, uneven, isEven: uneven < 6 }).toMatchObject({ isEven: true })
    }
  })

  test.each(Object.entries(unkeyedHashes))('would crowd a map that used %s', (_, unkeyed) => {
    const hashes = collidingStrings(unkeyed, 12).map((key) => {
      const bytes = Buffer.from(key, 'latin1')
      let state = unkeyed.start
      for (let at = 0; at < bytes.length; at += 4) state = unkeyed.step(state, bytes.readInt32LE(at))
      return state
    })
    expect(unevenness(hashes, cells.segment)).toBeGreaterThan(1000)
  })

  test.each(lineups)('takes as many segments as random keys do: $name', ({ engineOf }) => {
    const segmentsWith = (made: readonly Key[]): number => {
      const map = new ConcurrentMap<Key, unknown>({ engine: engineOf(0), maxBytes: 64 * 2 ** 20, nearCache: false })
      for (const key of made) map.set(key, 0)
      expect(map.size).toBe(made.length)
      const { segments } = map.stats()
      map.close()
      return segments
    }
    const ordinary = segmentsWith(keys(() => `${word()} ${word()}`))
    for (const unkeyed of Object.values(unkeyedHashes)) {
      const segments = segmentsWith(collidingStrings(unkeyed, STAGES))
      expect(segments).toBeGreaterThan(ordinary * 0.7)
      expect(segments).toBeLessThan(ordinary * 1.4)
    }
  })
})
