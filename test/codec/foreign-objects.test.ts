import { deepStrictEqual } from 'node:assert'
import { createHash, createSecretKey, webcrypto } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { BlockList, Server, Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Readable, Writable } from 'node:stream'
import { Serializer } from 'node:v8'
import { runInNewContext, Script } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { MapsafeError } from '../../src/base/errors.js'
import { ValueCodecs } from '../../src/codec/value.js'

/** Objects whose data is not in fields: of the host, of the language, of other realms, of users' classes. */

const thawed = new ValueCodecs(false)
const frozen = new ValueCodecs(true)

function copyOf(value: object): object {
  return (frozen.decode(...bytesOf({ at: [value] })) as { at: [object] }).at[0]
}

/** The message with which `value` is refused, at whatever place. */
function refusalOf(value: unknown): string {
  let error: unknown
  for (const given of [value, { at: [value] }]) {
    error = undefined
    try {
      thawed.encode(given)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(MapsafeError)
    expect(error).toHaveProperty('code', 'ERR_MAPSAFE_VALUE_TYPE')
  }
  const { message } = error as MapsafeError
  expect(message).toMatch(/^value\.at\[0\] is /)
  return message.slice('value.at[0] is '.length)
}

const anyGlobal = globalThis as unknown as Record<string, Record<string, new (...given: unknown[]) => object>>

function* numbers(): Generator<number> {
  yield 1
}

async function* later(): AsyncGenerator<number> {
  yield await Promise.resolve(1)
}

class Money {
  #cents = 5
  get cents(): number {
    return this.#cents
  }
}

const wasm = (): object => new anyGlobal.WebAssembly.Memory({ initial: 1 })

describe('what keeps its data elsewhere is refused with its path, its class and what to store instead', () => {
  const cases: [string, () => unknown, string?][] = [
    ['a URL', () => new URL('http://a/'), 'store its href'],
    ['a URLSearchParams', () => new URLSearchParams('a=1'), 'store its toString()'],
    ['a Headers', () => new Headers({ a: '1' }), 'store Object.fromEntries(headers)'],
    ['a FormData', () => new FormData(), 'store the array of its entries'],
    ['a Request', () => new Request('http://a/'), 'store its url'],
    ['a Response', () => new Response('a'), 'store its status'],
    ['a ReadableStream', () => new ReadableStream()],
    ['a WritableStream', () => new WritableStream()],
    ['a TransformStream', () => new TransformStream()],
    ['a Readable, an EventEmitter', () => Readable.from(['a'])],
    ['a Writable, an EventEmitter', () => new Writable()],
    ['a Socket, an EventEmitter', () => new Socket()],
    ['a Server, an EventEmitter', () => new Server()],
    ['a Hash, an EventEmitter', () => createHash('sha1')],
    ['an EventEmitter', () => new EventEmitter()],
    ['an EventTarget', () => new EventTarget()],
    ['an Event', () => new Event('a')],
    ['an AbortController', () => new AbortController()],
    ['an AbortSignal', () => AbortSignal.abort()],
    ['a TextEncoder', () => new TextEncoder()],
    ['a MessagePort', () => new MessageChannel().port1],
    ['a BroadcastChannel', () => new BroadcastChannel('a').unref()],
    ['a Blob', () => new Blob([]), 'store what its arrayBuffer() gives'],
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(8), 'copy the bytes with slice() first'],
    ['an Intl.DateTimeFormat', () => new Intl.DateTimeFormat(), 'store its locale and options'],
    ['an Intl.Collator', () => new Intl.Collator()],
    ['an Intl.Locale', () => new Intl.Locale('en')],
    ['a WebAssembly.Memory', wasm, 'store the bytes of the module'],
    ['a Promise', () => Promise.resolve(1), 'await it first'],
    ['a WeakMap', () => new WeakMap(), 'store a Map'],
    ['a WeakSet', () => new WeakSet(), 'store a Set'],
    ['a WeakRef', () => new WeakRef({}), 'store the object'],
    ['a FinalizationRegistry', () => new FinalizationRegistry(() => undefined)],
    ['a Generator', () => numbers(), 'store Array.from(generator)'],
    ['an AsyncGenerator', () => later()],
    ['an Array Iterator', () => [1].values(), 'store Array.from(iterator)'],
    ['a Map Iterator', () => new Map([[1, 1]]).keys()],
    ['a Set Iterator', () => new Set([1]).values()],
    ['a String Iterator', () => 'a'[Symbol.iterator]()],
    ['a RegExp String Iterator', () => 'a'.matchAll(/a/g)],
    ['a Symbol object', () => Object(Symbol('a')) as object],
    ['the arguments of a function', argumentsOf, 'store Array.from(arguments)'],
    ['the object Math', () => Math],
    ['the object JSON', () => JSON],
    ['the object Atomics', () => Atomics],
    ['the object Reflect', () => Reflect],
    ['the object Intl', () => Intl],
    ['the object WebAssembly', () => anyGlobal.WebAssembly],
    ['process', () => process],
    [
      'a Module',
      () => Object.defineProperty({ a: 1 }, Symbol.toStringTag, { value: 'Module' }),
      'copies of its exports',
    ],
    ['a Script', () => new Script('1'), 'store its source'],
    ['a Serializer', () => new Serializer()],
    ['BlockList', () => new BlockList()],
    ['an instance of Money that has no fields', () => new Money(), 'store what its methods give'],
    ['a Proxy', () => new Proxy({}, {})],
  ]
  test.each(cases)('%s', (name, make, instead = '') => {
    const message = refusalOf(make())
    expect(message).toContain(name)
    expect(message).toContain(instead)
  })

  test.each<[string, () => object]>([
    ['a KeyObject', () => createSecretKey(Buffer.from('key'))],
    ['a performance entry', () => performance.mark('a')],
    ['webcrypto', () => webcrypto],
    ['a subclass of Promise with fields', () => Object.assign(Promise.resolve(1), { field: 1 })],
    ['a subclass of URL with fields', () => Object.assign(new URL('http://a/'), { field: 1 })],
    ['a Temporal date', temporal],
    ['an iterator with a helper', helped],
  ])('%s', (_, make) => {
    refusalOf(make())
  })

  test('also without its own prototype', () => {
    const objects = [new WeakMap(), Promise.resolve(1), new SharedArrayBuffer(4), numbers(), new Map([[1, 1]]).keys()]
    for (const object of objects) {
      refusalOf(Object.setPrototypeOf(object, null))
      refusalOf(Object.setPrototypeOf(object, Object.prototype))
    }
    refusalOf(Object.setPrototypeOf(new Map([[1, 1]]), Object.prototype))
  })
})

function argumentsOf(): object {
  // eslint-disable-next-line prefer-rest-params -- the case
  return arguments
}

function temporal(): object {
  const { Temporal } = anyGlobal as { Temporal?: { Now: { plainDateISO(): object } } }
  return Temporal === undefined ? new URL('http://a/') : Temporal.Now.plainDateISO()
}

function helped(): object {
  const iterator = [1].values() as unknown as { map?: (f: (n: number) => number) => object }
  return iterator.map?.((n) => n) ?? iterator
}

test('an instance of a class is stored as the fields that it has', () => {
  class Point {
    x = 1
    #hidden = 2
    sum(): number {
      return this.x + this.#hidden
    }
  }
  class Emptied extends Point {
    declare y?: number
  }
  class Bare {
    declare x?: number
  }
  class Named {
    x = 1
    get [Symbol.toStringTag](): string {
      return `Named ${this.x}`
    }
  }
  expect(copyOf(new Point())).toEqual({ x: 1 })
  expect(copyOf(new Emptied())).toEqual({ x: 1 })
  expect(copyOf(new Bare())).toEqual({})
  expect(copyOf(new Named())).toEqual({ x: 1 })
  // As old code makes classes.
  function Failure(this: { code: number }): void {
    this.code = 1
  }
  Failure.prototype = Object.create(Error.prototype) as object
  expect(copyOf(new (Failure as unknown as new () => object)())).toEqual({ code: 1 })
  // A dictionary whose class is there to be fast alone.
  function Dictionary(): void {
    // Nothing.
  }
  Dictionary.prototype = Object.create(null) as object
  expect(copyOf(new (Dictionary as unknown as new () => object)())).toEqual({})
  expect(copyOf(Object.create(null) as object)).toEqual({})
  expect(copyOf({ [Symbol.toStringTag]: 'Own', a: 1 })).toEqual({ a: 1 })
})

describe('values of another realm', () => {
  const foreign = (code: string): object => runInNewContext(`(${code})`) as object
  test.each([
    ['{ a: 1 }', { a: 1 }],
    ['{}', {}],
    ['Object.create(null)', {}],
    ['[1, [2]]', [1, [2]]],
    ['[, 1]', [, 1]], // eslint-disable-line no-sparse-arrays -- the case
    ['new Date(5)', new Date(5)],
    ['/a+/gi', /a+/gi],
    ['new Map([[1, { a: new Set([2]) }]])', new Map([[1, { a: new Set([2]) }]])],
    ['new Set([1])', new Set([1])],
    ['new Float64Array([1, 2])', Float64Array.of(1, 2)],
    ['new Uint8Array([1, 2]).subarray(1)', Uint8Array.of(2)],
    ['new DataView(new ArrayBuffer(2), 1)', new DataView(new ArrayBuffer(1))],
    ['new Uint8Array([1, 2]).buffer', Uint8Array.of(1, 2).buffer],
    ['Object(1n)', Object(1n)],
    ['new String("a")', new String('a')],
    ['new (class { x = 1; m() {} })()', { x: 1 }],
  ])('%s', (code, expected) => {
    expect(foreign(code)).not.toBeInstanceOf(Object)
    const copy = copyOf(foreign(code))
    deepStrictEqual(copy, expected)
    expect(copy).toBeInstanceOf(Object)
    deepStrictEqual(thawed.decode(...bytesOf(foreign(code))), expected)
  })

  test('an error', () => {
    const copy = copyOf(foreign('new RangeError("m", { cause: new TypeError("c") })')) as Error
    expect(copy).toBeInstanceOf(RangeError)
    expect(copy.message).toBe('m')
    expect(copy.cause).toBeInstanceOf(TypeError)
  })

  test.each(['new WeakMap()', 'Promise.resolve()', 'new Intl.Collator()', 'Math', '[].values()', 'new WeakRef({})'])(
    'refused: %s',
    (code) => {
      refusalOf(foreign(code))
    },
  )
})

function bytesOf(value: object): [kind: number, bytes: Uint8Array, length: number] {
  const encoder = thawed.encode(value)
  const bytes = new Uint8Array(encoder.byteLength)
  encoder.copyTo(bytes, 0)
  return [encoder.kind, bytes, bytes.length]
}

describe('a DOMException', () => {
  test('stays one, with its name, message, code and stack', () => {
    const exception = new DOMException('m', 'AbortError')
    const copy = copyOf(exception) as DOMException
    expect(copy).toBeInstanceOf(DOMException)
    expect([copy.name, copy.message, copy.code]).toEqual(['AbortError', 'm', DOMException.ABORT_ERR])
    expect(copy.stack).toBe(exception.stack)
    expect(Object.keys(copy)).toEqual([])
    expect(Object.isFrozen(copy)).toBe(true)
  })

  test('alone, twice, of wide text, without a stack', () => {
    const exception = new DOMException('\u2603', 'Eigener')
    Object.defineProperty(exception, 'stack', { value: undefined })
    const both = copyOf([exception, { exception }, new Date(1), exception]) as [DOMException, { exception: unknown }]
    expect(both[0].message).toBe('\u2603')
    expect(both[0].name).toBe('Eigener')
    expect(both[0].stack).toBeUndefined()
    expect(both[1].exception).toBe(both[0])
    expect(thawed.decode(...bytesOf(exception))).toBeInstanceOf(DOMException)
  })

  test('keeps a cause, which is refused if it leads back', () => {
    const exception = new DOMException('m', 'AbortError')
    Object.defineProperty(exception, 'cause', { value: { list: [new RangeError('c')] }, configurable: true })
    expect((copyOf(exception) as { cause: { list: [Error] } }).cause.list[0]).toBeInstanceOf(RangeError)
    Object.defineProperty(exception, 'cause', { value: [exception] })
    expect(() => thawed.encode(exception)).toThrow('value.cause[0] is an error within its own cause')
  })

  test('is one of a subclass, too, and its prototype alone is not', () => {
    class Abort extends DOMException {}
    expect(copyOf(new Abort('m', 'AbortError'))).toHaveProperty('name', 'AbortError')
    refusalOf(Object.create(DOMException.prototype))
  })
})
