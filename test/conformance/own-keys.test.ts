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
})
