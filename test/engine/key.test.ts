import { describe, expect, test } from 'vitest'
import { ValueCodecs } from '../../src/codec/value.js'
import { decodeKey, KeyBuffer, type Key } from '../../src/format/key.js'
import {
  KEY_BIGINT,
  KEY_BOOLEAN,
  KEY_BYTES,
  KEY_LATIN1,
  KEY_NUMBER,
  KEY_UTF16,
  MAX_KEY_BYTES,
  VALUE_BIGINT,
} from '../../src/format/layout.js'
import { keySamples } from './keys.js'

function encode(key: Key): { kind: number; bytes: Uint8Array } {
  const buffer = new KeyBuffer()
  buffer.words.fill(-1) // what a longer key left behind
  expect(buffer.encode(key)).toBe(true)
  const padded = Math.ceil(buffer.length / 4) * 4
  expect([...buffer.bytes.subarray(buffer.length, padded)].every((byte) => byte === 0)).toBe(true)
  return { kind: buffer.kind, bytes: buffer.bytes.slice(0, buffer.length) }
}

describe('KeyBuffer', () => {
  test.each(keySamples)('brings back key %#', (key) => {
    const { kind, bytes } = encode(key)
    const decoded = decodeKey(kind, bytes, 0, bytes.length)
    if (key instanceof Uint8Array) expect(new Uint8Array(decoded as Uint8Array)).toEqual(new Uint8Array(key))
    else expect(decoded).toBe(Object.is(key, -0) ? 0 : key)
  })

  test('gives the kinds and bytes of docs/internals/format.md', () => {
    expect(encode('a\xff')).toEqual({ kind: KEY_LATIN1, bytes: Uint8Array.of(0x61, 0xff) })
    expect(encode('a\u0100')).toEqual({ kind: KEY_UTF16, bytes: Uint8Array.of(0x61, 0, 0, 1) })
    expect(encode(1)).toEqual({ kind: KEY_NUMBER, bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf0, 0x3f) })
    expect(encode(-0)).toEqual(encode(0))
    expect(encode(true)).toEqual({ kind: KEY_BOOLEAN, bytes: Uint8Array.of(1) })
    expect(encode(0n)).toEqual({ kind: KEY_BIGINT, bytes: Uint8Array.of(0, 0, 0, 0) })
    expect(encode(-(2n ** 32n))).toEqual({
      kind: KEY_BIGINT,
      bytes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0),
    })
    expect(encode(Uint8Array.of(7))).toEqual({ kind: KEY_BYTES, bytes: Uint8Array.of(7) })
  })

  test('gives a bigint the bytes that it has as a value, whatever its length', () => {
    const codecs = new ValueCodecs(false)
    for (const bits of [0, 1, 4, 31, 32, 33, 36, 63, 64, 65, 96, 127, 128, 129, 1000]) {
      const power = 1n << BigInt(bits)
      for (const bigint of [power - 1n, power, 1n - power, -power]) {
        const encoder = codecs.encode(bigint)
        const value = new Uint8Array(encoder.byteLength)
        encoder.copyTo(value, 0)
        encoder.release()
        expect(encode(bigint)).toEqual({ kind: KEY_BIGINT, bytes: value })
        expect(codecs.decode(VALUE_BIGINT, value, value.length)).toBe(bigint)
        expect(decodeKey(KEY_BIGINT, value, 0, value.length)).toBe(bigint)
      }
    }
  })

  test('makes one key of every NaN', () => {
    const payload = new Float64Array(Uint32Array.of(1, 0xfff80000).buffer)[0]
    expect(encode(payload)).toEqual(encode(Number.NaN))
    expect(encode(Number.NaN).bytes).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f))
  })

  test.each([undefined, null, Symbol('no'), {}, [], () => 1, new Uint16Array(1)])(
    'refuses %#, of another type',
    (key) => {
      const buffer = new KeyBuffer()
      expect(buffer.encode(key as Key)).toBe(false)
      expect(buffer.kind).toBe(0)
    },
  )

  test('takes keys up to the longest, and refuses longer ones with their kind', () => {
    const buffer = new KeyBuffer()
    expect(buffer.encode('k'.repeat(MAX_KEY_BYTES))).toBe(true)
    expect(buffer.length).toBe(MAX_KEY_BYTES)
    expect(buffer.encode('k'.repeat(MAX_KEY_BYTES + 1))).toBe(false)
    expect(buffer.kind).toBe(KEY_LATIN1)
    expect(buffer.encode('\u0100'.repeat(MAX_KEY_BYTES / 2 + 1))).toBe(false)
    expect(buffer.kind).toBe(KEY_UTF16)
    expect(buffer.encode(new Uint8Array(MAX_KEY_BYTES + 1))).toBe(false)
    expect(buffer.kind).toBe(KEY_BYTES)
    expect(buffer.encode(1n << BigInt(MAX_KEY_BYTES * 8))).toBe(false)
    expect(buffer.kind).toBe(KEY_BIGINT)
  })
})
