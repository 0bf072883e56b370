/* eslint mapsafe/no-map-in-message: off -- shows what arrives */
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { lineups } from '../support/run.js'

// Everything here runs on a Map first: what holds of both is what docs/differences.md need not list. After the cases of
// test262 under built-ins/Map/prototype.

type Primitive = string | number | bigint | boolean
type Subject = Pick<
  Map<Primitive, unknown>,
  'get' | 'has' | 'set' | 'delete' | 'clear' | 'size' | 'keys' | 'values' | 'entries' | 'forEach'
> &
  Iterable<[Primitive, unknown]>
type Constructor = new () => Subject

const subjects: [string, Constructor, () => Subject][] = [
  ['Map', Map, () => new Map()],
  ...lineups.map((lineup): [string, Constructor, () => Subject] => [
    `ConcurrentMap, ${lineup.name}`,
    ConcurrentMap as unknown as Constructor,
    () => {
      const map = new ConcurrentMap<Key, unknown>({ engine: lineup.engineOf(0) })
      return (lineup.engineOf(1) === lineup.engineOf(0)
        ? map
        : ConcurrentMap.attach(map.handle, { engine: lineup.engineOf(1) })) as unknown as Subject
    },
  ]),
  ...lineups.map((lineup): [string, Constructor, () => Subject] => [
    `ConcurrentCache, ${lineup.name}`,
    ConcurrentCache as unknown as Constructor,
    () => {
      const cache = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0) })
      return (lineup.engineOf(1) === lineup.engineOf(0)
        ? cache
        : ConcurrentCache.attach(cache.handle, { engine: lineup.engineOf(1) })) as unknown as Subject
    },
  ]),
]

/** The property of a prototype, or of one that it inherits from. */
function descriptorOf(prototype: object | null, name: PropertyKey): PropertyDescriptor {
  for (let holder = prototype; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name)
    if (descriptor !== undefined) return descriptor
  }
  throw new Error(`there is no property ${String(name)}`)
}

const PRIMITIVES: readonly Primitive[] = [
  '',
  'a',
  'ä\u2603',
  '\ud800',
  0,
  1,
  -1.5,
  NaN,
  Infinity,
  -Infinity,
  0n,
  -5n,
  true,
  false,
]

describe.each(subjects)('%s', (_name, constructor, make) => {
  const prototype = constructor.prototype as Subject

  describe('properties', () => {
    test.each<[keyof Subject & string, number]>([
      ['get', 1],
      ['has', 1],
      ['set', 2],
      ['delete', 1],
      ['clear', 0],
      ['keys', 0],
      ['values', 0],
      ['entries', 0],
      ['forEach', 1],
    ])('%s is a writable, configurable method that is not enumerable, with %i parameters', (name, parameters) => {
      const descriptor = descriptorOf(prototype, name)
      expect(descriptor).toMatchObject({ writable: true, enumerable: false, configurable: true })
      const method = descriptor.value as (...given: unknown[]) => unknown
      expect([method.name, method.length]).toEqual([name, parameters])
      const construct = (): unknown => Reflect.construct(method, [])
      expect(construct).toThrow(TypeError)
    })

    test('size is an accessor of the prototype without a setter', () => {
      const descriptor = descriptorOf(prototype, 'size')
      expect(descriptor).toMatchObject({ set: undefined, enumerable: false, configurable: true })
      expect([descriptor.get!.name, descriptor.get!.length]).toEqual(['get size', 0])
      const map = make()
      expect(Object.hasOwn(map, 'size')).toBe(false)
      expect(() => {
        'use strict'
        ;(map as { size: number }).size = 5
      }).toThrow(TypeError)
    })

    test('the iterator is that of the entries', () => {
      const descriptor = descriptorOf(prototype, Symbol.iterator)
      expect(descriptor).toMatchObject({ writable: true, enumerable: false, configurable: true })
      expect(descriptor.value).toBe(descriptorOf(prototype, 'entries').value)
      const map = make().set('a', 1) as Subject
      expect([...map]).toEqual([['a', 1]])
    })

    test('the tag is a constant, but configurable', () => {
      const descriptor = descriptorOf(prototype, Symbol.toStringTag)
      expect(descriptor).toEqual({ value: constructor.name, writable: false, enumerable: false, configurable: true })
      expect(Object.prototype.toString.call(make())).toBe(`[object ${constructor.name}]`)
    })

    test('it is a class to be called with new', () => {
      expect(() => Reflect.apply(constructor as unknown as () => void, undefined, [])).toThrow(TypeError)
      expect(prototype.constructor).toBe(constructor)
    })

    test('methods refuse a receiver that is no such map', () => {
      const receivers = [
        undefined,
        null,
        5,
        'map',
        {},
        [],
        prototype,
        new WeakMap(),
        new Set([1]),
        Object.create(make()),
      ]
      const names = ['get', 'has', 'set', 'delete', 'clear', 'forEach', 'keys', 'values', 'entries'] as const
      for (const receiver of receivers) {
        for (const name of names) {
          const parameters = name === 'forEach' ? [() => expect.fail('called')] : ['key', 1]
          const call = (): unknown => Reflect.apply(prototype[name] as () => unknown, receiver, parameters)
          expect(call, name).toThrow(TypeError)
        }
        const iterate = (): unknown => Reflect.apply(prototype[Symbol.iterator] as () => unknown, receiver, [])
        expect(iterate).toThrow(TypeError)
        const getSize = descriptorOf(prototype, 'size').get!
        expect(() => Reflect.apply(getSize, receiver, []) as unknown).toThrow(TypeError)
      }
    })

    test('parameters that may be left out do not count', () => {
      expect(constructor).toHaveLength(0)
    })
  })

  describe('keys', () => {
    test('of every primitive type are told apart, and found again', () => {
      const map = make()
      for (const [i, key] of PRIMITIVES.entries()) {
        expect(map.has(key)).toBe(false)
        expect(map.get(key)).toBeUndefined()
        expect(map.set(key, i)).toBe(map)
      }
      expect(map.size).toBe(PRIMITIVES.length)
      for (const [i, key] of PRIMITIVES.entries()) {
        expect(map.has(key)).toBe(true)
        expect(map.get(key)).toBe(i)
      }
      expect(new Set(map.keys())).toEqual(new Set(PRIMITIVES))
      for (const key of PRIMITIVES) {
        expect(map.delete(key)).toBe(true)
        expect(map.delete(key)).toBe(false)
      }
      expect(map.size).toBe(0)
    })

    test('that look alike are different', () => {
      const map = make().set(1, 'number').set('1', 'string').set(1n, 'bigint').set(true, 'boolean') as Subject
      expect([map.get(1), map.get('1'), map.get(1n), map.get(true)]).toEqual(['number', 'string', 'bigint', 'boolean'])
      expect(map.has('true')).toBe(false)
      expect(map.set('\u00e9', 1).has('e\u0301')).toBe(false)
    })

    test('-0 is 0, and every NaN is one', () => {
      const map = make().set(-0, 'zero') as Subject
      expect(Object.is([...map.keys()][0], 0)).toBe(true)
      expect(map.get(0)).toBe('zero')
      expect(map.has(-0)).toBe(true)
      expect(map.delete(0)).toBe(true)
      const otherNaN = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0]
      expect(map.set(NaN, 1).get(otherNaN)).toBe(1)
      expect(map.set(otherNaN, 2).size).toBe(1)
      expect(map.get(0 / 0)).toBe(2)
    })
  })

  describe('values', () => {
    test('of every primitive type are given back, and undefined is one', () => {
      const map = make()
      for (const value of [...PRIMITIVES, -0, undefined, null]) {
        expect(Object.is(map.set('key', value).get('key'), value)).toBe(true)
        expect(map.has('key')).toBe(true)
        expect(map.size).toBe(1)
      }
      map.set('key', undefined)
      expect([...map.entries()]).toEqual([['key', undefined]])
      expect(map.delete('key')).toBe(true)
    })

    test('set replaces, and counts once', () => {
      const map = make()
      expect(map.set('a', 1).set('a', 2).set('b', 3)).toBe(map)
      expect([map.get('a'), map.get('b'), map.size]).toEqual([2, 3, 2])
    })

    test('clear returns undefined and leaves nothing', () => {
      const map = make().set('a', 1).set(2, 2) as Subject
      const clear = (): unknown => Reflect.apply(prototype.clear, map, [])
      expect(clear()).toBeUndefined()
      expect([map.size, map.has('a'), map.get(2), [...map]]).toEqual([0, false, undefined, []])
      expect(clear()).toBeUndefined()
    })
  })

  describe('iterators', () => {
    test('follow the protocol, and stay at the end', () => {
      const map = make().set('a', 1) as Subject
      for (const [name, expected] of [
        ['keys', 'a'],
        ['values', 1],
        ['entries', ['a', 1]],
      ] as const) {
        const iterator = map[name]() as IterableIterator<unknown>
        expect(iterator[Symbol.iterator]()).toBe(iterator)
        expect(iterator.next()).toEqual({ value: expected, done: false })
        expect(iterator.next()).toEqual({ value: undefined, done: true })
        map.set('b', 2)
        expect(iterator.next()).toEqual({ value: undefined, done: true })
        map.delete('b')
      }
    })

    test('are independent of each other', () => {
      const map = make().set('a', 1).set('b', 2) as Subject
      const [first, second] = [map.keys(), map.keys()]
      const key = first.next().value
      expect(second.next().value).toBe(key)
      expect(first.next().done).toBe(false)
      expect(second.next().done).toBe(false)
      expect(first.next().done).toBe(true)
    })

    test('keys, values and entries agree on the order', () => {
      const map = make()
      for (let i = 0; i < 1000; i++) map.set(`key ${i}`, i)
      const entries = [...map.entries()]
      expect([...map.keys()]).toEqual(entries.map(([key]) => key))
      expect([...map.values()]).toEqual(entries.map(([, value]) => value))
      expect([...map]).toEqual(entries)
    })

    test('each pair is a new array', () => {
      const map = make().set('a', 1) as Subject
      const [[first], [second]] = [[...map], [...map]]
      expect(first).not.toBe(second)
      first[1] = 5
      expect(map.get('a')).toBe(1)
    })

    test('do not meet what was deleted before its turn', () => {
      const map = make()
      for (let i = 0; i < 100; i++) map.set(i, i)
      let met = 0
      for (const key of map.keys()) {
        met++
        for (let i = 0; i < 100; i++) if (i !== key) map.delete(i)
      }
      expect(met).toBe(1)
    })
  })

  describe('forEach', () => {
    test('passes value, key and map, and the receiver', () => {
      const map = make().set('a', 1).set('b', 2) as Subject
      const calls: unknown[] = []
      const receiver = {}
      const note = function (this: unknown, ...given: unknown[]): void {
        calls.push([this === receiver, given.length, given[0], given[1], given[2] === map])
      }
      const forEach = prototype.forEach as (...given: unknown[]) => unknown
      const result = Reflect.apply(forEach, map, [note, receiver])
      expect(result).toBeUndefined()
      expect(new Set(calls)).toEqual(
        new Set([
          [true, 3, 1, 'a', true],
          [true, 3, 2, 'b', true],
        ]),
      )
    })

    test('calls a strict function without receiver', () => {
      const map = make().set('a', 1) as Subject
      map.forEach(function (this: unknown) {
        expect(this).toBeUndefined()
      })
    })

    test("does not use the callback's own call and apply", () => {
      const map = make().set('a', 1) as Subject
      let calls = 0
      const callback = Object.assign(() => calls++, { call: () => expect.fail(), apply: () => expect.fail() })
      map.forEach(callback)
      expect(calls).toBe(1)
    })

    test('stops where the callback throws', () => {
      const map = make().set('a', 1).set('b', 2) as Subject
      let calls = 0
      const fault = new Error('mine')
      const stop = (): void => {
        calls++
        throw fault
      }
      expect(() => {
        map.forEach(stop)
      }).toThrow(fault)
      expect(calls).toBe(1)
    })

    test('refuses what is no function, on an empty map, too', () => {
      for (const given of [undefined, null, 1, '', {}, Symbol('s')]) {
        expect(() => {
          make().forEach(given as never)
        }).toThrow(TypeError)
      }
      make().forEach(() => expect.fail('there is no entry'))
    })
  })

  test('a subclass may override methods', () => {
    class Loud extends (constructor as new () => Map<Primitive, unknown>) {
      override get(key: Primitive): unknown {
        return `${String(super.get(key))}!`
      }
    }
    const map = new Loud()
    map.set('a', 1)
    expect(map.get('a')).toBe('1!')
    expect(map).toBeInstanceOf(constructor)
    expect(map.size).toBe(1)
  })

  test('methods work without the others, which a subclass may override', () => {
    const map = make().set('a', 1).set('b', 2) as Subject
    const broken = (): never => expect.fail('an overridden method was called')
    const names = [
      'get',
      'has',
      'set',
      'delete',
      'keys',
      'values',
      'entries',
      'forEach',
      'size',
      Symbol.iterator,
    ] as const
    for (const name of names) {
      if (name === 'size') Object.defineProperty(map, name, { get: broken, configurable: true })
      else Object.defineProperty(map, name, { value: broken, configurable: true })
    }
    const call = (name: PropertyKey, ...parameters: unknown[]): unknown =>
      Reflect.apply(descriptorOf(prototype, name).value as () => unknown, map, parameters)
    expect(call('get', 'a')).toBe(1)
    expect(call('has', 'a')).toBe(true)
    expect(call('set', 'c', 3)).toBe(map)
    expect(call('delete', 'c')).toBe(true)
    expect(new Set(call('keys') as Iterable<unknown>)).toEqual(new Set(['a', 'b']))
    expect(new Set(call('values') as Iterable<unknown>)).toEqual(new Set([1, 2]))
    for (const name of ['entries', Symbol.iterator]) {
      expect(new Map(call(name) as Iterable<[unknown, unknown]>)).toEqual(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      )
    }
    let calls = 0
    call('forEach', () => calls++)
    expect(calls).toBe(2)
    expect(Reflect.apply(descriptorOf(prototype, 'size').get!, map, [])).toBe(2)
    call('clear')
    expect(Reflect.apply(descriptorOf(prototype, 'size').get!, map, [])).toBe(0)
  })
})

describe('differences that docs/differences.md lists', () => {
  test.each(lineups)('$name', (lineup) => {
    using map = new ConcurrentMap<Key, unknown>({ engine: lineup.engineOf(0) })
    expect(map).not.toBeInstanceOf(Map)
    expect(Object.keys(map)).toEqual(['notCloneable', 'handle'])
    expect(Object.prototype.toString.call(map.keys())).toBe('[object Generator]')
    expect(Symbol.species in ConcurrentMap).toBe(false)
    for (const key of [{}, Symbol('s'), null, undefined, () => 1]) {
      expect(() => map.get(key as Key)).toThrow(TypeError)
      expect(() => map.set(key as Key, 1)).toThrow(TypeError)
    }
    const value = { a: 1 }
    expect(map.set('key', value).get('key')).not.toBe(value)
    expect(Object.isFrozen(map.get('key'))).toBe(true)
    expect(map.set(new Uint8Array([1]), 1).get(new Uint8Array([1]))).toBe(1)
    expect(() => structuredClone(map)).toThrow(expect.objectContaining({ name: 'DataCloneError' }) as Error)
    const insertItself = (): string => {
      map.set('new', 'inner')
      return 'outer'
    }
    expect(map.getOrInsertComputed('new', insertItself)).toBe('inner')
  })
})
