import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, type ConcurrentMap, type ConcurrentMapOptions, type Key } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'
import { storableValues } from '../support/values.js'

const nearCaches: [string, ConcurrentMapOptions['nearCache']][] = [
  ['with a near-cache', undefined],
  ['without a near-cache', false],
]

describe.each(nearCaches)('%s', (_name, nearCache) => {
  describeEachLineup(
    (subject) => {
      test('every kind of value goes in and out, in the order of the keys', () => {
        const entries = Object.entries(storableValues())
        const { map } = subject()
        for (const [name, value] of entries) map.set(`one by one: ${name}`, value)
        expect(map.setMany(entries)).toBe(map)
        expect(subject().map.size).toBe(entries.length * 2)
        const keys = entries.map(([name]) => name).toReversed()
        for (const each of subject().maps) {
          const expected = keys.map((key) => each.get(`one by one: ${key}`))
          expect(isDeepStrictEqual(each.getMany(keys), expected)).toBe(true)
          expect(isDeepStrictEqual(each.getMany(keys.values()), expected)).toBe(true)
        }
        expect(subject().map.deleteMany(keys)).toBe(entries.length)
        expect(subject().map.size).toBe(entries.length)
      })

      test('what a map, a snapshot or a scan gives is what setMany takes', () => {
        subject().map.setMany([
          ['a', { list: [1] }],
          ['b', new Map([['c', new Set([1])]])],
          [Uint8Array.of(1), 5],
        ])
        const content = subject().content()
        const sources = subject().maps.flatMap((map) => [map, map.snapshot(), map.entries(), map.scan().entries])
        for (const source of sources) {
          using other = new ConcurrentCache<Key, unknown>({
            maxBytes: 2 ** 20,
            engine: subject().map.stats().threads[0].engine,
          })
          other.setMany(source)
          expect(new Map(other)).toEqual(new Map(content))
        }
        // The map itself, too: all is read before anything is written.
        for (const map of subject().maps) map.setMany(map).setMany(map.snapshot())
        expect(subject().content()).toEqual(content)
      })

      test('keys of every type', () => {
        const keys = ['a', '\u2603', 1, -0, NaN, 10n ** 40n, true, false, '', new Uint8Array([1, 2]), Buffer.from('b')]
        subject().map.setMany(keys.map((key, i) => [key, i]))
        expect(subject().map.getMany(keys)).toEqual(keys.map((_, i) => i))
        expect(subject().map.get(0)).toBe(3)
        expect(subject().map.deleteMany(keys)).toBe(keys.length)
      })

      test('absent keys are undefined, repeated ones are found again, and nothing is nothing', () => {
        subject().map.set('a', { a: 1 }).set('b', undefined)
        const [first, ...others] = subject().map.getMany(['a', 'absent', 'b', 'a', 'absent', 'a'])
        expect(first).toEqual({ a: 1 })
        expect(Object.isFrozen(first)).toBe(true)
        expect(others).toEqual([undefined, undefined, { a: 1 }, undefined, { a: 1 }])
        expect(subject().map.getMany([])).toEqual([])
        expect(subject().map.setMany([]).size).toBe(2)
        expect(subject().map.deleteMany([])).toBe(0)
        expect(subject().map.deleteMany(['absent', 'a', 'a', 'b'])).toBe(2)
      })

      test('the last of entries with one key counts', () => {
        subject().map.setMany([
          ['key', { n: 1 }],
          ['key', 2],
          ['key', { n: 3 }],
        ])
        expect(subject().map.get('key')).toEqual({ n: 3 })
      })

      test('values are current, though the near-cache knows some', () => {
        const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`)
        subject().map.setMany(keys.map((key, i) => [key, i % 3 === 0 ? i : { i }]))
        for (const map of subject().maps) for (let i = 0; i < 200; i += 2) map.get(keys[i])
        for (const map of subject().maps) {
          expect(map.getMany(keys)).toEqual(keys.map((_, i) => (i % 3 === 0 ? i : { i })))
        }
        for (let i = 0; i < 200; i += 5) subject().map.set(keys[i], 'new')
        subject().map.deleteMany(keys.slice(100))
        for (const map of subject().maps) {
          expect(map.getMany(keys)).toEqual(
            keys.map((_, i) => (i >= 100 ? undefined : i % 5 === 0 ? 'new' : i % 3 === 0 ? i : { i })),
          )
        }
      })

      test('keys of every type and length, more than an engine reads ahead, some of them absent', () => {
        const kinds: ((i: number) => Key)[] = [
          (i) => `key ${i}`,
          (i) => `k${'e'.repeat(i)}y`,
          (i) => `\u2603 ${i}`,
          (i) => i + 0.5,
          (i) => BigInt(i) ** 40n,
          (i) => new Uint8Array(i % 7).fill(i),
          (i) => 'long'.repeat(i % 50 === 0 ? 5000 + i : 1) + String(i),
        ]
        const keys = Array.from({ length: 700 }, (_, i) => kinds[i % kinds.length](i))
        keys.push('', true, false, 0, '')
        const expected = keys.map((_, i) => (i % 3 === 0 ? undefined : i % 2 === 0 ? `value ${i}` : { i }))
        const stored = new Map<string, unknown>()
        const nameOf = (key: Key): string => `${typeof key} ${String(key)}`
        for (const [i, key] of keys.entries()) {
          if (expected[i] === undefined) continue
          subject().map.set(key, expected[i])
          stored.set(nameOf(key), expected[i])
        }
        for (const map of subject().maps) expect(map.getMany(keys)).toEqual(keys.map((key) => stored.get(nameOf(key))))
      })

      test('batches larger than the scratch buffer, with values larger than it', () => {
        const entries = Array.from({ length: 3000 }, (_, i): [Key, unknown] => [
          i,
          i % 700 === 1 ? new Uint8Array(200_000).fill(i) : { text: 'x'.repeat(i % 300), i },
        ])
        subject().map.setMany(entries)
        const keys = entries.map(([key]) => key)
        const values = subject().map.getMany(keys)
        expect(
          isDeepStrictEqual(
            values,
            entries.map(([, value]) => value),
          ),
        ).toBe(true)
        expect(subject().map.deleteMany(keys)).toBe(3000)
      })

      test('values of all lengths at the end of the scratch buffer', () => {
        // 64 KiB less a few: what comes next begins within the last words.
        for (let rest = 0; rest <= 32; rest++) {
          const entries: [Key, unknown][] = [
            ['large', new Uint8Array(65_536 - 12 - rest).fill(1)],
            ['empty', new Uint8Array(0)],
            ['small', new Uint8Array(rest).fill(2)],
            ['number', 5],
            ['last', new Uint8Array([1, 2, 3])],
          ]
          subject().map.setMany(entries)
          const values = subject().map.getMany(entries.map(([key]) => key))
          expect(
            isDeepStrictEqual(
              values,
              entries.map(([, value]) => value),
            ),
          ).toBe(true)
        }
      })

      test('a bad key or value anywhere throws, and nothing is changed', () => {
        subject().map.set('a', 1).set('b', { b: 2 })
        const good: [Key, unknown][] = Array.from({ length: 50 }, (_, i) => [`good-${i}`, { i }])
        const refuse = (code: string, action: (map: ConcurrentMap<Key, unknown>) => unknown): void => {
          const error = subject().expectRefused(`ERR_MAPSAFE_${code}`, action)
          expect(error).not.toHaveProperty('completed')
        }
        const symbol = Symbol('s') as never
        refuse('VALUE_TYPE', (map) => map.setMany([['a', 3], ...good, ['c', () => 1]]))
        refuse('KEY_TYPE', (map) => map.setMany([['a', 3], ...good, [symbol, 1]]))
        refuse('ENTRY_TOO_LARGE', (map) => map.setMany([['a', 3], ...good, ['k'.repeat(2 ** 20), 1]]))
        refuse('KEY_TYPE', (map) => map.deleteMany(['a', 'b', symbol]))
        refuse('ENTRY_TOO_LARGE', (map) => map.deleteMany(['a', '\u2603'.repeat(524_288)]))
        refuse('KEY_TYPE', (map) => map.getMany(['a', symbol, 'b']))
        for (const given of [undefined, null, 5, {}]) {
          refuse('OPTIONS', (map) => map.setMany(given as never))
          refuse('OPTIONS', (map) => map.getMany(given as never))
          refuse('OPTIONS', (map) => map.deleteMany(given as never))
        }
        for (const entry of [undefined, null, 5, 'ab']) {
          refuse('OPTIONS', (map) => map.setMany([['a', 3], entry as never]))
        }
        const fault = Object.assign(new Error('mine'), { code: 'ERR_MINE' })
        const failing = function* (): Generator<[Key, unknown]> {
          yield ['a', 3]
          throw fault
        }
        expect(subject().expectRefused('ERR_MINE', (map) => map.setMany(failing()))).toBe(fault)
      })

      test('a full map stops a batch midway, and the error tells where', ({ skip }) => {
        skip(subject().isCache, 'a cache evicts instead')
        const entries = Array.from({ length: 200 }, (_, i): [Key, unknown] => [i, 'v'.repeat(100_000)])
        for (const map of subject().maps) {
          map.clear()
          map.set(150, 'old')
          let error: unknown
          try {
            map.setMany(entries)
          } catch (caught) {
            error = caught
          }
          expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
          const { completed } = error as { completed: number }
          expect(completed).toBeGreaterThan(100)
          expect(completed).toBeLessThan(200)
          for (const [key, value] of entries.slice(0, completed)) expect(map.get(key)).toBe(value)
          for (const [key] of entries.slice(completed)) expect(map.get(key)).toBe(key === 150 ? 'old' : undefined)
        }
      })

      test('a value too large for any map stops a batch where it is', () => {
        let error: unknown
        try {
          subject().map.setMany([
            ['a', 1],
            ['b', new Uint8Array(40 * 2 ** 20)],
            ['c', 3],
          ])
        } catch (caught) {
          error = caught
        }
        expect(error).toMatchObject({ code: 'ERR_MAPSAFE_ENTRY_TOO_LARGE', completed: 1 })
        expect(subject().content()).toEqual([['a', 1]])
      })

      test('keys and bytes are those of the call, though a getter changes them later', () => {
        const key = new Uint8Array([1])
        const bytes = new Uint8Array([7])
        const late = {
          get change(): number {
            key[0] = 2
            bytes[0] = 8
            return 1
          },
        }
        subject().map.setMany([
          [key, bytes],
          ['late', late],
        ])
        expect(subject().map.get(new Uint8Array([1]))).toEqual(new Uint8Array([7]))
        expect(subject().map.has(new Uint8Array([2]))).toBe(false)
      })
    },
    { nearCache, maxBytes: 16 * 2 ** 20 },
  )
})
