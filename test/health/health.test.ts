import { describe, expect, test, vi } from 'vitest'
import { findPlace } from '../../src/public/handle.js'
import { ConcurrentCache, ConcurrentMap, type MapHandle, type Verdict, type VerdictName } from '../../src/index.js'
import {
  BLOCK_WORDS,
  BUCKET_SLOTS,
  DIRECTORY_ENTRIES,
  ENTRY_VERSION,
  HEADER_DIRECTORY,
  HEADER_HEAP_TOP,
  PAGE_ENTRY_WORDS,
  PAGE_FREE_COUNT,
  PAGE_FREE_HEAD,
  PAGE_KIND,
  PAGE_SPAN,
  SEGMENT_BUCKETS,
  SLOTS_PER_BUCKET,
} from '../../src/format/layout.js'
import type * as systemClock from '../../src/platform/system-clock.js'
import { monotonic } from '../../src/platform/system-clock.js'
import { PAGE_TABLE_BLOCK } from '../../src/format/geometry.js'
import { Clock } from '../support/clock.js'
import { FairClock } from '../support/fair-clock.js'
import { neighbouringKeys } from '../support/neighbouring-keys.js'
import { Random } from '../support/random.js'
import { lineups, seed } from '../support/run.js'

vi.mock('../../src/platform/system-clock.js', async (importOriginal) => {
  const original = await importOriginal<typeof systemClock>()
  return { ...original, monotonic: vi.fn(original.monotonic) }
})

type Judged = Pick<ConcurrentMap<never, unknown>, 'health'>

function verdictOf(map: Judged, name: VerdictName): Verdict {
  return map.health().verdicts.find((verdict) => verdict.name === name)!
}

function failing(map: Judged): VerdictName[] {
  const { ok, verdicts } = map.health()
  const names = verdicts.filter((verdict) => !verdict.ok).map(({ name }) => name)
  expect(ok).toBe(names.length === 0)
  for (const { ok, advice } of verdicts) expect(advice === undefined).toBe(ok)
  return names
}

const wordsOf = ({ handle }: { readonly handle: MapHandle }): Int32Array => new Int32Array(findPlace(handle).region)

describe.each(lineups)('$name', (lineup) => {
  const engine = lineup.engineOf(1)
  const open = (): ConcurrentMap<number, unknown> => new ConcurrentMap({ engine })

  test('a map that is used as it should be is well, empty and full', () => {
    using map = open()
    expect(failing(map)).toEqual([])
    for (let i = 0; i < 20_000; i++) map.set(i, 'x'.repeat(i % 300))
    for (let i = 0; i < 20_000; i += 5) map.set(i, i)
    for (let i = 0; i < 2000; i++) map.get(i % 20)
    expect(failing(map)).toEqual([])
    expect(verdictOf(map, 'liveRatio')).toMatchObject({ value: 1, figures: { live: 20_000, tombstones: 0 } })
    expect(JSON.parse(JSON.stringify(map.health().ok))).toBe(true)
  })

  test('a cache of small entries is well, although eviction takes as much memory as they do', () => {
    using cache = new ConcurrentCache<number, number>({ engine })
    for (let i = 0; i < 20_000; i++) cache.set(i, i)
    expect(failing(cache)).toEqual([])
    expect(verdictOf(cache, 'memoryAmplification').figures.bytesEviction).toBeGreaterThan(20_000 * 32)
  })

  test('what the allocator counts is what the walk finds', () => {
    const random = new Random(seed)
    using cache = new ConcurrentCache<number, unknown>({ engine, maxEntries: 4000 })
    for (let i = 0; i < 20_000; i++) {
      const key = random.below(5000)
      if (random.chance(0.3)) cache.delete(key)
      else cache.set(key, 'x'.repeat(random.chance(0.01) ? 50_000 : random.below(1000)))
    }
    const { value, figures } = verdictOf(cache, 'lostMemory')
    expect(value, `MAPSAFE_SEED=${seed}`).toBe(0)
    expect(figures.bytesFree * figures.bytesCached).toBeGreaterThan(0)
    expect(figures.bytesReached + figures.bytesFree + figures.bytesCached).toBe(figures.bytesAllocated)
  })

  test('deleted entries that nobody cleans up show in the live ratio', () => {
    using map = open()
    for (let i = 0; i < 20_000; i++) map.set(i, i)
    // Each segment is cleaned up whenever 30 % of it were deleted; what was deleted since stays.
    for (let i = 0; i < 19_500; i++) map.delete(i)
    const verdict = verdictOf(map, 'liveRatio')
    expect(verdict.figures.live).toBe(500)
    expect(verdict.figures.tombstones).toBe(map.stats().tombstones)
    expect(verdict.value).toBe(500 / (500 + verdict.figures.tombstones))
    expect(verdict.value).toBeLessThan(0.7)
    expect(verdict).toMatchObject({ ok: false, threshold: 0.7 })
    expect(verdict.advice).toContain('Deleted entries')
    map.clear()
    expect(verdictOf(map, 'liveRatio')).toMatchObject({ ok: true, value: 1 })
  })

  test('expired entries that nobody deletes show in the live ratio', () => {
    using cache = new ConcurrentCache<number, number>({ engine })
    const clock = new Clock(cache.handle)
    for (let i = 0; i < 1000; i++) cache.set(i, i, { ttl: i % 2 === 0 ? Infinity : 1_000_000 })
    expect(verdictOf(cache, 'liveRatio').figures).toEqual({ live: 1000, tombstones: 0, expired: 0 })
    clock.advance(2_000_000)
    const verdict = verdictOf(cache, 'liveRatio')
    expect(verdict).toMatchObject({ ok: false, value: 0.5, figures: { live: 500, expired: 500 } })
    expect(verdict.advice).toContain('expire faster')
  })

  test('near-caches that are out of date at every read do not pay', () => {
    using map = open()
    const useNear = (written: (i: number) => boolean): void => {
      for (let i = 0; i < 3000; i++) {
        if (written(i)) map.set(i % 10, i)
        map.get(i % 10)
      }
    }
    useNear(() => true)
    const stale = verdictOf(map, 'nearStaleness')
    expect(stale).toMatchObject({ ok: false, value: 1, threshold: 0.3, figures: { reads: 3000, misses: 3000 } })
    expect(stale.advice).toContain('nearCache')
    const { misses, milliseconds, missesPerMillisecond } = stale.figures
    expect(missesPerMillisecond).toBe(misses / milliseconds)

    useNear((i) => i % 20 === 0)
    expect(verdictOf(map, 'nearStaleness')).toMatchObject({ ok: true, figures: { reads: 3000 } })
    expect(verdictOf(map, 'nearStaleness'), 'nothing was read since').toMatchObject({ ok: true, figures: { reads: 0 } })
  })

  test('near entries that their neighbours drive out are told apart', () => {
    using map = new ConcurrentMap<string, number>({ engine })
    // The last has no room in its home bucket, and the near-cache looks for it only there.
    const [keys] = neighbouringKeys(map.handle, [SLOTS_PER_BUCKET + 1])
    for (const key of keys) map.set(key, 1)
    const [written, read] = [keys[0], keys.at(-1)!]
    for (let i = 0; i < 1500; i++) {
      map.set(written, i)
      map.get(read)
    }
    const { ok, advice, figures } = verdictOf(map, 'nearStaleness')
    expect(ok).toBe(false)
    expect(figures).toMatchObject({ reads: 1500, misses: 1500, refreshed: 1499 })
    expect(advice).toContain('other keys of their buckets')
  })

  test('a map that was far larger once holds memory and an index that nobody needs', () => {
    using map = open()
    for (let i = 0; i < 60_000; i++) map.set(i, 'x'.repeat(100))
    const full = verdictOf(map, 'memoryAmplification')
    expect(full.value).toBeGreaterThan(1)
    expect(full.ok).toBe(true)
    // What stays is spread over all spans, so that hardly one comes free.
    for (let i = 0; i < 60_000; i++) if (i % 100 !== 0) map.delete(i)
    expect(failing(map)).toEqual(expect.arrayContaining(['memoryAmplification', 'indexAmplification']))
    const memory = verdictOf(map, 'memoryAmplification')
    expect(memory.figures.bytesHeld).toBe(map.stats().pagesInUse * 4096)
    // 24 bytes of header, 8 of key, 100 of value.
    expect(memory.figures.bytesLive).toBe(600 * 132)
    expect(memory.value).toBe(memory.figures.bytesHeld / (600 * 132))
    expect(memory.advice).toContain('larger once')
    const index = verdictOf(map, 'indexAmplification')
    expect(index.figures.bytesIndex).toBeGreaterThanOrEqual(map.stats().segments * 4608)
    expect(index.value).toBe(index.figures.bytesIndex / 600)
  })

  describe('a leak shows', () => {
    test('of an entry whose slot was emptied', () => {
      using map = open()
      map.set(1, 'x'.repeat(1000))
      const words = wordsOf(map)
      const slot = findSlot(words)
      words[slot] = 0
      const verdict = verdictOf(map, 'lostMemory')
      // 1032 bytes, in a block of the next size class.
      expect(verdict).toMatchObject({ ok: false, value: 1152, figures: { blocksLost: 1 } })
      expect(verdict.advice).toContain('repair()')
      expect(map.repair()).toMatchObject({ blocksFreed: 1 })
      expect(verdictOf(map, 'lostMemory')).toMatchObject({ ok: true, value: 0 })
    })

    test('while others have the map open as soon as it cannot be a write under way', () => {
      using map = open()
      const other = ConcurrentMap.attach<number, unknown>(map.handle)
      const now = vi.mocked(monotonic).mockReturnValue(1000)
      try {
        map.set(1, 'one').set(2, 'two')
        const words = wordsOf(map)
        const slot = findSlot(words)
        const reference = words[slot]
        words[slot] = 0
        expect(verdictOf(map, 'lostMemory').ok).toBe(true)
        now.mockReturnValue(2900)
        expect(verdictOf(map, 'lostMemory').ok).toBe(true)
        // As if it had been written, and then been taken for something else.
        words[reference * BLOCK_WORDS + ENTRY_VERSION]++
        now.mockReturnValue(3100)
        expect(verdictOf(map, 'lostMemory').ok).toBe(true)
        now.mockReturnValue(5000)
        expect(verdictOf(map, 'lostMemory').ok).toBe(true)
        now.mockReturnValue(5200)
        expect(verdictOf(map, 'lostMemory')).toMatchObject({ ok: false, figures: { blocksLost: 1 } })
        words[slot] = reference
        expect(verdictOf(map, 'lostMemory').ok).toBe(true)
        words[reference * BLOCK_WORDS + ENTRY_VERSION]--
      } finally {
        now.mockReset()
        other.close()
      }
    })

    test('of a run of pages', () => {
      using map = open()
      map.set(1, 'x'.repeat(100_000))
      const words = wordsOf(map)
      words[findSlot(words)] = 0
      expect(verdictOf(map, 'lostMemory')).toMatchObject({ ok: false, value: 25 * 4096, figures: { blocksLost: 1 } })
    })

    test('of a list of free blocks that was cut', () => {
      using map = open()
      for (let i = 0; i < 2000; i++) map.set(i, 'x'.repeat(100))
      for (let i = 0; i < 2000; i++) if (i % 3 !== 0) map.delete(i)
      map.clear()
      map.set(1, 1)
      const words = wordsOf(map)
      const { head, count } = longestFreeList(words)
      expect(count).toBeGreaterThan(1)
      expect(verdictOf(map, 'lostMemory').ok).toBe(true)
      words[head * BLOCK_WORDS] = 0
      expect(verdictOf(map, 'lostMemory')).toMatchObject({ ok: false, figures: { blocksLost: count - 1 } })
    })
  })
})

test('of a damaged region it tells something, soon', () => {
  const random = new Random(seed)
  for (let round = 0; round < 30; round++) {
    const map = new ConcurrentMap<number, unknown>({ engine: 'typescript', maxBytes: 2 ** 20 })
    for (let i = 0; i < 1500; i++) map.set(i, 'x'.repeat(i % 200))
    for (let i = 0; i < 1500; i += 3) map.delete(i)
    const words = wordsOf(map)
    for (let i = 0; i < 50; i++) {
      const word = random.chance(0.5) ? random.below(256) : random.below(words.length)
      words[word] = random.pick([0, -1, 1, 2 ** 31 - 1, random.below(2 ** 16), words[random.below(words.length)]])
    }
    const clock = new FairClock()
    expect(map.health().verdicts.length, `MAPSAFE_SEED=${seed}`).toBe(7)
    expect(clock.now()).toBeLessThan(10_000)
  }
})

/** Word index of the first slot in use of the first segment. */
function findSlot(words: Int32Array): number {
  const segment = words[words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES]
  for (let slot = segment * BLOCK_WORDS + SEGMENT_BUCKETS; ; slot++) {
    const isSlot = (slot - segment * BLOCK_WORDS - SEGMENT_BUCKETS) % 16 >= BUCKET_SLOTS
    if (isSlot && words[slot] !== 0) return slot
  }
}

/** Of the lists of free blocks that spans have. */
function longestFreeList(words: Int32Array): { head: number; count: number } {
  let longest = { head: 0, count: 0 }
  for (let page = 0; page < words[HEADER_HEAP_TOP]; page++) {
    const entry = PAGE_TABLE_BLOCK * BLOCK_WORDS + page * PAGE_ENTRY_WORDS
    const isSpan = (words[entry + PAGE_KIND] & 0xff) === PAGE_SPAN
    const count = isSpan ? words[entry + PAGE_FREE_COUNT] : 0
    if (count > longest.count) longest = { head: words[entry + PAGE_FREE_HEAD], count }
  }
  return longest
}
