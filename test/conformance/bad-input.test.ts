import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, MapsafeError, type Key, type MapsafeErrorCode } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

// Every method that takes arguments, called with something wrong for each of them while the others are right.

type AnyFunction = (...parameters: unknown[]) => unknown
type Kind = keyof typeof bad
type Wrong = [given: unknown, code: MapsafeErrorCode]

const CODES = { options: 'ERR_MAPSAFE_OPTIONS', key: 'ERR_MAPSAFE_KEY_TYPE', value: 'ERR_MAPSAFE_VALUE_TYPE' } as const
const all = (code: MapsafeErrorCode, ...given: unknown[]): Wrong[] => given.map((each) => [each, code])
const LONG = 'x'.repeat(1_048_576)

const LIFETIMES = all(
  CODES.options,
  ...[null, 5000, 'text', [], { ttl: 0 }, { ttl: -1 }, { ttl: NaN }, { ttl: '5' }, { ttl: null }, { time: 5 }],
  ...[{ tags: 'text' }, { tags: [''] }, { tags: [5] }, { tags: null }, { tags: {} }],
  ...[{ expiresAt: 0 }, { expiresAt: NaN }, { expiresAt: new Date() }, { ttl: 5, expiresAt: 5 }],
)
const CONDITIONS = all(
  CODES.options,
  ...[null, 5, 'text', [], { ifPresent: 1 }, { ifPresent: null }, { ifPresent: 'true' }, { present: true }],
)

/** What is wrong for a parameter, by what it is for; undefined only where it must be given. */
const bad = {
  key: [
    ...all(CODES.key, undefined, null, {}, [], Symbol('s'), () => 1, new Date(), new Uint16Array(1), Object('text')),
    ...all('ERR_MAPSAFE_ENTRY_TOO_LARGE', LONG, new Uint8Array(1_048_576)),
  ],
  value: [...all(CODES.value, () => 1, Symbol('s'), { deep: [() => 1] }, new WeakMap(), Promise.resolve(1))],
  version: all(CODES.options, undefined, null, -1, 1.5, NaN, 2 ** 53, '1', 1n, {}),
  function: all(CODES.options, undefined, null, 1, 'text', {}, Symbol('s')),
  choice: all(
    CODES.options,
    undefined,
    null,
    1,
    'text',
    {},
    [],
    { prefix: '' },
    { prefix: 1 },
    { key: 'a' },
    { keys: 1 },
  ),
  step: all(CODES.options, null, 1.5, NaN, Infinity, 2 ** 53, '1', 1n, {}),
  keys: [
    ...all(CODES.options, undefined, null, 1, 'text', {}, new Uint8Array([1]), Buffer.from('ab')),
    ...all(CODES.key, [null], [{}], ['a', undefined], new Map([['a', 1]])),
  ],
  entries: [
    ...all(
      CODES.options,
      undefined,
      null,
      1,
      'text',
      {},
      new Uint8Array([1]),
      [null],
      ['ab'],
      [1],
      [{ key: 'a', value: 1 }],
    ),
    ...all(
      CODES.key,
      [
        ['a', 1],
        [undefined, 1],
      ],
      [
        ['a', 1],
        [[], 1],
      ],
    ),
    ...all(CODES.value, [
      ['a', 1],
      ['b', () => 1],
    ]),
  ],
  lifetime: LIFETIMES,
  increment: [...CONDITIONS, ...all(CODES.options, { renew: true }, { ttl: 5 })],
  cacheIncrement: [
    ...LIFETIMES,
    ...CONDITIONS,
    ...all(CODES.options, { renew: 1 }, { renew: null }, { renewed: true }),
  ],
  entriesInACache: [
    ...all(
      CODES.options,
      ...[null, 5, { ttl: 0 }, { ttl: 5, expiresAt: 5 }].map((options) => [
        ['a', 1],
        ['b', 2, options],
      ]),
    ),
  ],
  prefix: all(CODES.options, undefined, null, 5, '', {}, ['a'], Object('a')),
  tags: all(CODES.options, undefined, null, 5, 'text', {}, [''], [5], ['a', null], new Uint8Array([1])),
  touch: all(CODES.options, 0, -1, NaN, null, '5', { ttl: 0 }, { time: 5 }, [], { ttl: 5, expiresAt: 5 }),
  which: all(CODES.options, null, 5, 'which', [], { which: 1 }, { which: null }, { each: true }),
  slices: all(CODES.options, null, 5, 'text', [], { signal: {} }, { signal: null }, { signal: true }, { time: 5 }),
  load: all(
    CODES.options,
    ...[
      null,
      5000,
      'text',
      [],
      { ttl: 0 },
      { timeout: 0 },
      { timeout: '5' },
      { negativeTtl: -1 },
      { negativeTtl: 1.5 },
    ],
    ...[
      { tags: 'text' },
      { tags: [''] },
      { staleIfError: -1 },
      { forceRefresh: 1 },
      { staleWhileRevalidate: NaN },
      { signal: {} },
      { time: 5 },
    ],
  ),
  scan: all(
    CODES.options,
    ...[
      null,
      5,
      [],
      { count: 0 },
      { count: 1.5 },
      { count: '5' },
      { parts: 0 },
      { part: 1 },
      { part: 4, parts: 4 },
      { size: 5 },
      { details: 1 },
      { details: null },
      { details: 'values' },
      { prefix: '' },
      { prefix: 5 },
    ],
  ),
} satisfies Record<string, Wrong[]>

/** A parameter: something right for it, and what it is for, if anything is wrong for it. */
type Parameter = [right: unknown, kind?: Kind]
const key: Parameter = ['text', 'key']
const value: Parameter = ['new', 'value']
const compute: Parameter = [() => 'new', 'function']
const number: Parameter = ['number', 'key']
const step: Parameter = [1, 'step']

const methods: Record<string, readonly Parameter[]> = {
  get: [key],
  has: [key],
  getEntry: [key],
  set: [key, value],
  setIfAbsent: [key, value],
  setIfVersion: [key, value, [1, 'version']],
  replace: [key, value],
  compareAndSwap: [key, ['old'], value],
  swap: [key, value],
  getOrInsert: [key],
  getOrInsertComputed: [key, compute],
  update: [key, compute],
  delete: [key],
  deleteIfVersion: [key, [1, 'version']],
  compareAndDelete: [key, ['other']],
  deleteWhere: [[() => false, 'choice']],
  deleteWhereAsync: [
    [() => false, 'choice'],
    [undefined, 'slices'],
  ],
  clearAsync: [[undefined, 'slices']],
  healthAsync: [[undefined, 'slices']],
  snapshotAsync: [[undefined, 'slices']],
  verifyAsync: [[undefined, 'slices']],
  take: [key],
  watch: [key, compute],
  namespace: [['a:', 'prefix']],
  increment: [number, step, [undefined, 'increment']],
  incrementEntry: [number, step, [undefined, 'increment']],
  peek: [key],
  peekEntry: [key],
  getMany: [[['text'], 'keys']],
  hasMany: [[['text'], 'keys']],
  getEntries: [[['text'], 'keys']],
  setMany: [[[['text', 1]], 'entries']],
  deleteMany: [
    [['none'], 'keys'],
    [{ which: true }, 'which'],
  ],
  scan: [[undefined], [undefined, 'scan']],
  forEach: [[() => 1, 'function']],
}
const lifetime: Parameter = [undefined, 'lifetime']
const cacheMethods: Record<string, readonly Parameter[]> = {
  ...methods,
  ...Object.fromEntries(
    ['set', 'setIfAbsent', 'setIfVersion', 'replace', 'compareAndSwap', 'swap', 'getOrInsertComputed', 'update'].map(
      (name) => [name, [...methods[name], lifetime]],
    ),
  ),
  getOrInsert: [key, ['new'], lifetime],
  increment: [number, step, [undefined, 'cacheIncrement']],
  incrementEntry: [number, step, [undefined, 'cacheIncrement']],
  setMany: [...methods.setMany, lifetime],
  getOrLoad: [key, compute, [undefined, 'load']],
  getManyOrLoad: [[['text'], 'keys'], compute, [undefined, 'load']],
  touch: [key, [undefined, 'touch']],
  invalidateTags: [[['tag'], 'tags']],
}

test.each([
  ['ConcurrentMap', [ConcurrentMap.prototype], methods],
  ['ConcurrentCache', [ConcurrentMap.prototype, ConcurrentCache.prototype], cacheMethods],
] as const)('every method of %s that takes arguments is here', (_, prototypes, table) => {
  const names = prototypes.flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype).filter((name) => {
      const { value } = Object.getOwnPropertyDescriptor(prototype, name)!
      return (
        name !== 'constructor' &&
        typeof value === 'function' &&
        ((value as AnyFunction).length > 0 || name === 'scan' || name.endsWith('Async'))
      )
    }),
  )
  expect(new Set(names)).toEqual(new Set(Object.keys(table)))
})

/** Demands that a message says what was given and what was expected, as sentences, once. */
function checkMessage(error: Error): void {
  expect(error).toBeInstanceOf(MapsafeError)
  expect(error.message).toMatch(/^[A-Zv][^]*\.$/) // "value.deep[0] is ..." begins with a path
  expect(error.message.length).toBeLessThan(400)
  expect(error.message).not.toMatch(/Argument Option|Option Option|Argument Argument|undefined is|\[object/)
}

describeEachLineup((subject) => {
  test('wrong arguments are refused, by every method and one at a time, and nothing changes', async () => {
    subject().map.set('text', 'old').set('number', 5).set('object', { a: 1 })
    for (const [name, parameters] of Object.entries(subject().isCache ? cacheMethods : methods)) {
      for (const [position, [, kind]] of parameters.entries()) {
        for (const [wrong, code] of kind === undefined ? [] : bad[kind]) {
          const given = parameters.map(([right], i) => (i === position ? wrong : right))
          for (const map of subject().maps) {
            const before = subject().content()
            const method = map[name as keyof typeof map] as unknown as AnyFunction
            const call = async (): Promise<unknown> => await Reflect.apply(method, map, given)
            const error: unknown = await call().then(
              () => undefined,
              (reason: unknown) => reason,
            )
            const where = `${name}, parameter ${position}: ${inspect(wrong).slice(0, 50)}`
            expect(error, where).toMatchObject({ code })
            const isRange = code === 'ERR_MAPSAFE_ENTRY_TOO_LARGE' || error instanceof RangeError
            expect(error, where).toBeInstanceOf(isRange ? RangeError : TypeError)
            checkMessage(error as Error)
            expect(subject().content(), where).toEqual(before)
          }
        }
      }
    }
    subject().verify()
  })

  test('a closed map refuses every method, and says how to open it again', async () => {
    for (const map of subject().maps) {
      const other = subject().attach(map.handle)
      other.close()
      const table = subject().isCache ? cacheMethods : methods
      for (const name of [
        ...Object.keys(table),
        ...['clear', 'keys', 'values', 'entries', 'snapshot', 'stats', 'health', 'verify', 'repair'],
      ]) {
        const method = other[name as keyof typeof other] as unknown as AnyFunction
        const given = (table[name] ?? []).map(([right]) => right)
        const call = async (): Promise<unknown> => await Reflect.apply(method, other, given)
        const error: unknown = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(error, name).toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
        const opens = subject().isCache ? 'ConcurrentCache.attach(cache.handle)' : 'ConcurrentMap.attach(map.handle)'
        expect((error as Error).message).toContain(opens)
      }
      expect(() => other.size).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error)
      expect(() => other[Symbol.iterator]()).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error)
      other.close()
    }
  })
})

describe('messages', () => {
  const messageOf = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      checkMessage(error as Error)
      return (error as Error).message
    }
    return expect.fail('nothing was thrown')
  }

  test('name an option as one, and an argument as one', () => {
    using cache = new ConcurrentCache<Key, unknown>({ maxBytes: 2 ** 20 })
    expect(messageOf(() => new ConcurrentCache({ ttl: 0 }))).toBe(
      'Option ttl is 0; expected a number of milliseconds above 0.',
    )
    expect(messageOf(() => new ConcurrentCache({ maxEntries: 0 }))).toMatch(
      /^Option maxEntries is 0; expected an integer from 1 /,
    )
    expect(messageOf(() => cache.set('k', 1, { ttl: -1 }))).toMatch(/^Option ttl is -1;/)
    expect(messageOf(() => cache.touch('k', -1))).toMatch(/^Argument ttl is -1;/)
    expect(messageOf(() => cache.scan(0, { count: 0 }))).toMatch(/^Option count is 0;/)
    expect(messageOf(() => cache.increment('k', 0.5))).toBe('Argument by is 0.5; expected a safe integer.')
    expect(messageOf(() => cache.setIfVersion('k', 1, -1))).toBe(
      'Argument version is -1; expected a safe integer of at least 0.',
    )
  })

  test('of a number where options are expected tell which there are', () => {
    using cache = new ConcurrentCache<Key, unknown>({ maxBytes: 2 ** 20 })
    expect(messageOf(() => cache.set('k', 1, 5000 as never))).toBe(
      'The options are 5000; expected an object like { ttl: 5000 }. A Keyv takes the store of mapsafe/keyv or mapsafe/keyv5.',
    )
  })

  test('of a single key where many are expected tell to put it into an array', () => {
    using map = new ConcurrentMap<Key, unknown>({ maxBytes: 2 ** 20 })
    for (const name of ['getMany', 'deleteMany'] as const) {
      expect(messageOf(() => map[name]('s1' as never))).toBe(
        'Argument keys is "s1"; expected an iterable object of keys, like an array; put a single one into an array.',
      )
    }
  })

  test('tell a key that is too long from an entry that is too large', () => {
    using map = new ConcurrentMap<Key, unknown>({ maxBytes: 2 ** 20 })
    using cache = new ConcurrentCache<Key, unknown>({ maxBytes: 2 ** 20 })
    for (const each of [map, cache]) {
      expect(messageOf(() => each.get(LONG))).toMatch(/^The key "x+\.\.\." takes more than 1048575 bytes, /)
    }
    expect(messageOf(() => map.set('k', LONG))).toMatch(
      /^The entry of key "k" fits into no empty map of 1048576 bytes\. /,
    )
    expect(messageOf(() => cache.set('k', LONG))).toMatch(/^The entry of key "k" takes more than 262144 bytes, /)
  })

  test('of two engines about a map that is open too often are the same', () => {
    using map = new ConcurrentMap({ maxBytes: 2 ** 20 })
    const others = Array.from({ length: 127 }, () => ConcurrentMap.attach(map.handle))
    const messages = (['native', 'typescript'] as const).map((engine) =>
      messageOf(() => ConcurrentMap.attach(map.handle, { engine })),
    )
    expect(messages[0]).toBe(messages[1])
    for (const other of others) other.close()
  })

  test('survive what describes itself badly', () => {
    using map = new ConcurrentMap<Key, unknown>({ maxBytes: 2 ** 20 })
    const hostile = {
      get [Symbol.toStringTag](): string {
        throw new Error('mine')
      },
    }
    expect(messageOf(() => map.get(hostile as never))).toBe(
      'The key is an object; expected a string, number, bigint, boolean or Uint8Array.',
    )
  })
})
