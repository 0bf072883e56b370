import { describe, expect, test } from 'vitest'
import { ConcurrentMap, MapsafeError, type ConcurrentMapOptions, type Key, type MapHandle } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

const notKeys: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['an object', {}],
  ['an array', []],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['a Date', new Date()],
  ['another typed array', new Uint16Array(1)],
  ['a String object', Object('text')],
  ['a Proxy', new Proxy({}, {})],
]

describeEachLineup((subject) => {
  function fill(): void {
    subject().map.set('text', 'old').set('object', { a: 1 }).set('bytes', new Uint8Array(3)).set('number', 5)
  }

  test.each(notKeys)('%s is no key', (_name, value) => {
    fill()
    const key = value as Key
    const actions: ((map: ConcurrentMap<Key, unknown>) => unknown)[] = [
      (map) => map.get(key),
      (map) => map.has(key),
      (map) => map.getEntry(key),
      (map) => map.set(key, 1),
      (map) => map.set(key, { a: 1 }),
      (map) => map.setIfAbsent(key, 1),
      (map) => map.setIfVersion(key, 1, 1),
      (map) => map.swap(key, 1),
      (map) => map.getOrInsert(key, 1),
      (map) => map.delete(key),
      (map) => map.deleteIfVersion(key, 1),
      (map) => map.take(key),
      (map) => map.increment(key),
      (map) => map.replace(key, 1),
      (map) => map.getOrInsertComputed(key, () => 1),
      (map) => map.update(key, () => 1),
      (map) => map.compareAndSwap(key, 1, 2),
      (map) => map.compareAndDelete(key, 1),
    ]
    for (const action of actions) {
      const error = subject().expectRefused('ERR_MAPSAFE_KEY_TYPE', action)
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toBeInstanceOf(MapsafeError)
      expect(error.message).toContain('expected a string, number, bigint, boolean or Uint8Array')
    }
  })

  test('a key of more than 1,048,575 bytes is refused', () => {
    fill()
    const longest = 'k'.repeat(1_048_575)
    for (const key of [`${longest}k`, '\u2603'.repeat(524_288), new Uint8Array(1_048_576), 2n ** (32n * 262_144n)]) {
      for (const action of [
        (map: ConcurrentMap<Key, unknown>): unknown => map.get(key),
        (map: ConcurrentMap<Key, unknown>): unknown => map.set(key, 1),
      ]) {
        expect(subject().expectRefused('ERR_MAPSAFE_ENTRY_TOO_LARGE', action)).toBeInstanceOf(RangeError)
      }
    }
    // A cache of this size has no room for entries of a MiB.
    const key = subject().isCache ? longest.slice(0, 400_000) : longest
    subject().map.set(key, 1)
    expect(subject().map.get(key)).toBe(1)
  })

  test('a value that cannot be stored is refused by every method that stores', () => {
    fill()
    const value = { user: { callback: () => 1 } }
    for (const action of [
      ...storing(value),
      (map: ConcurrentMap<Key, unknown>): unknown => map.compareAndSwap('text', 'old', value),
      (map: ConcurrentMap<Key, unknown>): unknown => map.compareAndSwap('text', 'other', value),
    ]) {
      const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', action)
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain('value.user.callback is a function')
    }
  })

  test('an error from a getter passes through, and nothing changes', () => {
    fill()
    const fault = Object.assign(new Error('mine'), { code: 'ERR_MINE' })
    const value = {
      a: 1,
      get b(): never {
        throw fault
      },
    }
    for (const action of storing(value)) expect(subject().expectRefused('ERR_MINE', action)).toBe(fault)
  })

  test('an entry larger than the region is refused', () => {
    fill()
    const value = new Uint8Array(5 * 2 ** 20)
    for (const action of storing(value)) {
      expect(subject().expectRefused('ERR_MAPSAFE_ENTRY_TOO_LARGE', action)).toBeInstanceOf(RangeError)
    }
    const text = 'x'.repeat(5 * 2 ** 20)
    for (const action of storing(text)) subject().expectRefused('ERR_MAPSAFE_ENTRY_TOO_LARGE', action)
  })

  test('a full map refuses, keeps what it has, and takes again after a deletion', ({ skip }) => {
    skip(subject().isCache, 'a cache evicts instead')
    const value = 'v'.repeat(50_000)
    let count = 0
    try {
      for (; ; count++) subject().map.set(count, value)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
    }
    // 4 MiB minus the index hold some 80 of them.
    expect(count).toBeGreaterThan(50)
    expect(subject().map.size).toBe(count)
    for (const action of storing(value)) {
      const error = subject().expectRefused('ERR_MAPSAFE_FULL', action)
      expect(error.message).toContain('maxBytes')
    }
    for (let i = 0; i < count; i++) expect(subject().map.get(i)).toBe(value)
    for (let i = 0; i < count; i++) {
      subject().map.delete(i)
      subject().map.set(`again-${i}`, value)
    }
    expect(subject().map.size).toBe(count)
  })

  test('a map full of small entries refuses, and all of them can be deleted', ({ skip }) => {
    skip(subject().isCache, 'a cache evicts instead')
    let count = 0
    try {
      for (; ; count++) subject().map.set(`key-${count}`, count)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
    }
    expect(subject().map.size).toBe(count)
    expect(count).toBeGreaterThan(20_000)
    subject().verify()
    for (let i = 0; i < count; i++) expect(subject().map.delete(`key-${i}`)).toBe(true)
    expect(subject().map.size).toBe(0)
    for (let i = 0; i < count * 0.9; i++) subject().map.set(`again-${i}`, i)
  })

  test('an increment is refused for what is no safe integer', () => {
    fill()
    subject()
      .map.set('fraction', 1.5)
      .set('large', 2 ** 53)
      .set('NaN', NaN)
      .set('bigint', 1n)
    for (const key of ['text', 'object', 'bytes', 'fraction', 'large', 'NaN', 'bigint']) {
      const error = subject().expectRefused('ERR_MAPSAFE_COUNTER', (map) => map.increment(key))
      expect(error).toBeInstanceOf(TypeError)
    }
  })

  test('an increment is refused beyond the safe integers', () => {
    subject().map.set('up', Number.MAX_SAFE_INTEGER).set('down', Number.MIN_SAFE_INTEGER)
    const actions = [
      (map: ConcurrentMap<Key, unknown>): unknown => map.increment('up'),
      (map: ConcurrentMap<Key, unknown>): unknown => map.increment('up', Number.MAX_SAFE_INTEGER),
      (map: ConcurrentMap<Key, unknown>): unknown => map.increment('down', -1),
    ]
    for (const action of actions) {
      expect(subject().expectRefused('ERR_MAPSAFE_COUNTER', action)).toBeInstanceOf(RangeError)
    }
  })

  test('arguments of the wrong type or range are refused', () => {
    fill()
    for (const by of [1.5, NaN, Infinity, 2 ** 53]) {
      expect(subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.increment('number', by))).toBeInstanceOf(
        RangeError,
      )
    }
    for (const by of ['1', 1n, null, {}]) {
      const error = subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.increment('number', by as number))
      expect(error).toBeInstanceOf(TypeError)
    }
    for (const version of [-1, 1.5, NaN, 2 ** 53, '1', undefined, 1n]) {
      subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.setIfVersion('text', 1, version as number))
      subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.deleteIfVersion('text', version as number))
    }
    subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => {
      map.forEach('no function' as never)
    })
  })
})

function storing(value: unknown): ((map: ConcurrentMap<Key, unknown>) => unknown)[] {
  return [
    (map) => map.set('text', value),
    (map) => map.set('new', value),
    (map) => map.setIfAbsent('new', value),
    (map) => map.setIfVersion('text', value, map.getEntry('text')?.version ?? 0),
    (map) => map.swap('object', value),
    (map) => map.getOrInsert('new', value),
    (map) => map.getOrInsertComputed('new', () => value),
    (map) => map.replace('text', value),
    (map) => map.update('object', () => value),
    (map) => map.update('new', () => value),
  ]
}

describe('options', () => {
  const wrong: [unknown, ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor][] = [
    [null, TypeError],
    [5, TypeError],
    ['options', TypeError],
    [[], TypeError],
    [{ maxByte: 2 ** 20 }, TypeError],
    [{ maxBytes: '1 MiB' }, TypeError],
    [{ maxBytes: 2 ** 20 - 1 }, RangeError],
    [{ maxBytes: 2 ** 34 + 1 }, RangeError],
    [{ maxBytes: 2 ** 20 + 0.5 }, RangeError],
    [{ maxBytes: NaN }, RangeError],
    [{ engine: 'fast' }, TypeError],
    [{ engine: null }, TypeError],
    [{ freeze: 1 }, TypeError],
  ]
  test.each(wrong)('%j is refused', (options, type) => {
    const make = (): unknown => new ConcurrentMap(options as ConcurrentMapOptions)
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error)
    expect(make).toThrow(type)
    expect(make).toThrow(MapsafeError)
  })

  test('undefined means the default, and a size is rounded down to pages', () => {
    using map = new ConcurrentMap({ maxBytes: 2 ** 20 + 5000, engine: undefined, freeze: undefined })
    expect(map.stats().bytesTotal).toBe(2 ** 20 + 4096)
    using other = new ConcurrentMap()
    expect(other.stats().bytesTotal).toBe(64 * 2 ** 20)
  })

  test('attach refuses what is no handle, no option, or no region', () => {
    const attach = (handle: unknown, options?: object): (() => unknown) => {
      return () => ConcurrentMap.attach(handle as MapHandle, options)
    }
    using map = new ConcurrentMap()
    const code = (name: string): Error => expect.objectContaining({ code: `ERR_MAPSAFE_${name}` }) as Error
    for (const handle of [
      undefined,
      null,
      'handle',
      {},
      map,
      new SharedArrayBuffer(2 ** 20),
      { ...map.handle, kind: 'x' },
    ]) {
      expect(attach(handle)).toThrow(code('OPTIONS'))
    }
    expect(attach(map.handle, { maxBytes: 2 ** 20 })).toThrow(code('OPTIONS'))
    for (const engine of ['native', 'typescript']) {
      for (const bytes of [0, 100, 2 ** 20]) {
        const handle = { ...map.handle, region: new SharedArrayBuffer(bytes) }
        expect(attach(handle, { engine })).toThrow(code('FORMAT'))
      }
      const damaged = copyOf(map.handle)
      new Int32Array(damaged.region!)[1] = 99
      expect(attach(damaged, { engine })).toThrow(code('FORMAT'))
    }
  })

  test('the 129th map object on a region is refused', () => {
    using first = new ConcurrentMap<string, number>()
    for (const engine of ['native', 'typescript'] as const) {
      const others = Array.from({ length: 127 }, () => ConcurrentMap.attach<string, number>(first.handle, { engine }))
      expect(() => ConcurrentMap.attach(first.handle, { engine })).toThrow(
        expect.objectContaining({ code: 'ERR_MAPSAFE_THREADS' }) as Error,
      )
      others.pop()!.close()
      ConcurrentMap.attach(first.handle, { engine }).set('key', 1).close()
      for (const other of others) other.close()
    }
    expect(first.get('key')).toBe(1)
    expect(first.stats().threads).toHaveLength(1)
    expect(first.verify().problems).toEqual([])
  })
})

function copyOf(handle: MapHandle): MapHandle {
  const region = new SharedArrayBuffer(handle.region!.byteLength)
  new Uint8Array(region).set(new Uint8Array(handle.region!))
  return { ...handle, region }
}
