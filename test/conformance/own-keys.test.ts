import { expect, test } from 'vitest'
import type { Key } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

/** User code that is given a key, or runs while a key of the user is in use, may change it: nobody is misled. */
describeEachLineup((subject) => {
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
  const spoil = (key: Key): void => void (key as Uint8Array).fill(99)

  test('deleteWhere deletes the keys that it asked about', () => {
    for (let i = 0; i < 20; i++) subject().map.set(bytes(i, 1), i)
    const deleted = subject().map.deleteWhere((value, key) => {
      spoil(key)
      return (value as number) % 2 === 0
    })
    expect(deleted).toBe(10)
    for (let i = 0; i < 20; i++) expect(subject().map.get(bytes(i, 1))).toBe(i % 2 === 0 ? undefined : i)
  })

  test('getOrInsertComputed inserts under the key that it was given', () => {
    const key = bytes(1, 2)
    const inserted = subject().map.getOrInsertComputed(key, (given) => {
      spoil(given)
      spoil(key)
      return 'value'
    })
    expect(inserted).toBe('value')
    expect(subject().content()).toEqual([[bytes(1, 2), 'value']])
  })

  test('update changes the key that it was given', () => {
    const key = bytes(1, 2)
    subject().map.set(key, 1)
    subject().map.update(key, (value) => {
      spoil(key)
      return (value as number) + 1
    })
    expect(subject().content()).toEqual([[bytes(1, 2), 2]])
  })

  test('a getter in a value changes no key', () => {
    const value = (key: Uint8Array): object => ({
      get a() {
        spoil(key)
        return 1
      },
    })
    const key = (): Uint8Array => bytes(1, 2)
    const writes: ((key: Uint8Array) => unknown)[] = [
      (given) => subject().map.set(given, value(given)),
      (given) => subject().map.swap(given, value(given)),
      (given) => subject().map.replace(given, value(given)),
      (given) => subject().map.setIfAbsent(bytes(3), 1) && subject().map.getOrInsert(given, value(given)),
      (given) => subject().map.compareAndSwap(given, { a: 1 }, value(given)),
    ]
    subject().map.set(key(), { a: 0 })
    for (const write of writes) {
      write(key())
      expect(subject().map.has(bytes(99, 99))).toBe(false)
    }
    expect(subject().map.get(key())).toEqual({ a: 1 })
  })

  test("what an iteration yields is the user's", () => {
    for (let i = 0; i < 20; i++) subject().map.set(bytes(i), i)
    const met: unknown[] = []
    for (const [key, value] of subject().map) {
      spoil(key)
      met.push(value)
    }
    for (const key of subject().map.keys()) spoil(key)
    subject().map.forEach((value, key) => {
      spoil(key)
      met.push(value)
    })
    expect(met).toHaveLength(40)
    expect(new Set(met).size).toBe(20)
  })

  test('an iterable may yield one array again and again, each time with another key in it', () => {
    const buffer = bytes(0)
    function* keys(): Generator<Uint8Array> {
      for (let i = 0; i < 20; i++) {
        buffer[0] = i
        yield buffer
      }
    }
    function* pairs(): Generator<[Uint8Array, number]> {
      for (const key of keys()) yield [key, key[0]]
    }
    subject().map.setMany(pairs())
    expect(subject().map.size).toBe(20)
    expect(subject().map.getMany(keys())).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(subject().map.deleteMany(keys())).toBe(20)
    expect(subject().map.size).toBe(0)
  })

  test('a getter in a value of setMany changes no key', () => {
    const [first, second] = [bytes(1), bytes(2)]
    const value = {
      get a() {
        spoil(first)
        spoil(second)
        return 1
      },
    }
    subject().map.setMany([
      [first, value],
      [second, 2],
    ])
    expect(subject().map.get(bytes(1))).toEqual({ a: 1 })
    expect(subject().map.has(bytes(99))).toBe(true) // changed before its turn, as in any loop
    expect(subject().map.size).toBe(2)
  })

  test("what a scan or a snapshot hands out is the user's", () => {
    for (let i = 0; i < 20; i++) subject().map.set(bytes(i), { bytes: bytes(i, i) })
    const expected = subject().content()
    const snapshot = subject().map.snapshot()
    const copied = [...subject().map.snapshot()]
    const { entries } = subject().map.scan(0, { count: 100 })
    for (const [key, value] of [...entries, ...snapshot.entries(), ...subject().map]) {
      spoil(key)
      spoil((value as { bytes: Uint8Array }).bytes)
    }
    for (const key of snapshot.keys()) spoil(key)
    expect([...snapshot]).toEqual(copied)
    expect(subject().content()).toEqual(expected)
  })
})
