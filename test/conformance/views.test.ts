import { expect, test } from 'vitest'
import { MapsafeError, type ConcurrentMap, type Key } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

type AnyMap = ConcurrentMap<Key, unknown>
type Resizable = ArrayBuffer & { resize(length: number): void }

/** What a view is, is told by the language, not by what the view says of itself. */
describeEachLineup((subject) => {
  class Longer extends Uint8Array {
    override get length(): number {
      return 64
    }
    override get byteLength(): number {
      return 64
    }
    override get byteOffset(): number {
      return 8
    }
    override get buffer(): ArrayBuffer {
      return new ArrayBuffer(64)
    }
    static get [Symbol.species](): typeof Longer {
      throw new Error('asked for its species')
    }
    override [Symbol.iterator](): never {
      throw new Error('iterated')
    }
  }
  /** Arrays of the bytes 1, 2 and 3 that say other things of themselves. */
  const liars = (): Uint8Array[] => {
    const own = (name: string, value: unknown): Uint8Array =>
      Object.defineProperty(Uint8Array.of(1, 2, 3), name, { value, configurable: true })
    return [
      ...[0, 1, 5, 2 ** 32, -1, NaN, 'x', {}].map((length) => own('length', length)),
      own('byteLength', 64),
      own('byteOffset', 1),
      own('buffer', Uint8Array.of(9, 9, 9, 9).buffer),
      own('buffer', undefined),
      own('constructor', undefined),
      new Longer([1, 2, 3]),
      Object.setPrototypeOf(Uint8Array.of(1, 2, 3), null) as Uint8Array,
      Object.setPrototypeOf(Uint8Array.of(1, 2, 3), Object.prototype) as Uint8Array,
      Object.setPrototypeOf(Uint8Array.of(1, 2, 3), Array.prototype) as Uint8Array,
    ]
  }
  const truth = Uint8Array.of(1, 2, 3)

  test('as a key', () => {
    for (const key of liars()) {
      for (const map of subject().maps) {
        map.set(key, 'value')
        expect(map.get(truth)).toBe('value')
        expect([map.get(key), map.has(key), map.getMany([key])]).toEqual(['value', true, ['value']])
        expect(map.size).toBe(1)
        expect([...map.keys()]).toEqual([truth])
        map.setMany([[key, 'other']])
        expect(map.update(key, (value) => [value])).toEqual(['other'])
        expect(map.delete(key)).toBe(true)
        expect(map.getOrInsertComputed(key, (given) => given)).toEqual(truth)
        expect(map.deleteMany([key])).toBe(1)
      }
    }
  })

  test('as a value', () => {
    subject().map.set('neighbour', 'x'.repeat(100))
    for (const value of liars()) {
      for (const map of subject().maps) {
        map.set('key', value)
        expect(map.get('key')).toEqual(truth)
        map.set('key', [value])
        expect(map.get('key')).toEqual([truth])
        expect(map.compareAndSwap('key', [value], { value })).toBe(true)
        expect(map.get('key')).toEqual({ value: truth })
      }
    }
  })

  test('of every type', () => {
    for (const name of ['Float64Array', 'BigInt64Array', 'Int16Array', 'DataView']) {
      const Type = (globalThis as unknown as Record<string, new (...given: unknown[]) => ArrayBufferView>)[name]
      const honest = new Type(new Uint8Array(32).map((_, i) => i).buffer, 8, 2)
      for (const [property, value] of Object.entries({ byteLength: 3, byteOffset: 1, buffer: 1, length: 7 })) {
        const view = new Type(honest.buffer, 8, 2)
        Object.defineProperties(view, { [property]: { value }, [Symbol.toStringTag]: { value: 'Uint8Array' } })
        const expected = new Type(honest.buffer.slice(8, 8 + honest.byteLength))
        for (const given of [view, Object.setPrototypeOf(view, null) as object]) {
          subject().map.set('key', [given])
          expect(subject().map.get('key')).toEqual([expected])
        }
      }
    }
    const buffer = Uint8Array.of(1, 2).buffer
    Object.defineProperties(buffer, { byteLength: { value: 0 }, slice: { value: 1 }, resizable: { value: true } })
    subject().map.set('key', { buffer, part: new Uint8Array(buffer, 1) })
    expect(subject().map.get('key')).toEqual({ buffer: Uint8Array.of(1, 2).buffer, part: Uint8Array.of(2) })
  })

  const detached = <T extends ArrayBufferView>(view: T): T => {
    structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] })
    return view
  }
  const shrunk = <T>(make: (buffer: ArrayBuffer) => T, to = 2): T => {
    const buffer = new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(8, {
      maxByteLength: 16,
    })
    const view = make(buffer)
    buffer.resize(to)
    return view
  }

  test('a key whose memory is gone is refused by every method', () => {
    const keys = [
      detached(Uint8Array.of(1, 2)),
      detached(Buffer.from(new ArrayBuffer(4))),
      Object.setPrototypeOf(detached(Uint8Array.of(1)), null) as Uint8Array,
      shrunk((buffer) => new Uint8Array(buffer, 0, 4)),
      shrunk((buffer) => new Uint8Array(buffer, 4)),
    ]
    const calls: ((map: AnyMap, key: Key) => unknown)[] = [
      (map, key) => map.get(key),
      (map, key) => map.has(key),
      (map, key) => map.getEntry(key),
      (map, key) => map.set(key, 1),
      (map, key) => map.set(key, { a: 1 }),
      (map, key) => map.delete(key),
      (map, key) => map.swap(key, 1),
      (map, key) => map.setIfAbsent(key, 1),
      (map, key) => map.replace(key, 1),
      (map, key) => map.getOrInsert(key, 1),
      (map, key) => map.getOrInsertComputed(key, () => 1),
      (map, key) => map.update(key, () => 1),
      (map, key) => map.increment(key),
      (map, key) => map.compareAndSwap(key, 1, 2),
      (map, key) => map.compareAndDelete(key, 1),
      (map, key) => map.getMany(['a', key]),
      (map, key) => {
        map.setMany([
          ['a', 1],
          [key, 1],
        ])
      },
      (map, key) => map.deleteMany(['', key]),
    ]
    subject().map.set(new Uint8Array(0), 'of the empty key')
    for (const key of keys) {
      for (const call of calls) {
        const error = subject().expectRefused('ERR_MAPSAFE_KEY_TYPE', (map) => call(map, key))
        expect(error).toBeInstanceOf(TypeError)
        expect(error.message).toContain('memory is gone')
      }
    }
    expect(subject().map.get(shrunk((buffer) => new Uint8Array(buffer), 0))).toBe('of the empty key')
  })

  test('a value whose memory is gone is refused with its path', () => {
    const views: [() => unknown, string][] = [
      [() => detached(new Uint8Array(4)), 'a view of a detached ArrayBuffer'],
      [() => detached(new Float64Array(4)), 'a view of a detached ArrayBuffer'],
      [() => detached(new DataView(new ArrayBuffer(4))), 'a view of a detached ArrayBuffer'],
      [() => detached(new Uint8Array(4)).buffer, 'a detached ArrayBuffer'],
      [() => shrunk((buffer) => new Uint8Array(buffer, 0, 4)), 'shrunk'],
      [() => shrunk((buffer) => new Uint16Array(buffer, 4)), 'shrunk'],
      [() => shrunk((buffer) => new DataView(buffer, 0, 4)), 'shrunk'],
      [() => shrunk((buffer) => new DataView(buffer, 4)), 'shrunk'],
    ]
    for (const [make, what] of views) {
      const value = make()
      const placed: [unknown, string][] = [
        [value, 'value is '],
        [{ at: [value] }, 'value.at[0] is '],
        [new Map([['a', value]]), 'value.get("a") is '],
      ]
      for (const [given, path] of placed) {
        const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.set('key', given))
        expect(error).toBeInstanceOf(MapsafeError)
        expect(error.message).toContain(path)
        expect(error.message).toContain(what)
      }
    }
    const tracking = shrunk((buffer) => [new Uint8Array(buffer), new Uint16Array(buffer), new DataView(buffer, 1)])
    subject().map.set('key', tracking)
    expect(subject().map.get('key')).toEqual([new Uint8Array(2), new Uint16Array(1), new DataView(new ArrayBuffer(1))])
  })
})
