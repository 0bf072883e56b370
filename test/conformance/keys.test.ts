import { expect, test } from 'vitest'
import type { Key } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

const keys: Record<string, Key> = {
  'empty string': '',
  'ASCII string': 'key',
  'digits string': '1',
  'Latin-1 string': '\u00e9\u00ff',
  'wide string': '\u0100',
  'astral string': '\u{1f511}',
  'lone surrogate': '\ud800',
  'other lone surrogate': '\udc00',
  'string with zeros': '\0\0\0',
  'shorter string with zeros': '\0\0',
  'string of 3 units': 'abc',
  'string of 4 units': 'abcd',
  '64 KiB string': 'k'.repeat(65_536),
  '64 KiB wide string': '\u2603'.repeat(32_768),
  zero: 0,
  one: 1,
  'minus one': -1,
  fraction: 1.5,
  NaN: NaN,
  Infinity: Infinity,
  'large number': 2 ** 53,
  'zero bigint': 0n,
  'one as bigint': 1n,
  'negative bigint': -1n,
  '64-bit bigint': 2n ** 64n - 1n,
  '4,096-bit bigint': 2n ** 4096n,
  true: true,
  false: false,
  'empty bytes': new Uint8Array(0),
  bytes: new Uint8Array([1, 2, 3]),
  'bytes of a string': Buffer.from('key'),
  'bytes of a number': new Uint8Array(new Float64Array([1]).buffer),
  '64 KiB of bytes': new Uint8Array(65_536).fill(1),
}

describeEachLineup((subject) => {
  test('every kind of key is told from every other', () => {
    const { maps } = subject()
    for (const [name, key] of Object.entries(keys)) subject().map.set(key, name)
    expect(subject().map.size).toBe(Object.keys(keys).length)
    for (const map of maps) {
      for (const [name, key] of Object.entries(keys)) {
        expect(map.get(key)).toBe(name)
        expect(map.has(key)).toBe(true)
      }
    }
  })

  test('every kind of key comes back from iteration', () => {
    for (const [name, key] of Object.entries(keys)) subject().map.set(key, name)
    for (const map of subject().maps) {
      const byName = new Map([...map].map(([key, name]) => [name, key]))
      expect(byName.size).toBe(Object.keys(keys).length)
      for (const [name, key] of Object.entries(keys)) {
        const met = byName.get(name)
        if (key instanceof Uint8Array) expect(Buffer.from(met as Uint8Array).equals(key)).toBe(true)
        else expect(met).toBe(key)
      }
    }
  })

  test('every kind of key can be deleted', () => {
    for (const [name, key] of Object.entries(keys)) {
      subject().map.set(key, name)
      subject().map.set('beside', 1)
      expect(subject().map.delete(key)).toBe(true)
      expect(subject().map.delete(key)).toBe(false)
      expect(subject().map.get(key)).toBeUndefined()
      expect(subject().map.get('beside')).toBe(1)
    }
  })

  test('keys are equal as in Map: -0 is 0 and NaN is NaN', () => {
    subject().map.set(-0, 'zero').set(NaN, 'NaN')
    subject().skipTurn()
    expect(subject().map.get(0)).toBe('zero')
    expect(
      Object.is(
        [...subject().map.keys()].find((key) => key === 0),
        0,
      ),
    ).toBe(true)
    expect(subject().map.get(Number('no number'))).toBe('NaN')
    expect(subject().map.size).toBe(2)
  })

  test('bytes are equal by content, whatever shows them', () => {
    const pool = new Uint8Array([9, 1, 2, 3, 9])
    subject().map.set(pool.subarray(1, 4), 'bytes')
    pool.fill(0)
    expect(subject().map.get(Buffer.from([1, 2, 3]))).toBe('bytes')
    const shared = new Uint8Array(new SharedArrayBuffer(3))
    shared.set([1, 2, 3])
    expect(subject().map.get(shared)).toBe('bytes')
    const [key] = subject().map.keys()
    expect((key as Uint8Array).constructor).toBe(Uint8Array)
  })

  test('keys that differ late or in length alone are told apart', () => {
    const long = 'x'.repeat(1000)
    for (let length = 0; length < 40; length++) subject().map.set(long.slice(0, length), length)
    subject().map.set(`${long}a`, 'a').set(`${long}b`, 'b')
    for (let length = 0; length < 40; length++) expect(subject().map.get(long.slice(0, length))).toBe(length)
    expect(subject().map.get(`${long}a`)).toBe('a')
    expect(subject().map.get(`${long}b`)).toBe('b')
  })
})
