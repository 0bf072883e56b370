import { describe, expect, test } from 'vitest'
import { decodeKey, type Key } from '../../src/format/key.js'
import {
  ABSENT,
  COUNTER_RANGE,
  DONE,
  ENCODED,
  ENTRY_TOO_LARGE,
  FOUND,
  FULL,
  KEY_TYPE,
  NOT_A_COUNTER,
  NOT_DONE,
  HASH_END,
  NO_LIMIT,
  PUT_ALWAYS,
  PUT_IF_ABSENT,
  PUT_IF_PRESENT,
  PUT_IF_VERSION,
  RESULT_ENTRY,
  RESULT_HOME,
  RESULT_HOME_VERSION,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  RETURN_PREVIOUS,
  SCRATCH_TOO_SMALL,
} from '../../src/engine/engine.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { checkRegion } from '../../src/format/header.js'
import {
  BLOCK_WORDS,
  HEADER_SECRET_0,
  HEADER_SEGMENT_COUNT,
  MIN_REGION_BYTES,
  REGISTRY_THREADS,
  VALUE_BYTES,
  VALUE_LATIN1,
  VALUE_NULL,
  VALUE_NUMBER,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_UTF16,
} from '../../src/format/layout.js'
import { Random } from '../support/random.js'
import { seed } from '../support/run.js'
import { keySamples } from './keys.js'

const MIB = 2 ** 20

function makeBuffer(bytes = 4 * MIB): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes)
  formatRegion(buffer)
  return buffer
}

function makeEngine(bytes?: number): TypescriptEngine {
  return new TypescriptEngine(makeBuffer(bytes))
}

function status(engine: TypescriptEngine): number {
  return engine.result[RESULT_STATUS]
}

function version(engine: TypescriptEngine): number {
  return (engine.result[RESULT_VERSION_HIGH] >>> 0) * 2 ** 32 + (engine.result[RESULT_VERSION_LOW] >>> 0)
}

function putText(engine: TypescriptEngine, key: Key, text: string, mode = PUT_ALWAYS, at = 0): number {
  engine.put(key, VALUE_LATIN1, text, mode, at)
  return status(engine)
}

function putBytes(engine: TypescriptEngine, key: Key, bytes: Uint8Array, mode = PUT_ALWAYS): number {
  engine.growScratch(bytes.length)
  engine.scratch.set(bytes)
  engine.put(key, VALUE_BYTES, bytes.length, mode)
  return status(engine)
}

function collectKeys(engine: TypescriptEngine): Key[] {
  const keys: Key[] = []
  for (let from = 0; from < 2 ** 32;) {
    from = engine.collect(from, HASH_END, NO_LIMIT)
    if (status(engine) === SCRATCH_TOO_SMALL) {
      engine.growScratch(engine.result[RESULT_LENGTH])
      continue
    }
    expect(status(engine)).toBe(DONE)
    const { scratch } = engine
    const words = new Int32Array(scratch.buffer, scratch.byteOffset, scratch.length / 4)
    for (let i = 0, at = 0; i < engine.result[RESULT_LENGTH]; i++) {
      const [kind, length] = [words[at], words[at + 1]]
      keys.push(decodeKey(kind, scratch, (at + 2) * 4, length))
      at += 2 + Math.ceil(length / 4)
    }
  }
  return keys
}

describe('formatting', () => {
  test('gives an empty, sound region with a secret of its own', () => {
    const [a, b] = [makeEngine(), makeEngine()]
    expect(a.size()).toBe(0)
    expect(a.verify()).toEqual([])
    expect(a.words[HEADER_SECRET_0]).not.toBe(b.words[HEADER_SECRET_0])
  })

  test.each([0, MIN_REGION_BYTES - 4096, MIN_REGION_BYTES + 1])('refuses %i bytes', (bytes) => {
    expect(() => formatRegion(new SharedArrayBuffer(bytes))).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }),
    )
  })

  test.each([
    ['unformatted memory', () => new SharedArrayBuffer(MIB)],
    ['another magic number', () => change(0, 1)],
    ['another format version', () => change(1, 1)],
    ['another byte order', () => change(2, 0x04030201)],
    ['another length', () => change(4, 1)],
  ])('attaching refuses %s', (_, make) => {
    expect(() => checkRegion(make())).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_FORMAT' }))
  })

  function change(word: number, value: number): SharedArrayBuffer {
    const buffer = makeBuffer(MIB)
    new Int32Array(buffer)[word] = value
    return buffer
  }

  test('has room for as many engines as thread records, and for another once one is closed', () => {
    const buffer = makeBuffer()
    const engines = Array.from({ length: REGISTRY_THREADS }, () => new TypescriptEngine(buffer))
    expect(() => new TypescriptEngine(buffer)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_THREADS' }))
    engines[5].close()
    expect(new TypescriptEngine(buffer).verify()).toEqual([])
  })
})

describe('keys and values', () => {
  test('keys of every kind are told apart', () => {
    const engine = makeEngine()
    const distinct = keySamples.filter((key) => !Object.is(key, -0))
    distinct.forEach((key, i) => expect(putText(engine, key, `value ${i}`)).toBe(DONE))
    distinct.forEach((key, i) => expect(engine.get(key)).toBe(`value ${i}`))
    expect(engine.size()).toBe(distinct.length)
    expect(engine.verify()).toEqual([])
    const keys = collectKeys(engine)
    expect(keys.length).toBe(distinct.length)
    for (const key of keys) expect(typeof engine.get(key)).toBe('string')
    for (const key of distinct) {
      engine.remove(key, PUT_ALWAYS)
      expect(status(engine)).toBe(DONE)
      expect(engine.get(key)).toBe(undefined)
      expect(status(engine)).toBe(ABSENT)
    }
    expect(engine.size()).toBe(0)
    expect(engine.verify()).toEqual([])
  })

  test('0 and -0 are one key', () => {
    const engine = makeEngine()
    putText(engine, -0, 'zero')
    expect(engine.get(0)).toBe('zero')
  })

  test.each([
    '',
    'a',
    'abcde',
    'na\xefve',
    '\u20ac',
    '\ud800',
    'x'.repeat(5000),
    '\u0100'.repeat(512),
    '\u0100y'.repeat(40_000),
  ])('brings back string %#', (text) => {
    const engine = makeEngine()
    putText(engine, 'key', text)
    expect(engine.get('key')).toBe(text)
    expect(status(engine)).toBe(FOUND)
    expect(engine.result[RESULT_KIND]).toBe(/[\u0100-\uffff]/.test(text) ? VALUE_UTF16 : VALUE_LATIN1)
    expect(engine.verify()).toEqual([])
  })

  test('numbers come back bit for bit', () => {
    const engine = makeEngine()
    for (const number of [0, -0, 1.5, Number.NaN, Number.MAX_VALUE, -5e-324]) {
      engine.put('key', VALUE_NUMBER, number, PUT_ALWAYS)
      expect(engine.get('key')).toBe(number)
    }
  })

  test('values without bytes come back as themselves, and are present', () => {
    const engine = makeEngine()
    for (const [kind, value] of [
      [VALUE_UNDEFINED, undefined],
      [VALUE_NULL, null],
      [VALUE_TRUE, true],
    ] as const) {
      engine.put('key', kind, value, PUT_ALWAYS)
      expect(engine.get('key')).toBe(value)
      expect(status(engine)).toBe(FOUND)
    }
  })

  test.each([0, 1, 3, 4, 511, 512, 513, 40_000, 300_000])('brings back %i bytes', (length) => {
    const engine = makeEngine()
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7)
    expect(putBytes(engine, 'key', bytes)).toBe(DONE)
    engine.scratch.fill(0xff)
    engine.get('key')
    expect(status(engine)).toBe(ENCODED)
    expect(engine.result[RESULT_LENGTH]).toBe(length)
    expect(engine.scratch.slice(0, length)).toEqual(bytes)
    expect(engine.verify()).toEqual([])
  })

  test('a value that does not fit the scratch buffer tells its length', () => {
    const buffer = makeBuffer()
    putBytes(new TypescriptEngine(buffer), 'key', new Uint8Array(100_000).fill(1))
    const engine = new TypescriptEngine(buffer)
    engine.get('key')
    expect(status(engine)).toBe(SCRATCH_TOO_SMALL)
    expect(engine.result[RESULT_LENGTH]).toBe(100_000)
    engine.put('key', VALUE_NUMBER, 1, RETURN_PREVIOUS)
    expect(status(engine)).toBe(SCRATCH_TOO_SMALL)
    engine.growScratch(engine.result[RESULT_LENGTH])
    engine.get('key')
    expect(status(engine)).toBe(ENCODED)
  })

  test('refuses what is no key, and keys and values too large, without a change', () => {
    const engine = makeEngine(MIB)
    engine.put({} as Key, VALUE_NUMBER, 1, PUT_ALWAYS)
    expect(status(engine)).toBe(KEY_TYPE)
    expect(putText(engine, 'k'.repeat(2 * MIB), '')).toBe(ENTRY_TOO_LARGE)
    expect(putText(engine, 'k', 'v'.repeat(2 * MIB))).toBe(ENTRY_TOO_LARGE)
    expect(engine.size()).toBe(0)
    expect(engine.verify()).toEqual([])
  })
})

describe('conditions', () => {
  test('put if absent, if present, if version', () => {
    const engine = makeEngine()
    expect(putText(engine, 'k', 'a', PUT_IF_PRESENT)).toBe(NOT_DONE)
    expect(engine.result[RESULT_PREVIOUS]).toBe(ABSENT)
    expect(putText(engine, 'k', 'b', PUT_IF_ABSENT)).toBe(DONE)
    const first = version(engine)
    expect(putText(engine, 'k', 'c', PUT_IF_ABSENT)).toBe(NOT_DONE)
    expect(version(engine)).toBe(first)
    expect(putText(engine, 'k', 'd', PUT_IF_VERSION, first + 1)).toBe(NOT_DONE)
    expect(putText(engine, 'k', 'e', PUT_IF_VERSION, first)).toBe(DONE)
    expect(version(engine)).toBeGreaterThan(first)
    expect(putText(engine, 'k', 'f', PUT_IF_PRESENT)).toBe(DONE)
    expect(engine.get('k')).toBe('f')
  })

  test('remove if version', () => {
    const engine = makeEngine()
    engine.remove('k', PUT_ALWAYS)
    expect(status(engine)).toBe(NOT_DONE)
    putText(engine, 'k', 'a')
    const first = version(engine)
    engine.remove('k', PUT_IF_VERSION, first + 1)
    expect(status(engine)).toBe(NOT_DONE)
    engine.remove('k', PUT_IF_VERSION, first)
    expect(status(engine)).toBe(DONE)
    expect(engine.result[RESULT_PREVIOUS]).toBe(FOUND)
    putText(engine, 'k', 'b')
    expect(version(engine)).toBeGreaterThan(first)
  })

  test('the previous value is returned on request', () => {
    const engine = makeEngine()
    expect(engine.put('k', VALUE_LATIN1, 'a', RETURN_PREVIOUS)).toBe(undefined)
    expect(engine.result[RESULT_PREVIOUS]).toBe(ABSENT)
    expect(engine.put('k', VALUE_NUMBER, 7, RETURN_PREVIOUS)).toBe('a')
    expect(engine.put('k', VALUE_NUMBER, 8, PUT_IF_ABSENT | RETURN_PREVIOUS)).toBe(7)
    expect(status(engine)).toBe(NOT_DONE)
    putBytes(engine, 'k', Uint8Array.of(1, 2, 3))
    engine.scratch.set([9, 8])
    engine.put('k', VALUE_BYTES, 2, RETURN_PREVIOUS)
    expect(engine.result[RESULT_PREVIOUS]).toBe(ENCODED)
    expect([...engine.scratch.subarray(0, engine.result[RESULT_LENGTH])]).toEqual([1, 2, 3])
    engine.remove('k', RETURN_PREVIOUS)
    expect(engine.result[RESULT_PREVIOUS]).toBe(ENCODED)
    expect([...engine.scratch.subarray(0, engine.result[RESULT_LENGTH])]).toEqual([9, 8])
  })

  test('reads and writes tell the home bucket and its version, which every write changes', () => {
    const engine = makeEngine()
    putText(engine, 'k', 'a')
    const written = [...engine.result]
    expect(Atomics.load(engine.words, written[RESULT_HOME] * BLOCK_WORDS)).toBe(written[RESULT_HOME_VERSION])
    engine.get('k')
    for (const word of [RESULT_HOME, RESULT_HOME_VERSION, RESULT_ENTRY, RESULT_VERSION_LOW]) {
      expect(engine.result[word]).toBe(written[word])
    }
    engine.peek('k')
    expect(status(engine)).toBe(FOUND)
    expect(engine.result[RESULT_ENTRY]).toBe(written[RESULT_ENTRY])
    engine.remove('k', PUT_ALWAYS)
    expect(engine.result[RESULT_HOME_VERSION]).not.toBe(written[RESULT_HOME_VERSION])
    engine.peek('k')
    expect(status(engine)).toBe(ABSENT)
  })
})

describe('increment', () => {
  test('counts from nothing, and refuses what is no counter or would leave the safe integers', () => {
    const engine = makeEngine()
    expect(engine.increment('n', 5)).toBe(5)
    expect(engine.increment('n', -7)).toBe(-2)
    expect(engine.get('n')).toBe(-2)
    engine.put('n', VALUE_NUMBER, Number.MAX_SAFE_INTEGER, PUT_ALWAYS)
    engine.increment('n', 1)
    expect(status(engine)).toBe(COUNTER_RANGE)
    expect(engine.get('n')).toBe(Number.MAX_SAFE_INTEGER)
    engine.put('n', VALUE_NUMBER, 0.5, PUT_ALWAYS)
    engine.increment('n', 1)
    expect(status(engine)).toBe(NOT_A_COUNTER)
    putText(engine, 'n', '1')
    engine.increment('n', 1)
    expect(status(engine)).toBe(NOT_A_COUNTER)
    expect(engine.get('n')).toBe('1')
    expect(engine.verify()).toEqual([])
  })
})

describe('a version that wraps', () => {
  test('moves the epoch on, so that entry versions keep growing', () => {
    const engine = makeEngine()
    putText(engine, 'k', 'a')
    const home = engine.result[RESULT_HOME] * BLOCK_WORDS
    Atomics.store(engine.words, home, -4)
    let last = 0
    for (let i = 0; i < 6; i++) {
      putText(engine, 'k', `${i}`)
      expect(version(engine)).toBeGreaterThan(last)
      last = version(engine)
      engine.get('k')
      expect(version(engine)).toBe(last)
    }
    expect(last).toBe(2 ** 31 + 4)
    expect(engine.verify()).toEqual([])
  })
})

describe('against a Map', () => {
  test.each([
    { name: 'few keys', keys: 50, longest: 100, bytes: 4 * MIB },
    { name: 'some thousand keys', keys: 3000, longest: 200, bytes: 4 * MIB },
    { name: 'a region that fills up', keys: 6000, longest: 400, bytes: MIB },
    { name: 'large values in a small region', keys: 300, longest: 60_000, bytes: MIB },
  ])('random operations of two engines on one region: $name', ({ keys, longest, bytes }) => {
    const random = new Random(seed)
    const buffer = makeBuffer(bytes)
    const engines = [new TypescriptEngine(buffer), new TypescriptEngine(buffer)]
    const model = new Map<Key, string | number>()
    let refusals = 0
    for (let i = 0; i < 40_000; i++) {
      const engine = random.pick(engines)
      const key = makeKey(random.below(keys))
      const what = random.below(100)
      if (what < 40) {
        const text = String.fromCharCode(65 + random.below(400)).repeat(random.below(longest) * random.next())
        const put = putText(engine, key, text)
        if (put === DONE) model.set(key, text)
        else {
          expect(put).toBe(FULL)
          refusals++
        }
      } else if (what < 60) {
        expect(engine.remove(key, RETURN_PREVIOUS)).toBe(model.get(key))
        expect(status(engine)).toBe(model.delete(key) ? DONE : NOT_DONE)
      } else if (what < 70) {
        const before = model.get(key) ?? 0
        const sum = engine.increment(key, 3)
        if (status(engine) === FULL) refusals++
        else if (typeof before === 'string') expect(status(engine)).toBe(NOT_A_COUNTER)
        else {
          expect(sum).toBe(before + 3)
          model.set(key, sum)
        }
      } else expect(engine.get(key)).toBe(model.get(key))
      if (i === 30_000) {
        engine.clear(0, NO_LIMIT)
        model.clear()
      }
      if (i % 5000 === 0 || i === 30_000) expect(engine.verify(), `MAPSAFE_SEED=${seed}`).toEqual([])
    }
    for (const engine of engines) {
      for (const [key, value] of model) expect(engine.get(key)).toBe(value)
      expect(new Set(collectKeys(engine))).toEqual(new Set(model.keys()))
      expect(engine.size()).toBe(model.size)
      expect(engine.verify(), `MAPSAFE_SEED=${seed}`).toEqual([])
    }
    if (bytes === MIB) expect(refusals).toBeGreaterThan(0)
    for (const engine of engines) engine.close()
    expect(new TypescriptEngine(buffer).verify()).toEqual([])
  })

  function makeKey(number: number): Key {
    return number % 3 === 0 ? number : number % 3 === 1 ? `key ${number}` : BigInt(number) << 40n
  }
})

describe('growth', () => {
  test('200,000 keys split segments, and are all met by iteration exactly once', () => {
    const engine = makeEngine(64 * MIB)
    const count = 200_000
    for (let i = 0; i < count; i++) engine.put(`key ${i}`, VALUE_NUMBER, i, PUT_ALWAYS)
    expect(engine.words[HEADER_SEGMENT_COUNT]).toBeGreaterThan(256)
    for (let i = 0; i < count; i++) if (engine.get(`key ${i}`) !== i) expect.unreachable(`key ${i}`)
    expect(engine.size()).toBe(count)
    expect(engine.verify()).toEqual([])
    const keys = collectKeys(engine)
    expect(keys.length).toBe(count)
    expect(new Set(keys).size).toBe(count)
    for (let i = 0; i < count; i += 2) engine.remove(`key ${i}`, PUT_ALWAYS)
    expect(engine.size()).toBe(count / 2)
    expect(engine.verify()).toEqual([])
    engine.clear(0, NO_LIMIT)
    expect(engine.size()).toBe(0)
    expect(collectKeys(engine)).toEqual([])
    expect(engine.verify()).toEqual([])
  })

  test('a full region refuses inserts, keeps what it has, and takes as much again after deletions', () => {
    const engine = makeEngine(MIB)
    const fill = (): number => {
      for (let i = 0; ; i++) if (putText(engine, i, 'v'.repeat(100)) !== DONE) return i
    }
    const first = fill()
    let stored = first
    expect(status(engine)).toBe(FULL)
    expect(stored).toBeGreaterThan(3000)
    for (let i = 0; i < stored; i++) expect(engine.get(i)).toBe('v'.repeat(100))
    expect(engine.verify()).toEqual([])
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < stored; i++) engine.remove(i, PUT_ALWAYS)
      expect(engine.size()).toBe(0)
      stored = fill()
      expect(stored).toBeGreaterThanOrEqual(first)
      expect(engine.verify()).toEqual([])
    }
  })

  test('deleted space serves values of another size', () => {
    const engine = makeEngine(MIB)
    for (const length of [20, 3000, 200, 100_000, 50]) {
      let count = 0
      while (putText(engine, count, 'v'.repeat(length)) === DONE) count++
      expect(count * length).toBeGreaterThan(length < 100 ? 100_000 : 300_000)
      for (let i = 0; i < count; i++) engine.remove(i, PUT_ALWAYS)
      expect(engine.verify()).toEqual([])
    }
  })
})
