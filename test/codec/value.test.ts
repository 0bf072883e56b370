import { deepStrictEqual } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ValueCodecs } from '../../src/codec/value.js'
import { MapsafeError } from '../../src/base/errors.js'
import type { Engine } from '../../src/engine/engine.js'
import { VALUE_CLONE, VALUE_PLAIN } from '../../src/format/layout.js'
import { scaled, seed } from '../support/run.js'
import { storableValues } from '../support/values.js'

const codecs = new ValueCodecs(false)

const thawed = new ValueCodecs(false)
const frozen = new ValueCodecs(true)

/** Writes a value the way a map does, into a scratch buffer, and reads it back. */
function roundTrip(value: unknown, decoder = thawed): unknown {
  const encoder = codecs.encode(value)
  const engine = scratchEngine()
  encoder.stage(engine)
  return typeof encoder.operand === 'number' && encoder.kind > 7
    ? decoder.decode(encoder.kind, engine.scratch, encoder.operand)
    : value
}

function scratchEngine(): Engine {
  const engine = {
    scratch: new Uint8Array(16),
    growScratch(bytes: number): void {
      engine.scratch = new Uint8Array(bytes)
    },
    shrinkScratch(): void {
      engine.scratch = new Uint8Array(16)
    },
  }
  return engine as Engine
}

/** As deepStrictEqual; but up to Node.js 20 that takes an invalid Date to be unlike itself. */
function expectEqual(copy: unknown, expected: unknown): void {
  if (isDeepStrictEqual(expected, structuredClone(expected))) deepStrictEqual(copy, expected)
  else expect(inspect(copy, WHOLE)).toBe(inspect(expected, WHOLE))
}

const WHOLE = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity }

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof MapsafeError) return `${error.code} ${error.message.split(',')[0]}`
    throw error
  }
  return 'no error'
}

describe('a value comes back as structuredClone would copy it', () => {
  for (const [name, value] of Object.entries(storableValues())) {
    test(name, () => {
      const copy = roundTrip(value)
      deepStrictEqual(copy, structuredClone(value))
      if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value)
    })
  }

  test('own __proto__ is a property and changes no prototype', () => {
    const copy = roundTrip(JSON.parse('{"list": [{"__proto__": {"polluted": true}}]}')) as { list: [object] }
    expect(Object.getPrototypeOf(copy.list[0])).toBe(Object.prototype)
    expect(Object.hasOwn(copy.list[0], '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('shared references stay shared, and cycles closed', () => {
    const shared = { n: 1 }
    const value: Record<string, unknown> = {
      a: shared,
      b: [shared],
      date: new Date(1),
      map: new Map([[shared, shared]]),
    }
    value.self = value
    const copy = roundTrip(value) as { a: object; b: [object]; map: Map<object, object>; self: unknown }
    expect(copy.b[0]).toBe(copy.a)
    expect(copy.map.get(copy.a)).toBe(copy.a)
    expect(copy.self).toBe(copy)
  })

  test('an error keeps its class, message, stack and cause', () => {
    const error = new RangeError('outer', { cause: new TypeError('inner') })
    const copy = roundTrip({ error }) as { error: RangeError & { cause: TypeError } }
    expect(copy.error).toBeInstanceOf(RangeError)
    expect(copy.error.stack).toBe(error.stack)
    expect(copy.error.cause).toBeInstanceOf(TypeError)
    expect(copy.error.cause.message).toBe('inner')
    expect(Object.keys(copy.error)).toEqual([])
  })

  test('an object may have more than 65,535 properties', () => {
    const value = Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`key${i}`, i]))
    deepStrictEqual(roundTrip(value), value)
  })

  test('an invalid Date stays invalid', () => {
    expect((roundTrip({ date: new Date(NaN) }) as { date: Date }).date.getTime()).toBeNaN()
  })

  test('a view of a part of a buffer comes back with that part alone, and stays one object where it was', () => {
    const buffer = Float64Array.of(1, 2, 3, 4).buffer
    const part = new Float64Array(buffer, 8, 2)
    const whole = new Float64Array(buffer)
    const copy = roundTrip({ part, same: part, whole, buffer }) as Record<string, Float64Array>
    expect(copy.part).toEqual(Float64Array.of(2, 3))
    expect(copy.part.buffer.byteLength).toBe(16)
    expect(copy.same).toBe(copy.part)
    expect(copy.whole.buffer).toBe(copy.buffer)
  })

  test('a Buffer becomes a Uint8Array with the bytes shown, and nothing of its pool', () => {
    const copy = roundTrip({ data: Buffer.from('pooled') }) as { data: Uint8Array }
    expect(copy.data.constructor).toBe(Uint8Array)
    expect(copy.data.buffer.byteLength).toBe(6)
    expect(Buffer.from(copy.data).toString()).toBe('pooled')
    expect((roundTrip(Buffer.from('root')) as Uint8Array).constructor).toBe(Uint8Array)
  })

  test('any nesting of JSON values, numbers and strings', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withObjectString: true,
          stringUnit: 'binary',
          withNullPrototype: true,
        }),
        (value) => {
          expectEqual(roundTrip(value), structuredClone(value))
        },
      ),
      { seed, numRuns: scaled(300) },
    )
  })
})

test("what is no tree of plain data goes to V8's format", () => {
  const plain = [
    {},
    [],
    { a: [1, 'x', true, null, undefined, NaN, 2 ** 40, -0, 1n, '\ud800'] },
    new (class Point {
      x = 1
    })(),
    { '\udc00': 1, '': 2, constructor: 3, toJSON: 4, hasOwnProperty: 5, 7: 6 },
    JSON.parse('{"__proto__": 1}'),
    [new Date(), new Map([[{}, new Set([1])]]), new Uint8Array(3)],
    Buffer.from('pooled').subarray(1),
  ]
  for (const value of plain.slice(0, -1)) expect(codecs.encode(value).kind).toBe(VALUE_PLAIN)
  const shared = {}
  const bytes = new Uint8Array(3)
  const others = [
    [, 1], // eslint-disable-line no-sparse-arrays -- the case
    Object.assign([1], { x: 1 }),
    Object.assign([1, , 2], { x: 1 }), // eslint-disable-line no-sparse-arrays -- as many keys as places
    Object.assign(new Array<unknown>(20).fill(0), { x: 1 }),
    Object.assign([, ...new Array<unknown>(20).fill(0)], { x: 1 }), // eslint-disable-line no-sparse-arrays -- as above
    [shared, shared],
    [bytes, new Uint8Array(bytes.buffer)],
    [bytes, bytes.buffer],
    [Float64Array.of(1)],
    [new Error('e')],
    [/x/],
    [Object(1)],
  ]
  for (const value of others) {
    expect(codecs.encode(value).kind).toBe(VALUE_CLONE)
    deepStrictEqual(roundTrip(value), structuredClone(value))
  }
})

describe('getters', () => {
  test('are read once', () => {
    let reads = 0
    const value = {
      get counted(): number {
        return ++reads
      },
      map: new Map(),
    }
    expect(roundTrip(value)).toEqual({ counted: 1, map: new Map() })
    expect(reads).toBe(1)
  })

  test('are read once also where a value goes another way after them', () => {
    const reads: string[] = []
    const counted = (name: string): unknown => {
      reads.push(name)
      return { name, at: reads.length }
    }
    const cycle: { self?: object } = {}
    cycle.self = cycle
    const value = {
      get first(): unknown {
        return counted('first')
      },
      list: Object.defineProperty([0, 1], 0, { enumerable: true, get: () => counted('element') }) as unknown[],
      get lazy(): unknown {
        const found = counted('lazy')
        // As a getter does that replaces itself, here by a property that is not enumerable.
        Object.defineProperty(this, 'lazy', { value: found, enumerable: false })
        return found
      },
      nested: {
        get inner(): unknown {
          return counted('inner')
        },
        get gone(): number {
          delete (this as { gone?: number }).gone
          return 5
        },
        ['__proto__']: 'own',
        cycle,
        get after(): unknown {
          return counted('after')
        },
      },
      get last(): unknown {
        return counted('last')
      },
    }
    const copy = roundTrip(value) as Record<string, unknown>
    expect(reads.sort()).toEqual(['after', 'element', 'first', 'inner', 'last', 'lazy'])
    expect(Object.keys(copy)).toEqual(['first', 'list', 'lazy', 'nested', 'last'])
    expect(copy).toMatchObject({ first: { name: 'first' }, list: [{ name: 'element' }, 1], lazy: { name: 'lazy' } })
    const nested = copy.nested as Record<string, { self?: object }>
    expect(Object.keys(nested)).toEqual(['inner', 'gone', '__proto__', 'cycle', 'after'])
    expect(nested.gone).toBe(5)
    expect(Object.getOwnPropertyDescriptor(nested, '__proto__')?.value).toBe('own')
    expect(nested.cycle.self).toBe(nested.cycle)
  })

  test('of elements of long arrays are read once, whichever way the value goes', () => {
    const counts: number[] = []
    const long = (change: (list: unknown[]) => void): unknown[] => {
      const list = Array.from({ length: 30 }, (_, i): unknown => i)
      const at = counts.push(0) - 1
      Object.defineProperty(list, 7, { enumerable: true, get: () => `read ${++counts[at]}` })
      change(list)
      return list
    }
    const shared = {}
    const lists = [
      long(() => undefined),
      long((list) => (list[20] = [shared, shared])),
      long((list) => Reflect.deleteProperty(list, 20)),
      long((list) => Object.assign(list, { name: 1 })),
      long((list) => Reflect.deleteProperty(Object.assign(list, { name: 1 }), 20)),
    ]
    for (const list of lists) {
      const copy = roundTrip(list) as unknown[]
      expect(copy[7]).toBe('read 1')
      expect(Object.keys(copy)).toEqual(Object.keys(list))
    }
    expect(counts).toEqual([1, 1, 1, 1, 1])
  })

  test('are read once also where the value is refused after them', () => {
    let reads = 0
    const value = {
      get counted(): number {
        return ++reads
      },
      bad: () => 1,
    }
    expect(codeOf(() => codecs.encode(value))).toMatch(/^ERR_MAPSAFE_VALUE_TYPE value.bad is a function/)
    expect(reads).toBe(1)
  })

  test('may encode values themselves', () => {
    const value = {
      before: 'before',
      get inner(): unknown {
        return roundTrip({ nested: 'x'.repeat(10_000) })
      },
      after: 'after',
    }
    expect(roundTrip(value)).toEqual({ before: 'before', inner: { nested: 'x'.repeat(10_000) }, after: 'after' })
  })

  test('may delete later properties, which are then left out', () => {
    const names = Array.from({ length: 40 }, (_, i) => `p${i}`)
    for (const count of [2, 15, 16, 40]) {
      const value: Record<string, unknown> = {
        get first(): number {
          delete value.p0
          return 1
        },
      }
      for (const name of names.slice(0, count)) value[name] = name
      const copy = roundTrip(value) as object
      expect(Object.keys(copy)).toEqual(['first', ...names.slice(1, count)])
    }
  })

  test('that throw, throw through, and leave the encoder usable', () => {
    const fault = new Error('from the getter')
    const value = {
      list: [
        {
          get bad(): never {
            throw fault
          },
        },
      ],
    }
    expect(() => codecs.encode(value)).toThrow(fault)
    expect(roundTrip({ a: 1 })).toEqual({ a: 1 })
  })
})

describe('what cannot be stored is named with its path', () => {
  const cases: [string, unknown, string][] = [
    ['function', () => 1, 'value is a function'],
    ['symbol', Symbol('s'), 'value is a symbol'],
    ['nested function', { user: { callback: () => 1 } }, 'value.user.callback is a function'],
    ['in an array', { list: [1, 2, 3, Symbol.iterator] }, 'value.list[3] is a symbol'],
    ['in a Map', { map: new Map([['k', { f: () => 1 }]]) }, 'value.map.get("k").f is a function'],
    ['as a Map key', new Map([[() => 1, 1]]), 'value.keys()[0] is a function'],
    ['in a Set', new Set([1, () => 1]), 'value.values()[1] is a function'],
    ['in a cause', new Error('e', { cause: () => 1 }), 'value.cause is a function'],
    ['under an odd name', { 'a b': { 1: () => 1 } }, 'value["a b"]["1"] is a function'],
    ['WeakMap', { w: new WeakMap() }, 'value.w is a WeakMap'],
    ['WeakSet', new WeakSet(), 'value is a WeakSet'],
    ['WeakRef', [new WeakRef({})], 'value[0] is a WeakRef'],
    ['Promise', Promise.resolve(), 'value is a Promise'],
    ['Proxy', { p: new Proxy({}, {}) }, 'value.p is a Proxy'],
    ['SharedArrayBuffer', new SharedArrayBuffer(4), 'value is a SharedArrayBuffer'],
    ['shared bytes', new Uint8Array(new SharedArrayBuffer(4)), 'value is a view of a SharedArrayBuffer'],
    ['shared view', [new Int32Array(new SharedArrayBuffer(4))], 'value[0] is a view of a SharedArrayBuffer'],
    ['MessagePort', new MessageChannel().port1, 'value is a MessagePort'],
    ['Blob', new Blob([]), 'value is a Blob'],
    ['generator', numbers(), 'value is a Generator'],
    ['iterator', new Map().keys(), 'value is a Map Iterator'],
    ['symbol object', Object(Symbol('s')), 'value is a Symbol object'],
    ['detached ArrayBuffer', [detached()], 'value[0] is a detached ArrayBuffer'],
    ['view of it', { v: viewOfDetached() }, 'value.v is a view of a detached ArrayBuffer'],
    ['error that is its own cause', { e: ownCause() }, 'value.e.cause.of is an error within its own cause'],
  ]
  test.each(cases)('%s', (_name, value, expected) => {
    const message = codeOf(() => codecs.encode(value))
    expect(message.startsWith('ERR_MAPSAFE_VALUE_TYPE')).toBe(true)
    expect(message).toContain(expected)
    expect(() => codecs.encode(value)).toThrow(TypeError)
  })

  test('nesting of 500 levels is stored, and more refused with an error, however deep', () => {
    expect(roundTrip(nested(500))).toEqual(nested(500))
    expect(codeOf(() => codecs.encode(nested(501)))).toMatch(/nested deeper than 500 levels/)
    expect(codeOf(() => codecs.encode(nested(100_000)))).toMatch(
      /^ERR_MAPSAFE_VALUE_TYPE value(\.a){4} \.\.\. (\.a){4} is nested/,
    )
  })
})

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(4)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

function viewOfDetached(): Uint8Array {
  const view = new Uint8Array(4)
  structuredClone(view, { transfer: [view.buffer] })
  return view
}

function ownCause(): Error {
  const error = new Error('cyclic')
  error.cause = { of: error }
  return error
}

function* numbers(): Generator<number> {
  yield 1
}

function nested(levels: number): object {
  let value: object = {}
  for (let level = 0; level < levels; level++) value = { a: value }
  return value
}

describe('freezing', () => {
  test('reaches every object and array', () => {
    const copy = roundTrip({ a: { b: [{ c: 1 }, Object.assign([1], { x: {} })] }, e: new Error('e') }, frozen) as {
      a: { b: [object, { x: object }] }
      e: Error
    }
    for (const object of [copy, copy.a, copy.a.b, copy.a.b[0], copy.a.b[1], copy.a.b[1].x, copy.e]) {
      expect(Object.isFrozen(object)).toBe(true)
    }
    expect(frozen.immutable).toBe(true)
  })

  test('reaches objects in a cycle', () => {
    const cycle: { self?: object; list: unknown[] } = { list: [] }
    cycle.self = cycle
    cycle.list.push(cycle)
    const copy = roundTrip(cycle, frozen) as { list: unknown[] }
    expect(Object.isFrozen(copy) && Object.isFrozen(copy.list)).toBe(true)
  })

  test.each([new Uint8Array(1), new ArrayBuffer(1), /x/g, new Float64Array(1)])(
    'tells that %s is not immutable, but freezes what is around it',
    (part) => {
      const copy = roundTrip({ part }, frozen)
      expect(Object.isFrozen(copy)).toBe(true)
      expect(frozen.immutable).toBe(false)
    },
  )

  test.each([new Date(5), new Map([[new Date(6), 1]]), new Set([new Date(7)])])('tells of the dates in %s', (part) => {
    const copy = roundTrip({ part, last: new Date(8) }, frozen) as { part: object; last: Date }
    expect(Object.isFrozen(copy.part) && Object.isFrozen(copy.last)).toBe(true)
    expect(frozen.immutable).toBe(false)
    expect(frozen.dates).toHaveLength(2)
    expect(frozen.dates?.[1]).toBe(copy.last)
    roundTrip({ part, bytes: new Uint8Array(1) }, frozen)
    expect(frozen.dates).toBeUndefined()
    roundTrip({ part }, thawed)
    expect(thawed.dates).toBeUndefined()
  })

  test('a Map and a Set refuse changes, and are what they were all the same', () => {
    const value = { map: new Map([['a', { b: 1 }]]), set: new Set([1, 2]) }
    const shared = { ...value, same: value.map }
    for (const copy of [roundTrip(value, frozen), roundTrip(shared, frozen)] as (typeof value)[]) {
      const { map, set } = copy
      for (const change of [
        () => map.set('a', { b: 2 }),
        () => map.delete('a'),
        (): unknown => {
          map.clear()
          return undefined
        },
        () => set.add(3),
        () => set.delete(1),
        (): unknown => {
          set.clear()
          return undefined
        },
        () => ((map as unknown as Record<string, unknown>).set = 1),
      ]) {
        expect(change).toThrow(TypeError)
      }
      deepStrictEqual({ map, set }, value)
      expect({ map, set }).toStrictEqual(value)
      deepStrictEqual(structuredClone(map), value.map)
      expect(map).toBeInstanceOf(Map)
      expect(inspect(copy.set)).toBe(inspect(value.set))
      expect(Object.isFrozen(map.get('a'))).toBe(true)
      map.forEach((_, key) => {
        expect(key).toBe('a')
      })
      const open = new Map(map).set('c', { b: 3 })
      expect(open.size).toBe(2)
    }
    expect(() => (roundTrip(value) as typeof value).map.set('c', { b: 3 })).not.toThrow()
  })

  test('a RegExp with a position still works', () => {
    const copy = roundTrip(/a/g, frozen) as RegExp
    expect('aa'.match(copy)).toEqual(['a', 'a'])
    expect(copy.exec('ba')?.index).toBe(1)
  })

  test('is left out on demand', () => {
    const copy = roundTrip({ a: [] }) as { a: unknown[] }
    copy.a.push(1)
    expect(copy.a).toEqual([1])
    expect(thawed.immutable).toBe(false)
  })
})

describe('damaged bytes', () => {
  test('give ERR_MAPSAFE_CORRUPT or another value, but no other error', () => {
    const samples = Object.values(storableValues()).filter((value) => typeof value === 'object' && value !== null)
    const small = samples.map((value) => encoded(value)).filter(({ bytes }) => bytes.length < 2000)
    fc.assert(
      fc.property(fc.constantFrom(...small), fc.nat(), fc.nat(255), fc.boolean(), ({ kind, bytes }, at, byte, cut) => {
        const damaged = bytes.slice()
        damaged[at % bytes.length] = byte
        const length = cut ? at % bytes.length : bytes.length
        try {
          frozen.decode(kind, damaged, length)
        } catch (error) {
          if (!(error instanceof MapsafeError && error.code === 'ERR_MAPSAFE_CORRUPT')) throw error
        }
      }),
      { seed, numRuns: scaled(3000) },
    )
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('bytes left over, or an unknown kind, are reported', () => {
    const { kind, bytes } = encoded({ a: 1 })
    const longer = new Uint8Array(bytes.length + 1)
    longer.set(bytes)
    expect(codeOf(() => frozen.decode(kind, longer, longer.length))).toMatch(/^ERR_MAPSAFE_CORRUPT/)
    expect(codeOf(() => frozen.decode(31, bytes, bytes.length))).toMatch(/^ERR_MAPSAFE_FORMAT/)
  })
})

function encoded(value: unknown): { kind: number; bytes: Uint8Array } {
  const encoder = codecs.encode(value)
  const engine = scratchEngine()
  encoder.stage(engine)
  return { kind: encoder.kind, bytes: engine.scratch.slice(0, encoder.operand as number) }
}
