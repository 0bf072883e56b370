import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Verdict } from '../../src/index.js'
import { maxCacheEntryBytes } from '../../src/format/geometry.js'
import { Random } from '../support/random.js'
import { lineups, seed } from '../support/run.js'

type AnyMap = ConcurrentMap<number, string>

const MiB = 2 ** 20
/** Header of an entry, and a number as its key. */
const HEAD = 24 + 8

const fragmentationOf = (map: AnyMap): Verdict => map.health().verdicts.find(({ name }) => name === 'fragmentation')!

/** Whether an entry of so many bytes is taken; it is deleted again. */
function fits(map: AnyMap, bytes: number): boolean {
  try {
    map.set(-1, 'x'.repeat(bytes - HEAD))
    map.delete(-1)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
    return false
  }
}

describe.each(lineups)(`fragmentation ($name, MAPSAFE_SEED=${seed})`, (lineup) => {
  const open = (maxBytes: number): AnyMap => new ConcurrentMap<number, string>({ engine: lineup.engineOf(0), maxBytes })

  test('a map that only grew has most of its unused memory in one piece', () => {
    using map = open(16 * MiB)
    for (let i = 0; ; i++) {
      if (i % 1000 === 0) {
        const { ok, value, figures } = fragmentationOf(map)
        expect(ok).toBe(true)
        expect(value).toBe(figures.largestEntry)
        if (figures.bytesUnused < 4 * MiB) break
        expect(value).toBeGreaterThan(figures.bytesUnused / 2)
      }
      map.set(i, 'x'.repeat(i % 500))
    }
  })

  test('an entry as large as it says is taken, and one a page larger is not', () => {
    using map = open(4 * MiB)
    for (let i = 0; i < 3000; i++) map.set(i, 'x'.repeat(500))
    const { value } = fragmentationOf(map)
    expect(value % 4096).toBe(0)
    expect(fits(map, value + 1)).toBe(false)
    expect(fits(map, value)).toBe(true)
  })

  test('an entry as large as it says is taken after any history', () => {
    const random = new Random(seed)
    for (let round = 0; round < 6; round++) {
      using map = open(4 * MiB)
      for (let i = 0; i < 6000; i++) {
        const key = random.below(3000)
        try {
          if (random.chance(0.6)) map.set(key, 'x'.repeat(random.below(random.pick([100, 1000, 10_000]))))
          else map.delete(key)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
        }
        if (i % 1000 !== 999) continue
        const { value, figures } = fragmentationOf(map)
        expect(value).toBeLessThanOrEqual(figures.largestIfCompacted)
        expect(figures.largestIfCompacted).toBeLessThanOrEqual(4 * MiB)
        if (value > HEAD) expect(fits(map, value), `round ${round}, step ${i}, ${value} bytes`).toBe(true)
      }
    }
  })

  test('survivors that hold every span are no fault, since they are moved', () => {
    using map = open(16 * MiB)
    for (let i = 0; i < 90_000; i++) map.set(i, 'x'.repeat(100))
    expect(fragmentationOf(map).ok).toBe(true)
    for (let i = 0; i < 90_000; i++) if (i % 100 !== 0) map.delete(i)
    let verdict = fragmentationOf(map)
    for (let i = 0; verdict.value >= verdict.threshold; i++) {
      map.set(100_000 + i, 'x'.repeat(100_000))
      verdict = fragmentationOf(map)
    }
    expect(verdict.figures.bytesUnused).toBeGreaterThan(4 * MiB)
    expect(verdict).toMatchObject({ ok: true, value: verdict.figures.largestEntry, advice: undefined })
    expect(verdict.figures.largestIfCompacted).toBeGreaterThan(verdict.threshold)
    expect(fits(map, MiB)).toBe(true)
  })

  test('a full map is full, and not in pieces', () => {
    using map = open(2 * MiB)
    for (let i = 0; fits(map, 2000); i++) map.set(i, 'x'.repeat(1000))
    expect(fragmentationOf(map).ok).toBe(true)
  })

  test('a cache makes room for what its reserve holds', () => {
    using cache = new ConcurrentCache<number, string>({ engine: lineup.engineOf(0), maxBytes: 8 * MiB })
    for (let i = 0; i < 60_000; i++) cache.set(i, 'x'.repeat(100))
    const { ok, value } = fragmentationOf(cache)
    expect({ ok, value }).toEqual({ ok: true, value: maxCacheEntryBytes(8 * MiB) })
    cache.set(-1, 'x'.repeat(value - HEAD - 8))
    expect(cache.get(-1)?.length).toBe(value - HEAD - 8)
  })
})
