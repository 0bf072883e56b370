import { Blob, File } from 'node:buffer'
import { createSecretKey } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ConcurrentMap, Key } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

// What docs/differences.md says of keys and values, beside what map-parity.test.ts has.

type AnyMap = ConcurrentMap<Key, unknown>

/** Arrays within arrays, so many of them. */
function nested(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

describeEachLineup((subject) => {
  /** What is read of a value that was stored by one engine, perhaps, and is read by the other. */
  function stored(value: unknown): unknown {
    subject().map.set('key', value)
    return subject().map.get('key')
  }

  test('a key of more than 1,048,575 bytes throws wherever it is given', () => {
    const long = 'x'.repeat(1_048_576)
    const calls: ((map: AnyMap) => unknown)[] = [
      (map) => map.get(long),
      (map) => map.has(long),
      (map) => map.delete(long),
      (map) => map.set(long, 1),
      (map) => map.getMany(['a', long]),
      // Two bytes for each unit as soon as one is above 255.
      (map) => map.has('\u2603'.repeat(524_288)),
    ]
    for (const call of calls) {
      expect(subject().expectRefused('ERR_MAPSAFE_ENTRY_TOO_LARGE', call)).toBeInstanceOf(RangeError)
    }
    expect(subject().map.has(long.slice(1))).toBe(false)
  })

  test('a value is nested 500 levels deep at most', () => {
    expect(stored(nested(500))).toEqual(nested(500))
    const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.set('key', nested(600)))
    expect(error.message).toContain('nested deeper than 500 levels')
  })

  test.each<[string, () => unknown]>([
    ['a Blob', () => new Blob(['a'])],
    ['a File', () => new File(['a'], 'name')],
    ['a KeyObject', () => createSecretKey(Buffer.from('key'))],
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(8)],
    ['a view of one', () => new Uint8Array(new SharedArrayBuffer(8))],
  ])('structured clone takes %s, and a map does not', (_, make) => {
    expect(() => structuredClone(make())).not.toThrow()
    for (const value of [make(), { deep: [make()] }]) {
      const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.set('key', value))
      expect(error).toBeInstanceOf(TypeError)
    }
  })

  test('a view keeps the bytes that it shows, in a buffer of its own that has a fixed length', () => {
    const whole = new Uint8Array(100).map((_, i) => i)
    const part = stored(whole.subarray(5, 8)) as Uint8Array
    expect(part).toEqual(new Uint8Array([5, 6, 7]))
    expect(part.buffer.byteLength).toBe(3)
    const resizable = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(8, {
      maxByteLength: 16,
    })
    expect(structuredClone(resizable)).toHaveProperty('resizable', true)
    expect((stored(new Uint8Array(resizable)) as Uint8Array).buffer).toHaveProperty('resizable', false)
  })

  test('what structured clone loses is lost', () => {
    class Point {
      x = 1
      get double(): number {
        return 2 * this.x
      }
    }
    const point = stored(new Point())
    expect(point).toEqual({ x: 1 })
    expect(Object.getPrototypeOf(point)).toBe(Object.prototype)
    expect(Buffer.isBuffer(stored(Buffer.from('ab')))).toBe(false)
    expect(stored({ [Symbol('a')]: 1, b: 2 })).toEqual({ b: 2 })
    const read = stored({
      get computed() {
        return 5
      },
    })
    expect(Object.getOwnPropertyDescriptor(read, 'computed')).toHaveProperty('value', 5)
    expect(stored(Object.assign(new TypeError('message'), { code: 'E' }))).toBeInstanceOf(TypeError)
    expect(subject().map.get('key')).not.toHaveProperty('code')
  })

  test('two reads give one object only where nothing can change it', () => {
    const { map } = subject()
    map.set('bytes', new Uint8Array([5]))
    expect(map.get('bytes')).toEqual(new Uint8Array([5]))
    expect(map.get('bytes')).not.toBe(map.get('bytes'))
    // A change of a date reaches no later read; a Map and a Set refuse it.
    map.set('date', new Date(5))
    // eslint-disable-next-line mapsafe/no-mutate-value -- shows that nothing is changed
    ;(map.get('date') as Date).setTime(6)
    expect(map.get('date')).toEqual(new Date(5))
    map.set('map', new Map([['a', 1]])).set('set', new Set([1]))
    expect(() => (map.get('map') as Map<string, number>).set('a', 2)).toThrow(TypeError)
    expect(() => (map.get('set') as Set<number>).clear()).toThrow(TypeError)
    expect(map.get('map')).toEqual(new Map([['a', 1]]))
  })

  test('a Uint8Array key comes back as a Uint8Array of its own', () => {
    const key = Buffer.from('key')
    subject().map.set(key, 1)
    key[0] = 0
    const [read] = [...subject().map.keys()] as Uint8Array[]
    expect(read).toEqual(new TextEncoder().encode('key'))
    expect(Buffer.isBuffer(read)).toBe(false)
    expect([subject().map.get(key), subject().map.get(read)]).toEqual([undefined, 1])
  })
})
