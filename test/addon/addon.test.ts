import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext, runInThisContext } from 'node:vm'
import { threadId, Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Key } from '../../src/format/key.js'
import {
  DONE,
  ENTRY_TOO_LARGE,
  FOUND,
  KEY_TYPE,
  NOT_DONE,
  PUT_ALWAYS,
  PUT_IF_VERSION,
  RESULT_LENGTH,
  RESULT_STATUS,
  RESULT_VERSION_LOW,
  SCRATCH_TOO_SMALL,
  type Engine,
} from '../../src/engine/engine.js'
import { loadNative, type NativeBinding } from '../../src/platform/addon.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import {
  BLOCK_WORDS,
  MAX_KEY_BYTES,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  THREAD_STATE,
  THREAD_WORDS,
  VALUE_BYTES,
  VALUE_LAPSED_LEASE,
  VALUE_LATIN1,
  VALUE_NUMBER,
  VALUE_TRUE,
} from '../../src/format/layout.js'
import { scaled, seed } from '../support/run.js'

// What the glue alone is answerable for: arguments in, values out, lifetimes. What the engine does with them is tested
// by the conformance suite.

const binding: NativeBinding = loadNative() ?? expect.fail('the native engine is not built')
let region: SharedArrayBuffer
let words: Int32Array
let native: Engine

function open(): Engine {
  const engine = binding.createEngine(words, process.pid, threadId) as Engine | null
  return engine ?? expect.fail('no thread record is free')
}

function threadsAttached(): number {
  let count = 0
  for (let i = 0; i < REGISTRY_THREADS; i++) {
    count += Atomics.load(words, REGISTRY_BLOCK * BLOCK_WORDS + i * THREAD_WORDS + THREAD_STATE)
  }
  return count
}

beforeEach(() => {
  region = new SharedArrayBuffer(16 * 2 ** 20)
  formatRegion(region)
  words = new Int32Array(region)
  native = open()
})

/**
 * Strings around the lengths at which a buffer is full, of Latin-1, of wider units, and of one wider unit at either
 * end.
 */
const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256, 257, 1021, 1022, 1023, 1024, 1025, 5000]
const strings = lengths.flatMap((length) => {
  const latin = 'é'.repeat(length)
  return [latin, '\u{1f600}'.repeat(length).slice(0, length), `${latin}\u0100`, `\uffff${latin}`, `\ud800${latin}`]
})

describe('keys', () => {
  test.each<[string, Key[]]>([
    ['strings', strings],
    ['numbers', [0, 1, -1, 0.1, NaN, Infinity, -Infinity, 2 ** 53, 5e-324]],
    [
      'bigints',
      [0n, 1n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n, -(2n ** 64n), 2n ** 96n - 1n, -(3n ** 5000n)],
    ],
    ['booleans', [true, false]],
    ['bytes', [0, 1, 2, 3, 4, 5, 1024, 5000].map((length) => new Uint8Array(length).fill(255))],
  ])('%s are the same keys for both engines', (_, keys) => {
    const typescript = new TypescriptEngine(region)
    const distinct = new Set(keys).size
    keys.forEach((key, i) => native.put(key, VALUE_NUMBER, i, PUT_ALWAYS))
    expect(native.size()).toBe(distinct)
    keys.forEach((key) => expect(typescript.get(key)).toBe(native.get(key)))
    keys.forEach((key, i) => typescript.put(key, VALUE_NUMBER, -i, PUT_ALWAYS))
    expect(native.size()).toBe(distinct)
    keys.forEach((key) => expect(native.get(key)).toBe(typescript.get(key)))
  })

  test('any string is the same key, and the same value, for both engines', () => {
    const typescript = new TypescriptEngine(region)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (key, value) => {
        native.put(key, VALUE_LATIN1, value, PUT_ALWAYS)
        expect(typescript.get(key)).toBe(value)
        typescript.put(key, VALUE_LATIN1, value + key, PUT_ALWAYS)
        expect(native.get(key)).toBe(value + key)
      }),
      { seed, numRuns: scaled(500) },
    )
  })

  test('-0 is the key 0, every NaN is one key, a Buffer is its bytes', () => {
    native.put(-0, VALUE_NUMBER, 1, PUT_ALWAYS)
    expect(native.get(0)).toBe(1)
    const [odd] = new Float64Array(new BigUint64Array([0xfff8_dead_beef_0001n]).buffer)
    native.put(odd, VALUE_NUMBER, 2, PUT_ALWAYS)
    expect(native.get(NaN)).toBe(2)
    native.put(Buffer.from('ab'), VALUE_NUMBER, 3, PUT_ALWAYS)
    expect(native.get(new Uint8Array([97, 98]))).toBe(3)
    expect(native.get('ab')).toBeUndefined()
    expect(native.get(new Uint8Array([0, 97, 98, 0]).subarray(1, 3))).toBe(3)
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a symbol', Symbol('key')],
    ['a function', (): void => undefined],
    ['an object', {}],
    ['an Int8Array', new Int8Array(2)],
    ['a Uint8ClampedArray', new Uint8ClampedArray(2)],
    ['an ArrayBuffer', new ArrayBuffer(2)],
  ])('%s is no key', (_, key) => {
    const calls: ((key: Key) => unknown)[] = [
      (key) => native.get(key),
      (key) => native.getIfChanged(key, 1),
      (key) => native.getPassing(key),
      (key) => native.peek(key),
      (key) => native.put(key, VALUE_TRUE, undefined, PUT_ALWAYS),
      (key) => native.remove(key, PUT_ALWAYS),
      (key) => native.increment(key, 1),
    ]
    for (const call of calls) {
      native.result[RESULT_STATUS] = DONE
      call(key as Key)
      expect(native.result[RESULT_STATUS]).toBe(KEY_TYPE)
    }
    expect(native.size()).toBe(0)
  })

  test.each<[string, Key, Key]>([
    ['Latin-1', 'x'.repeat(MAX_KEY_BYTES), 'x'.repeat(MAX_KEY_BYTES + 1)],
    ['UTF-16', '→'.repeat(MAX_KEY_BYTES >> 1), '→'.repeat((MAX_KEY_BYTES >> 1) + 1)],
    ['bytes', new Uint8Array(MAX_KEY_BYTES), new Uint8Array(MAX_KEY_BYTES + 1)],
    ['bigint', (1n << 8_388_544n) - 1n, 1n << 8_388_576n],
  ])('the longest %s key fits, a longer one is too large', (_, longest, longer) => {
    native.put(longest, VALUE_NUMBER, 1, PUT_ALWAYS)
    expect(native.result[RESULT_STATUS]).toBe(DONE)
    expect(native.get(longest)).toBe(1)
    native.put(longer, VALUE_NUMBER, 2, PUT_ALWAYS)
    expect(native.result[RESULT_STATUS]).toBe(ENTRY_TOO_LARGE)
    native.get(longer)
    expect(native.result[RESULT_STATUS]).toBe(ENTRY_TOO_LARGE)
  })
})

describe('values', () => {
  test('strings come back as they went in', () => {
    for (const value of [...strings, 'z'.repeat(3_000_000), 'short again']) {
      native.put('key', VALUE_LATIN1, value, PUT_ALWAYS)
      let back = native.get('key')
      if (native.result[RESULT_STATUS] === SCRATCH_TOO_SMALL) {
        native.growScratch(native.result[RESULT_LENGTH])
        back = native.get('key')
      }
      expect(native.result[RESULT_STATUS]).toBe(FOUND)
      expect(back === value).toBe(true)
    }
  })

  test.each([0, -0, NaN, 1.5, 2 ** 31, -(2 ** 53), Infinity])('the number %s comes back bit for bit', (value) => {
    native.put('key', VALUE_NUMBER, value, PUT_ALWAYS)
    expect(native.get('key')).toBe(value)
  })

  test('what does not fit its kind is refused and changes nothing', () => {
    const refusals: [number, unknown][] = [
      [VALUE_NUMBER, 'text'],
      [VALUE_LATIN1, 5],
      [VALUE_BYTES, native.scratch.length + 1],
      [VALUE_LAPSED_LEASE, 0],
      [0, 0],
    ]
    for (const [kind, value] of refusals) {
      expect(() => native.put('key', kind, value, PUT_ALWAYS)).toThrow(TypeError)
    }
    expect(native.size()).toBe(0)
  })

  test.each([-1, 1.5, NaN, 2 ** 53, Infinity])('no entry has the version %s', (version) => {
    native.put('key', VALUE_NUMBER, 1, PUT_ALWAYS)
    expect(native.result[RESULT_VERSION_LOW]).toBe(1)
    native.put('key', VALUE_NUMBER, 2, PUT_IF_VERSION, version)
    expect(native.result[RESULT_STATUS]).toBe(NOT_DONE)
  })
})

test('an engine keeps its methods where V8 finds them without looking up their names', () => {
  setFlagsFromString('--allow-natives-syntax')
  const isFast = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean
  const table: Record<string, number> = { deleted: 0, kept: 1 }
  delete table.deleted
  expect(isFast(table)).toBe(false)
  expect(isFast(native)).toBe(true)
  native.growScratch(2 * native.scratch.length)
  expect(isFast(native)).toBe(true)
})

describe('lifetime', () => {
  const collectGarbage = async (): Promise<void> => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    for (let i = 0; i < 3; i++) {
      gc()
      await sleep(20)
    }
  }

  test('every call but close throws after close', () => {
    native.close()
    native.close()
    expect(threadsAttached()).toBe(0)
    const calls = [
      (): unknown => native.get('key'),
      (): unknown => native.getIfChanged('key', 1),
      (): unknown => native.getPassing('key'),
      (): unknown => native.put('key', VALUE_TRUE, undefined, PUT_ALWAYS),
      (): unknown => native.remove('key', PUT_ALWAYS),
      (): unknown => native.increment('key', 1),
      (): unknown => native.getMany(['key'], [], 0),
      (): unknown => native.putMany(['key'], [VALUE_TRUE], [undefined], 0, 1),
      (): unknown => native.removeMany(['key']),
      (): unknown => native.size(),
      (): unknown => native.collect(0, 2 ** 32, 1),
      (): unknown => native.verify(),
      (): void => {
        native.growScratch(1)
      },
    ]
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }))
  })

  test('an engine lives as long as one of its functions, then gives its record back', async () => {
    native.put('key', VALUE_NUMBER, 1, PUT_ALWAYS)
    native.close()
    const functions: ((key: Key) => unknown)[] = [Reflect.get(open(), 'get')]
    await collectGarbage()
    expect(functions[0]('key')).toBe(1)
    expect(threadsAttached()).toBe(1)
    functions.pop()
    await collectGarbage()
    expect(threadsAttached()).toBe(0)
  })

  test('there is no engine when every record is taken', () => {
    const engines = Array.from({ length: REGISTRY_THREADS - 1 }, open)
    expect(binding.createEngine(words, process.pid, threadId)).toBeNull()
    engines[0].close()
    expect(binding.createEngine(words, process.pid, threadId)).not.toBeNull()
    for (const engine of engines) engine.close()
  })

  test.each([
    ['returns', ''],
    ['calls process.exit', 'process.exit(0)'],
    ['throws', 'throw new Error("as planned")'],
    ['is terminated', 'parentPort.postMessage("ready"); for (;;) engine.increment("spin", 1)'],
  ])('a worker that %s without closing gives its record back', async (_, end) => {
    const worker = new Worker(
      `const { createEngine } = require(${JSON.stringify(binaryPath())})
       const { parentPort, threadId, workerData } = require('node:worker_threads')
       const engine = createEngine(workerData, process.pid, threadId)
       engine.put('from worker', ${VALUE_NUMBER}, 1, ${PUT_ALWAYS})
       ${end}`,
      { eval: true, workerData: words },
    )
    worker.on('error', (error) => {
      expect(error.message).toBe('as planned')
    })
    worker.on('message', () => void worker.terminate())
    await new Promise((resolve) => worker.on('exit', resolve))
    expect(native.get('from worker')).toBe(1)
    expect(threadsAttached()).toBe(1)
    expect(native.verify()).toEqual([])
  })

  test.each([
    ['no array', {}],
    ['an array of another type', new Uint32Array(4)],
    ['an unaligned array', new Int32Array(new SharedArrayBuffer(64), 4)],
  ])('%s is refused as a region', (_, words) => {
    expect(() => binding.createEngine(words as Int32Array, 1, 0)).toThrow(TypeError)
  })
})

/** The binary that this test loaded, for workers to load it too. */
function binaryPath(): string {
  const loaded = Object.keys(createRequire(import.meta.url).cache)
  return loaded.find((path) => path.endsWith('mapsafe.node')) ?? expect.fail('no binary was loaded')
}
