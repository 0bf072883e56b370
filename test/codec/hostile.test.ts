/** Bytes of values as someone would write them who can write the map's file, and means harm. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Serializer } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { ValueCodecs } from '../../src/codec/value.js'
import { MapsafeError } from '../../src/base/errors.js'
import { VALUE_BIGINT, VALUE_CLONE, VALUE_PLAIN } from '../../src/format/layout.js'
import { ShapesInMemory } from '../support/shape-table.js'
import { storableValues } from '../support/values.js'

const codecs = new ValueCodecs(false)

const root = fileURLToPath(new URL('../..', import.meta.url))
const decoders = [new ValueCodecs(true), new ValueCodecs(false)]

function expectRefused(kind: number, bytes: Uint8Array): void {
  for (const decoder of decoders) {
    expect(() => decoder.decode(kind, bytes, bytes.length)).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_CORRUPT' }) as Error,
    )
  }
}

/** Tags and numbers in V8's format, after its header. */
function clone(...parts: (string | number | number[])[]): Buffer {
  const bytes = parts.map((part) =>
    typeof part === 'string'
      ? Buffer.from(part, 'latin1')
      : Buffer.from(typeof part === 'number' ? varint(part) : part),
  )
  return Buffer.concat([Buffer.from([0xff, 15]), ...bytes])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...varint(Math.floor(value / 128))]
}

/** A plain value: an array of `length` elements, and bytes after that. */
function plain(length: number, ...bytes: number[]): Buffer {
  return Buffer.from([0x9b, ...varint(length), ...bytes])
}

function bytesOf(value: unknown): { kind: number; bytes: Buffer } {
  const encoder = codecs.encode(value)
  const bytes = Buffer.alloc(encoder.byteLength)
  encoder.copyTo(bytes, 0)
  const { kind } = encoder
  encoder.release()
  return { kind, bytes }
}

describe("V8's format", () => {
  const refused: [string, Buffer][] = [
    ['a later version of the format', Buffer.from([0xff, 16, 0x6f, 0x7b, 0])],
    ['a dense array longer than the bytes', clone('A', 2 ** 25 - 1)],
    ['a length of 35 bits', clone('A', 2 ** 35 - 1, '$', 0, 2 ** 35 - 1)],
    ['a string longer than the bytes', clone('s"', 2 ** 29)],
    ['half a unit', clone('sc', 3, 'abc')],
    ['a string in UTF-8, which V8 does not write', clone('sS', 1, 'a')],
    ['a bigint longer than the bytes', clone('z', 2 ** 31)],
    ['a buffer longer than the bytes', clone('B', 2 ** 30)],
    ['a buffer that may grow', clone('~', 0, 2 ** 31)],
    ['a view beyond its buffer', clone('B', 4, 'abcdVB', 2, 4, 0)],
    ['a view off its elements', clone('B', 8, 'abcdefghVd', 2, 4, 0)],
    ['a view of half an element', clone('B', 8, 'abcdefghVd', 0, 3, 0)],
    ['a view that follows its buffer', clone('B', 4, 'abcdVB', 0, 4, 1)],
    ['a view of unknown type', clone('B', 4, 'abcdV!', 0, 4, 0)],
    ['a reference to nothing', clone('a', 1, 'I', 0, '^', 7, '@', 1, 1)],
    ['a shared buffer', clone('u', 0)],
    ['a transferred buffer', clone('t', 0)],
    ['a shared object', clone('p', 0)],
    ['WebAssembly', clone('w', 0)],
    ['memory of WebAssembly', clone('m', 0, 0)],
    ['an object of the host', clone('\\', 0)],
    ['a hole in a dense array', clone('A', 1, '-$', 0, 1)],
    ['a wrong number of properties', clone('o{', 1)],
    ['a wrong number of entries', clone(';:', 2)],
    ['a wrong number of members', clone("',", 1)],
    ['another length at the end', clone('a', 1, '@', 0, 2)],
    ['an index beyond the length', clone('a', 1, 'I', 4, '0@', 1, 1)],
    ['a length among the properties', clone('a', 0, '"', 6, 'length', 'I', 2, '@', 1, 0)],
    ['an index as a name', clone('o"', 1, '7', '0{', 1)],
    ['a flag that V8 keeps for itself', clone('R"', 1, 'a', 64)],
    ['a pattern that is none', clone('R"', 1, '(', 0)],
    ['a long pattern', clone('R"', 4097, 'a'.repeat(4097), 0)],
    ['a pattern of many sets', clone('R"', 260, '\\p{RGI_Emoji}'.repeat(20), 256)],
    ['two stacks', clone('rs"', 0, 's"', 0, '.')],
    ['a primitive', clone('I', 4)],
    ['more bytes than the value has', clone('o{', 0, 0, 0)],
    [
      '501 objects around another',
      clone(...new Array<string>(502).fill('o"\x01a'), '0', ...new Array<string>(502).fill('{\x01')),
    ],
    ['an end in the middle', clone('o"', 1)],
    ['nothing at all', Buffer.alloc(0)],
  ]
  test.each(refused)('%s is refused', (_, bytes) => {
    expectRefused(VALUE_CLONE, bytes)
  })

  test('objects that refer to each other deeper than the stack are refused', () => {
    // Frozen in the order of their names, each leads to the one written before.
    const links = 50_000
    const objects: Buffer[] = []
    for (let i = links; i > 0; i--) {
      const next = i === links ? ['0'] : ['^', links - i]
      objects.push(clone('I', 2 * i, 'o"', 1, 'a', ...next, '{', 1).subarray(2))
    }
    const bytes = Buffer.concat([clone('o'), ...objects, clone('{', links).subarray(2)])
    expect(() => decoders[0].decode(VALUE_CLONE, bytes, bytes.length)).toThrow(MapsafeError)
  })

  test('what is there once in the bytes is there once in the value', () => {
    const bytes = clone('a', 2, 'I', 0, 'o{', 0, 'I', 2, '^', 1, '@', 2, 2)
    const value = decoders[0].decode(VALUE_CLONE, bytes, bytes.length) as object[]
    expect(value[1]).toBe(value[0])
  })

  test('an array of 2^25 places takes no more memory than its bytes say', () => {
    for (const length of [1000, 2 ** 25 - 1, 2 ** 32 - 1]) {
      const bytes = clone('a', length, '@', 0, length)
      const before = process.memoryUsage().heapUsed
      const value = decoders[1].decode(VALUE_CLONE, bytes, bytes.length) as unknown[]
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 20)
      expect(value.length).toBe(length)
      expect(Object.keys(value)).toEqual([])
    }
  })

  test('names that are great numbers take no more memory than their bytes say', () => {
    const value = Array.from({ length: 2000 }, () => ({ 1000: true }))
    const plain = bytesOf(value)
    const cloned = bytesOf([value, value])
    for (const { kind, bytes } of [plain, cloned]) {
      const before = process.memoryUsage().heapUsed
      const copy = decoders[1].decode(kind, bytes, bytes.length) as object[]
      // An array of slots up to the 1,000th each would be 24 MB.
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 2 ** 20)
      expect(copy.length).toBeGreaterThan(1)
    }
    expect([plain.kind, cloned.kind]).toEqual([VALUE_PLAIN, VALUE_CLONE])
  })

  test('every version of Node.js writes what is read, whatever the order of an error', () => {
    const error = new RangeError('outer', { cause: new TypeError('inner') })
    const serializer = new Serializer()
    serializer.writeHeader()
    serializer.writeValue(error)
    const bytes = serializer.releaseBuffer()
    const copy = decoders[0].decode(VALUE_CLONE, bytes, bytes.length) as RangeError
    expect(copy).toBeInstanceOf(RangeError)
    expect([copy.message, copy.stack, (copy.cause as Error).message]).toEqual(['outer', error.stack, 'inner'])
    // Cause before stack, as up to Node.js 20, and after it.
    for (const order of ['c0s"\x02ab', 's"\x02abc0']) {
      const either = clone('r', 'm"\x01x', order, '.')
      const read = decoders[0].decode(VALUE_CLONE, either, either.length) as Error
      expect([read.message, read.stack, read.cause]).toEqual(['x', 'ab', null])
    }
  })
})

interface Nested {
  readonly inner: Nested | null
}

describe('plain values', () => {
  const END = 0x9d
  const refused: [string, Buffer][] = [
    ['an array longer than the bytes', plain(2 ** 32 - 1)],
    ['a length of 35 bits', plain(2 ** 35 - 1)],
    ['a length without an end', Buffer.from([0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['arrays that are longer than the bytes together', plain(4, ...plain(6, 0x91, 0x91), 0x91, 0x91, 0x91)],
    ['a Map larger than the bytes', Buffer.from([0x9f, ...varint(2 ** 32 - 1)])],
    ['a Set larger than the bytes', Buffer.from([0xa0, ...varint(2 ** 32 - 1)])],
    ['a string longer than the bytes', plain(1, 0x99, ...varint(2 ** 31))],
    ['a short string longer than the bytes', plain(1, 0x44, 0x61)],
    ['a wide string longer than the bytes', plain(1, 0x9a, 2, 0x61, 0, 0x62)],
    ['a name longer than the bytes', Buffer.from([0x9c, 0, 0, 0x99, ...varint(2 ** 32 - 1), 0x61])],
    ['bytes beyond the bytes', plain(1, 0xa1, 9, 1)],
    ['a bigint longer than the bytes', plain(1, 0xa2, 12, 0, 0, 0, 0)],
    ['a bigint of no length', plain(1, 0xa2, 3, 0, 0, 0)],
    ['a bigint without a sign', plain(1, 0xa2, 0)],
    ['half a double', plain(1, 0x98, 0, 0, 0, 0)],
    ['half a time', plain(1, 0x97, 0, 0)],
    ['half a Date', plain(1, 0x9e, 0, 0)],
    ['half a shape', plain(1, 0xc0)],
    ['a shape that is not there', Buffer.from([0xc0, 1, 0x91])],
    ['the last shape that could be', Buffer.from([0xff, 0xff, 0x91])],
    ['names after a shape that is not there', Buffer.from([0x9c, 1, 0, END])],
    ['a name without a value', Buffer.from([0x9c, 0, 0, 0x41, 0x61, END])],
    ['a name that is no string', Buffer.from([0x9c, 0, 0, 1, 0x91, END])],
    ['names without an end', Buffer.from([0x9c, 0, 0, 0x41, 0x61, 0x91])],
    ['an end without a beginning', plain(1, END)],
    ...Array.from({ length: 0xc0 - 0xa3 }, (_, i): [string, Buffer] => [
      `tag ${0xa3 + i}, which has no meaning`,
      plain(1, 0xa3 + i, 0, 0),
    ]),
    ['a primitive', Buffer.from([0x91])],
    ['more bytes than the value has', Buffer.from([0x80, 0x80])],
    ['501 objects around another', Buffer.from([...new Array<number>(502).fill(0x81), 0x91])],
    ['an end in the middle', Buffer.from([0x82, 0x91])],
    ['nothing at all', Buffer.alloc(0)],
  ]
  test.each(refused)('%s is refused', (_, bytes) => {
    expectRefused(VALUE_PLAIN, bytes)
  })

  test('501 objects of a shape around another are refused, and 500 are not', () => {
    const table = new ShapesInMemory()
    const id = table.add(0, 'inner')
    const around = (objects: number): Buffer =>
      Buffer.from([...Array.from({ length: objects }, () => [0xc0, id]).flat(), 0x91])
    for (const freeze of [true, false]) {
      const shaped = new ValueCodecs(freeze, () => table)
      for (let again = 0; again < 2; again++) {
        // A loop makes the first objects of a shape, a generated function those after them.
        let depth = 1
        let at = shaped.decode(VALUE_PLAIN, around(501), around(501).length) as Nested
        for (; at.inner !== null; at = at.inner) depth++
        expect(depth).toBe(501)
        for (const objects of [502, 10_000]) {
          expect(() => shaped.decode(VALUE_PLAIN, around(objects), around(objects).length)).toThrow(
            expect.objectContaining({ code: 'ERR_MAPSAFE_CORRUPT' }) as Error,
          )
        }
      }
    }
  })

  test('an own __proto__ in the bytes is a property and changes no prototype', () => {
    const bytes = Buffer.concat([Buffer.from([0x9c, 0, 0, 0x49]), Buffer.from('__proto__'), Buffer.from([0x80, END])])
    const value = decoders[0].decode(VALUE_PLAIN, bytes, bytes.length) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__'])
  })

  test('a name that is a large index takes no more memory than another', () => {
    const value = Array.from({ length: 10_000 }, () => ({ 1000: 0 }))
    const { kind, bytes } = bytesOf(value)
    const before = process.memoryUsage().heapUsed
    const copy = decoders[1].decode(kind, bytes, bytes.length)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(256 * bytes.length + 2 ** 20)
    expect(copy).toEqual(value)
  })
})

test('a bigint of more bits than there can be is refused', () => {
  expectRefused(VALUE_BIGINT, Buffer.alloc(2 ** 27 + 8, 0xff))
})

test('every value that is cut short is refused', () => {
  for (const value of Object.values(storableValues())) {
    const { kind, bytes } = bytesOf(value)
    if (kind !== VALUE_PLAIN && kind !== VALUE_CLONE) continue
    for (const length of [bytes.length - 1, bytes.length >> 1, 0]) expectRefused(kind, bytes.subarray(0, length))
  }
})

test('a process with little memory survives bytes that claim much', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--max-old-space-size=64', '--import', 'tsx', 'test/codec/hostile.program.ts'],
    { cwd: root, encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
