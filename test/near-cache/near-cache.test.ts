import { describe, expect, test } from 'vitest'
import { NearCache } from '../../src/near-cache.js'
import { BUCKET_EPOCH } from '../../src/region/layout.js'

const HOME = 16

/** A near-cache over some words that play the part of a region with one bucket of interest. */
function open(maxEntries = 64): { near: NearCache; words: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(4096))
  return { near: new NearCache(words, maxEntries, { now: () => 0 }), words }
}

describe('an entry vouches for its key', () => {
  test('while version and epoch of the home bucket stay the same', () => {
    const { near, words } = open()
    words[HOME] = 8
    near.store('k', HOME, 8, true, 'value', 1)
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
    near.store('k', HOME, 9, true, 'value', 1)
    expect(near.hit('k')).toBeUndefined()
  })

  test('not if a write began between the lookup and the storing', () => {
    const { near, words } = open()
    words[HOME] = 10
    near.store('k', HOME, 8, true, 'value', 1)
    words[HOME] = 8
    expect(near.hit('k')).toBeUndefined()
  })

  test('after it was dropped, not even at the version it had', () => {
    const { near } = open()
    near.store('k', HOME, 0, true, 'value', 1)
    near.drop(near.find('k')!)
    expect(near.hit('k')).toBeUndefined()
    expect(near.find('k')?.value).toBeUndefined()
  })
})

describe('the number of entries is bounded', () => {
  test.each([8, 9, 100, 8192])('by %i', (maxEntries) => {
    const { near } = open(maxEntries)
    for (let i = 0; i < maxEntries * 5; i++) {
      near.store(i, HOME, 0, true, i, 1)
      if (i % 3 === 0) near.hit(i)
      expect(near.size).toBeLessThanOrEqual(maxEntries)
    }
    expect(near.size).toBeGreaterThan(maxEntries / 10)
  })

  test('a scan does not displace what is in use', () => {
    const { near } = open(800)
    const hot = Array.from({ length: 500 }, (_, i) => `hot ${i}`)
    for (const key of hot) {
      near.store(key, HOME, 0, true, key, 1)
      near.hit(key)
    }
    for (let i = 0; i < 20_000; i++) {
      near.store(`scan ${i}`, HOME, 0, true, i, 1)
      near.hit(hot[i % hot.length])
    }
    expect(hot.filter((key) => near.hit(key) !== undefined).length).toBe(hot.length)
  })

  test('what is no longer used makes room for what is', () => {
    const { near } = open(64)
    for (const generation of ['old', 'new']) {
      for (let round = 0; round < 10; round++) {
        for (let i = 0; i < 50; i++) {
          const key = `${generation} ${i}`
          if (near.hit(key) === undefined) near.store(key, HOME, 0, true, i, 1)
          near.hit(key)
        }
      }
    }
    const held = Array.from({ length: 50 }, (_, i) => near.hit(`new ${i}`)).filter((entry) => entry !== undefined)
    expect(held.length).toBeGreaterThan(40)
  })
})
