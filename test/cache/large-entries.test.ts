import { afterAll, describe, expect, test } from 'vitest'
import { findPlace } from '../../src/public/handle.js'
import { ConcurrentCache } from '../../src/index.js'
import { maxCacheEntryBytes, reservePages } from '../../src/format/geometry.js'
import { HEADER_HEAP_TOP, HEADER_PAGE_COUNT } from '../../src/format/layout.js'
import { Crew } from '../support/crew.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { bytesOf, LARGE, mostBytes, setLarge, setSmall } from './large-entries.tasks.js'
import type * as tasks from './large-entries.tasks.js'

const MIB = 2 ** 20

const crew = new Crew<typeof tasks>(new URL('large-entries.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(lineups)('entries up to the bound of a cache ($name)', (lineup) => {
  const engine = lineup.engineOf(1)

  test.each([MIB, 3 * MIB, 16 * MIB])('always find room in %i bytes that are full of small ones', (maxBytes) => {
    using cache = new ConcurrentCache<number, unknown>({ maxBytes, engine, nearCache: false })
    const random = new Random(seed)
    setSmall(cache, random, 2 * maxBytes)
    const faults = Array.from({ length: scaled(40) }, () => {
      const met = setLarge(cache, random, maxBytes)
      setSmall(cache, random, maxBytes / 32)
      return met
    })
    expect(faults.flat(), `MAPSAFE_SEED=${seed}`).toEqual([])
    expectSound(cache)
  })

  test('meet nothing in their way that cannot be evicted, though it was made when nothing else was free', () => {
    using cache = new ConcurrentCache<number, unknown>({ maxBytes: 8 * MIB, engine, nearCache: false })
    const words = new Int32Array(findPlace(cache.handle).region)
    const reserve = words[HEADER_PAGE_COUNT] - reservePages(words[HEADER_PAGE_COUNT])
    // Spans as long as one of segments; after them there is nothing free but the reserve.
    for (let key = 0; words[HEADER_HEAP_TOP] <= reserve; key++) cache.set(key, bytesOf(4000))
    for (let key = LARGE; key < LARGE + 10_000; key++) cache.set(key, key)
    expectSound(cache)
    cache.set(0, bytesOf(mostBytes(8 * MIB)))
    expect(cache.has(0)).toBe(true)
    expectSound(cache)
  })

  test.each([MIB, 16 * MIB])('are told from larger ones, for which nothing is evicted, in %i bytes', (maxBytes) => {
    using cache = new ConcurrentCache<number, unknown>({ maxBytes, engine })
    setSmall(cache, new Random(seed), 2 * maxBytes)
    const versions = (): Map<number, number> =>
      new Map([...cache.keys()].map((key) => [key, cache.getEntry(key)!.version]))
    const before = versions()
    const refused = expect.objectContaining({
      code: 'ERR_MAPSAFE_ENTRY_TOO_LARGE',
      message: expect.stringContaining(`${maxCacheEntryBytes(maxBytes)} bytes`) as string,
    }) as Error
    const [known] = before.keys()
    for (const key of [-1, known]) {
      const tooLarge = bytesOf(mostBytes(maxBytes) + 1)
      expect(() => cache.set(key, tooLarge)).toThrow(refused)
      expect(() => cache.update(key, () => tooLarge)).toThrow(refused)
      expect(() => cache.setMany([[key, tooLarge]])).toThrow(refused)
    }
    expect(versions()).toEqual(before)
    cache.set(-1, bytesOf(mostBytes(maxBytes)))
    expect(cache.get(-1)).toHaveLength(mostBytes(maxBytes))
    expectSound(cache)
  })

  test.each([
    ['keep their free blocks', false],
    ['write as well', true],
  ])('find room while other threads %s', async (_, areOthersBusy) => {
    const maxBytes = 8 * MIB
    using cache = new ConcurrentCache<number, unknown>({ maxBytes, engine: lineup.engineOf(0) })
    const { handle } = cache
    const faults = await crew.run({ lineup, handle }, 'fillAndSetLarge', maxBytes, scaled(30), areOthersBusy)
    expect(faults.flat(), `MAPSAFE_SEED=${seed}`).toEqual([])
    expectSound(cache)
  })
})
