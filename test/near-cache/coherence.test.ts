import { describe, expect, test } from 'vitest'
import { RESULT_HOME } from '../../src/engine/engine.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { ConcurrentMap } from '../../src/index.js'
import { BLOCK_WORDS, HEADER_SEGMENT_COUNT } from '../../src/format/layout.js'
import { findPlace } from '../../src/public/handle.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Random } from '../support/random.js'
import { expectSound } from '../support/sound.js'

/** One thread with two map objects on one map: what `other` does, `near` must see at its next read. */
function open<V>(
  lineup: (typeof lineups)[number],
  maxBytes?: number,
): {
  near: ConcurrentMap<string, V>
  other: ConcurrentMap<string, V>
  [Symbol.dispose](): void
} {
  const near = new ConcurrentMap<string, V>({ engine: lineup.engineOf(0), ...(maxBytes && { maxBytes }) })
  const other = ConcurrentMap.attach<string, V>(near.handle, { engine: lineup.engineOf(1), nearCache: false })
  return {
    near,
    other,
    [Symbol.dispose]() {
      expectSound(near)
      other.close()
      near.close()
    },
  }
}

describe.each(lineups)('a near hit is current ($name)', (lineup) => {
  test('after another thread overwrote, deleted, inserted, swapped, took, counted and cleared', () => {
    using maps = open<string | number>(lineup)
    const { near, other } = maps
    expect(near.get('k')).toBeUndefined()
    expect(near.has('k')).toBe(false)
    other.set('k', 'one')
    expect(near.get('k')).toBe('one')
    other.set('k', '')
    expect(near.get('k')).toBe('')
    expect(near.has('k')).toBe(true)
    other.delete('k')
    expect(near.get('k')).toBeUndefined()
    expect(near.has('k')).toBe(false)
    other.setIfAbsent('k', 0)
    expect(near.get('k')).toBe(0)
    other.increment('k')
    expect(near.get('k')).toBe(1)
    other.swap('k', 'two')
    expect(near.get('k')).toBe('two')
    other.take('k')
    expect(near.get('k')).toBeUndefined()
    other.set('k', 'three')
    expect(near.get('k')).toBe('three')
    other.clear()
    expect(near.get('k')).toBeUndefined()
  })

  test('during the last write before the version wraps, when there was nothing to keep', () => {
    using maps = open<string | Uint8Array>(lineup)
    const { near, other } = maps
    near.set('k', 'text')
    expect(near.get('k')).toBe('text')
    // Bytes can be changed by whoever has them, so that the near-cache drops what it knew of the key.
    const bytes = new Uint8Array([5])
    other.set('k', bytes)
    expect(near.get('k')).toEqual(bytes)
    const engine = new TypescriptEngine(findPlace(near.handle).region)
    engine.peek('k')
    const home = engine.result[RESULT_HOME] * BLOCK_WORDS
    const { words } = engine
    const version = words[home]
    for (const held of [-1, 2 ** 31 - 1, 1]) {
      words[home] = held
      expect(near.get('k'), `version ${held}`).toEqual(bytes)
      expect(near.has('k')).toBe(true)
      expect(near.getOrInsert('k', 'other')).toEqual(bytes)
    }
    words[home] = version
    engine.close()
  })

  test("after this thread's own writes", () => {
    using maps = open<string>(lineup)
    const { near } = maps
    near.set('k', 'one')
    expect(near.get('k')).toBe('one')
    near.set('k', 'two')
    expect(near.get('k')).toBe('two')
    near.delete('k')
    expect(near.get('k')).toBeUndefined()
    expect(near.getOrInsert('k', 'three')).toBe('three')
    expect(near.get('k')).toBe('three')
  })

  test('after the key moved in a split, and was overwritten in its new segment', () => {
    using maps = open<string>(lineup)
    const { near, other } = maps
    const keys = Array.from({ length: 500 }, (_, i) => `key ${i}`)
    for (const key of keys) other.set(key, 'before')
    for (const key of keys) expect(near.get(key)).toBe('before')
    for (let i = 0; i < 20_000; i++) other.set(`filler ${i}`, 'x')
    for (const key of keys) other.set(key, 'after')
    for (const key of keys) expect(near.get(key)).toBe('after')
  })

  test('after the key moved in a split, which alone touched its old home bucket', () => {
    using maps = open<string>(lineup)
    const { near, other } = maps
    const words = new Int32Array(near.handle.region!)
    const keys = Array.from({ length: 300 }, (_, i) => `key ${i}`)
    for (const key of keys) other.set(key, 'before')
    let filler = 0
    for (let split = 0; split < 4; split++) {
      const segments = words[HEADER_SEGMENT_COUNT]
      while (words[HEADER_SEGMENT_COUNT] === segments) {
        if (filler % 16 === 0) for (const key of keys) near.get(key)
        other.set(`filler ${filler++}`, 'x')
      }
      for (const key of keys) {
        other.set(key, `after split ${split}`)
        expect(near.get(key)).toBe(`after split ${split}`)
      }
    }
  })

  test('after cleanups moved spilled keys home', () => {
    using maps = open<string>(lineup)
    const { near, other } = maps
    const keys = Array.from({ length: 640 }, (_, i) => `key ${i}`)
    for (let round = 0; round < 5; round++) {
      for (const key of keys) other.set(key, `value ${round}`)
      for (const key of keys) expect(near.get(key)).toBe(`value ${round}`)
      for (const key of keys.slice(0, 400)) other.delete(key)
      for (const key of keys) expect(near.get(key)).toBe(keys.indexOf(key) < 400 ? undefined : `value ${round}`)
    }
  })

  test('against a model, whichever of several objects reads and writes', () => {
    const random = new Random(seed)
    using maps = open<number>(lineup)
    const third = ConcurrentMap.attach<string, number>(maps.near.handle, {
      engine: lineup.engineOf(0),
      nearCache: { maxEntries: 8 },
    })
    const all = [maps.near, maps.other, third]
    const model = new Map<string, number>()
    for (let i = 0; i < scaled(60_000); i++) {
      const map = all[random.below(all.length)]
      const key = `k${random.below(random.chance(0.01) ? 3000 : 40)}`
      const what = random.below(10)
      if (what < 6) expect(map.get(key), `MAPSAFE_SEED=${seed} step ${i}`).toBe(model.get(key))
      else if (what < 7) expect(map.has(key), `MAPSAFE_SEED=${seed} step ${i}`).toBe(model.has(key))
      else if (what < 9) {
        map.set(key, i)
        model.set(key, i)
      } else {
        expect(map.delete(key)).toBe(model.delete(key))
      }
    }
    third.close()
  })
})

describe.each(lineups)('values are decoded once and shared safely ($name)', (lineup) => {
  test('an object is decoded once for each write of its key', () => {
    using maps = open<{ n: number }>(lineup)
    const { near, other } = maps
    let last: unknown
    for (let n = 0; n < 50; n++) {
      other.set('k', { n })
      const first = near.get('k')
      expect(first).toEqual({ n })
      expect(first).not.toBe(last)
      expect(near.get('k')).toBe(first)
      last = first
    }
  })

  test('a write to a neighbour in the bucket costs no decoding', () => {
    using maps = open<object>(lineup)
    const { near, other } = maps
    other.set('k', { list: [1, 2, 3] })
    const value = near.get('k')
    // Enough keys to hit every bucket of the first segment, and too few for a split.
    for (let i = 0; i < 300; i++) other.set(`neighbour ${i}`, {})
    expect(near.get('k')).toBe(value)
  })

  test('what cannot be frozen is never shared', () => {
    using maps = open<unknown>(lineup)
    const { near, other } = maps
    const float = { date: new Date(0), list: Float64Array.of(1) }
    for (const value of [new Uint8Array([1]), float, { bytes: new Uint8Array([1]), date: new Date(0) }]) {
      other.set('k', value)
      expect(near.get('k')).toEqual(value)
      expect(near.get('k')).not.toBe(near.get('k'))
    }
    const thawed = ConcurrentMap.attach<string, { a: number }>(near.handle, {
      freeze: false,
      engine: lineup.engineOf(0),
    })
    thawed.set('object', { a: 1 })
    const mine = thawed.get('object') as { a: number }
    mine.a = 2
    expect(thawed.get('object')).toEqual({ a: 1 })
    thawed.close()
  })

  test('a value that replaces a shared one and cannot be shared itself leaves nothing behind', () => {
    using maps = open<unknown>(lineup)
    const { near, other } = maps
    other.set('k', 'text')
    expect(near.get('k')).toBe('text')
    other.set('k', new Uint8Array([7]))
    expect(near.get('k')).toEqual(new Uint8Array([7]))
    expect(near.get('k')).toEqual(new Uint8Array([7]))
    other.set('k', 'text')
    expect(near.get('k')).toBe('text')
  })

  test('keys that are equal to the map are equal to the near-cache', () => {
    using maps = open<number>(lineup)
    const map = maps.near as unknown as ConcurrentMap<string | number | bigint | boolean | Uint8Array, number>
    const far = maps.other as unknown as typeof map
    const keys = ['1', 1, 1n, true, new Uint8Array([1])]
    keys.forEach((key, i) => far.set(key, i))
    keys.forEach((key, i) => expect(map.get(key)).toBe(i))
    far.set(new Uint8Array([1]), 10)
    expect(map.get(new Uint8Array([1]))).toBe(10)
    far.set(-0, 11)
    expect(map.get(0)).toBe(11)
    expect(map.get(-0)).toBe(11)
    far.set(NaN, 12)
    expect(map.get(NaN)).toBe(12)
  })
})
