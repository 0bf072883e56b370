import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/format/key.js'
import { HotKeys } from '../../src/store/near/hot-keys.js'
import { ConcurrentMap, type EngineChoice } from '../../src/index.js'
import { Random } from '../support/random.js'
import { lineups, seed } from '../support/run.js'

/** Draws 0 to `count` - 1, n with a probability proportional to 1 / (n + 1). */
function zipf(random: Random, count: number): () => number {
  const sums: number[] = []
  for (let n = 0; n < count; n++) sums.push((sums[n - 1] ?? 0) + 1 / (n + 1))
  return () => {
    const draw = random.next() * sums[count - 1]
    let low = 0
    for (let high = count - 1; low < high;) {
      const middle = (low + high) >> 1
      if (sums[middle] > draw) high = middle
      else low = middle + 1
    }
    return low
  }
}

describe(`the sketch of hot keys (MAPSAFE_SEED=${seed})`, () => {
  test('counts exactly while there are counters for all keys', () => {
    const hot = new HotKeys()
    for (let key = 0; key < 64; key++) for (let i = 0; i <= key; i++) hot.count(key)
    expect(hot.top(3)).toEqual([63, 62, 61].map((key) => ({ key, share: (key + 1) / 2080 })))
    expect(hot.top(100)).toHaveLength(64)
  })

  test('finds the top keys of a Zipf stream over 10,000 keys, and never claims too much', () => {
    const hot = new HotKeys()
    const draw = zipf(new Random(seed), 10_000)
    const counts = new Map<Key, number>()
    const samples = 60_000 // fewer than make it forget
    for (let i = 0; i < samples; i++) {
      const key = draw()
      counts.set(key, (counts.get(key) ?? 0) + 1)
      hot.count(key)
    }
    const top = hot.top(10)
    expect(top.slice(0, 5).map(({ key }) => key)).toEqual([0, 1, 2, 3, 4])
    for (const { key, share } of hot.top(64)) expect(share * samples).toBeLessThanOrEqual(counts.get(key)! + 1e-6)
    expect(top[0].share).toBeGreaterThan((counts.get(0)! / samples) * 0.9)
  })

  test('every key with more than 1/64 of the stream has a counter, wherever in the stream it comes', () => {
    const hot = new HotKeys()
    for (let i = 0; i < 10_000; i++) hot.count(`passing ${i}`)
    for (let i = 0; i < 200; i++) hot.count('late')
    for (let i = 0; i < 1000; i++) hot.count(`passing again ${i}`)
    expect(hot.top(64).map(({ key }) => key)).toContain('late')
  })

  test('a key that became hot later overtakes one that was hot long ago', () => {
    const hot = new HotKeys()
    for (let i = 0; i < 100_000; i++) hot.count('old')
    for (let i = 0; i < 100_000; i++) hot.count('new')
    expect(hot.top(2).map(({ key }) => key)).toEqual(['new', 'old'])
  })

  test('samples one operation in 64 on average, and none of a loop in particular', () => {
    const random = new Random(seed)
    const hot = new HotKeys(() => random.next())
    for (let i = 0; i < 1_024_000; i++) hot.note(i % 64)
    const shares = hot.top(64).map(({ share }) => share)
    expect(shares).toHaveLength(64)
    // 1/64 each, give or take five standard deviations of 16,000 samples.
    expect(shares[0]).toBeLessThan(0.021)
    expect(shares[63]).toBeGreaterThan(0.01)
  })

  test('leaves out Uint8Array keys', () => {
    const hot = new HotKeys()
    for (let i = 0; i < 1000; i++) hot.note(new Uint8Array([1]))
    expect(hot.top(10)).toEqual([])
  })
})

describe.each(lineups)('stats of a map under a skewed load ($name)', ({ engineOf }) => {
  const engine: EngineChoice = engineOf(0)

  test('name the hot keys of this thread, from writes and engine reads', () => {
    using map = new ConcurrentMap<string, number>({ engine })
    expect(map.stats()).toMatchObject({ hotKeys: [], operations: 0, contention: 0, mostContended: undefined })
    for (let i = 0; i < 5000; i++) {
      map.set('hot', i)
      map.get('warm')
      map.increment('hot')
      map.has(`cold ${i}`)
    }
    const { hotKeys, operations } = map.stats()
    expect(hotKeys[0].key).toBe('hot')
    expect(hotKeys[0].share).toBeGreaterThan(0.4)
    expect(hotKeys.length).toBeLessThanOrEqual(10)
    expect(operations).toBe(10_000)
  })

  test('count no near hit', () => {
    using map = new ConcurrentMap<string, number>({ engine })
    map.set('read', 1)
    for (let i = 0; i < 1000; i++) map.set('written', i)
    for (let i = 0; i < 10_000; i++) map.get('read')
    const { hotKeys } = map.stats()
    expect(hotKeys[0].key).toBe('written')
    expect(hotKeys[0].share).toBeGreaterThan(0.9)
  })
})
