import { describe, expect, test } from 'vitest'
import { NearCache } from '../../src/store/near/near-cache.js'
import { BUCKET_EPOCH } from '../../src/format/layout.js'

type Outcome = Parameters<NearCache['store']> extends [unknown, unknown, ...infer Rest] ? Rest : never

const HOME = 16

/** A near-cache over some words that play the part of a region with one bucket of interest. */
function open(maxEntries = 64): { near: NearCache; words: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(4096))
  return {
    near: new NearCache(words, maxEntries, { hasPassed: (time: number) => time <= 0, distrust: () => undefined }),
    words,
  }
}

/** As who just looked the key up. */
function store(near: NearCache, key: string | number, ...outcome: Outcome): void {
  near.store(key, near.find(key), ...outcome)
}

describe('an entry vouches for its key', () => {
  test('while version and epoch of the home bucket stay the same', () => {
    const { near, words } = open()
    words[HOME] = 8
    store(near, 'k', HOME, 8, true, 'value', 1)
    expect(near.hit('k')?.value).toBe('value')
    words[HOME] = 9
    expect(near.hit('k')).toBeUndefined()
    words[HOME] = 8
    words[HOME + BUCKET_EPOCH] = 1
    expect(near.hit('k'), 'the version came round again').toBeUndefined()
  })

  test('never from an odd version, under which both the old and the new value may be met', () => {
    const { near, words } = open()
    words[HOME] = 9
    store(near, 'k', HOME, 9, true, 'value', 1)
    expect(near.hit('k')).toBeUndefined()
  })

  test('not if a write began between the lookup and the storing', () => {
    const { near, words } = open()
    words[HOME] = 10
    store(near, 'k', HOME, 8, true, 'value', 1)
    words[HOME] = 8
    expect(near.hit('k')).toBeUndefined()
  })

  test('after it was dropped, not even at the version it had, nor at any other', () => {
    const { near, words } = open()
    for (const dropped of [0, 8, -2, 2 ** 31 - 2, -(2 ** 31)]) {
      words[HOME] = dropped
      store(near, 'k', HOME, dropped, true, 'value', 1)
      expect(near.hit('k')?.value).toBe('value')
      near.drop(near.find('k')!)
      expect(near.find('k')?.value).toBeUndefined()
      // Those after 2^32 - 2 are the last write before the version wraps, under way, and the version wrapped.
      for (const version of [dropped, dropped + 1, dropped + 2, -1, 0, 1, 2, -2, 2 ** 31 - 1, -(2 ** 31)]) {
        words[HOME] = version
        expect(near.hit('k'), `dropped at ${dropped}, met at ${version}`).toBeUndefined()
      }
    }
  })
})

describe('the number of entries is bounded', () => {
  test.each([8, 9, 100, 8192])('by %i', (maxEntries) => {
    const { near } = open(maxEntries)
    for (let i = 0; i < maxEntries * 5; i++) {
      store(near, i, HOME, 0, true, i, 1)
      if (i % 3 === 0) near.hit(i)
      expect(near.size).toBeLessThanOrEqual(maxEntries)
    }
    expect(near.size).toBeGreaterThan(maxEntries / 10)
  })

  test('a scan does not displace what is in use', () => {
    const { near } = open(800)
    const hot = Array.from({ length: 500 }, (_, i) => `hot ${i}`)
    for (const [i, key] of hot.entries()) {
      for (const time of ['once', 'again']) store(near, key, HOME, 0, true, time, i)
      near.hit(key)
    }
    for (let i = 0; i < 20_000; i++) {
      for (const time of ['once', 'again']) store(near, `scan ${i}`, HOME, 0, true, time, hot.length + i)
      near.hit(hot[i % hot.length])
    }
    expect(hot.filter((key) => near.hit(key) !== undefined).length).toBe(hot.length)
  })

  test('what is read once is kept while there is room, then only what is read again', () => {
    const { near } = open(800)
    const stored = (from: number): number[] => {
      const keys = Array.from({ length: 1000 }, (_, i) => from + i)
      for (const key of keys) store(near, key, HOME, 0, true, key, key)
      return keys.filter((key) => near.hit(key) !== undefined)
    }
    expect(stored(1)).toHaveLength(100)
    expect(stored(10_001)).toEqual([])
    store(near, 20_000, HOME, 0, true, 'once', 7)
    store(near, 20_000, HOME, 0, true, 'as another entry', 8)
    expect(near.hit(20_000)).toBeUndefined()
    store(near, 20_000, HOME, 0, true, 'again', 8)
    expect(near.hit(20_000)?.value).toBe('again')
  })

  test('what is absent is kept at once in a map, but in a cache, where it is mostly inserted next, if it is read again', () => {
    const words = new Int32Array(1024)
    const cacheNear = new NearCache(
      words,
      64,
      { hasPassed: (time: number) => time <= 0, distrust: () => undefined },
      [500],
    )
    const lookUp = (near: NearCache): boolean | undefined => {
      store(near, 'absent', HOME, words[HOME], false, undefined, 0)
      return near.hit('absent')?.present
    }
    expect(lookUp(open().near)).toBe(false)
    expect(lookUp(cacheNear)).toBeUndefined()
    words[HOME] += 2
    expect(lookUp(cacheNear)).toBeUndefined()
    expect(lookUp(cacheNear)).toBe(false)
  })

  test('what is no longer used makes room for what is', () => {
    const { near } = open(64)
    for (const generation of ['old', 'new']) {
      for (let round = 0; round < 10; round++) {
        for (let i = 0; i < 50; i++) {
          const key = `${generation} ${i}`
          if (near.hit(key) === undefined) store(near, key, HOME, 0, true, i, 1)
          near.hit(key)
        }
      }
    }
    const held = Array.from({ length: 50 }, (_, i) => near.hit(`new ${i}`)).filter((entry) => entry !== undefined)
    expect(held.length).toBeGreaterThan(40)
  })
})
