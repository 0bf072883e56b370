/** Plain values: trees of data whose property names are in a table. */
import { deepStrictEqual } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inspect, isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ShapeTable } from '../../src/codec/shape-table.js'
import { ValueCodecs } from '../../src/codec/value.js'
import { VALUE_CLONE, VALUE_PLAIN } from '../../src/format/layout.js'
import { GeneratedValues } from '../support/generated-values.js'
import { scaled, seed } from '../support/run.js'
import { ShapesInMemory } from '../support/shape-table.js'
import { storableValues } from '../support/values.js'

interface Bytes {
  readonly kind: number
  readonly bytes: Buffer
}

function encode(codecs: ValueCodecs, value: unknown): Bytes {
  const encoder = codecs.encode(value)
  const bytes = Buffer.alloc(encoder.byteLength)
  encoder.copyTo(bytes, 0)
  const { kind } = encoder
  encoder.release()
  return { kind, bytes }
}

const decode = (codecs: ValueCodecs, { kind, bytes }: Bytes): unknown => codecs.decode(kind, bytes, bytes.length)

const WHOLE = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity }

/** As deepStrictEqual, and in the same order; but up to Node.js 20 that takes an invalid Date to be unlike itself. */
function expectSame(copy: unknown, expected: unknown): void {
  if (isDeepStrictEqual(expected, structuredClone(expected))) deepStrictEqual(copy, expected)
  expect(inspect(copy, WHOLE)).toBe(inspect(expected, WHOLE))
}

/** Codecs of two threads of one map, the second one with `freeze`. */
function twoThreads(table: ShapeTable | undefined, freeze: boolean): [ValueCodecs, ValueCodecs] {
  return [new ValueCodecs(false, () => table), new ValueCodecs(freeze, () => table)]
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

describe('generated values come back as structuredClone would copy them', () => {
  const tables: [string, ShapeTable | undefined][] = [
    ['names in the table', new ShapesInMemory()],
    ['a small table', new ShapesInMemory(10)],
    ['no table', undefined],
  ]
  test.each(tables)('%s', (_, table) => {
    const [writer, reader] = twoThreads(table, true)
    const [other] = twoThreads(table, false)
    const values = new GeneratedValues(seed)
    const kinds = new Map<number, number>()
    for (let i = 0; i < scaled(7000); i++) {
      const value = values.next()
      if (!isObject(value)) continue
      const expected: unknown = structuredClone(value)
      const encoded = encode(i % 2 === 0 ? writer : other, value)
      kinds.set(encoded.kind, (kinds.get(encoded.kind) ?? 0) + 1)
      for (const codecs of [reader, other]) {
        try {
          expectSame(decode(codecs, encoded), expected)
        } catch (error) {
          throw new Error(`value ${i} of seed ${seed}`, { cause: error })
        }
      }
    }
    expect(kinds.get(VALUE_PLAIN)).toBeGreaterThan(9 * kinds.get(VALUE_CLONE)!)
    if (table !== undefined) expect(table.count()).toBeGreaterThan(9)
  })
})

describe('names', () => {
  const row = (id: number): object => ({ id, name: `n${id}`, nested: { deep: id } })

  test('leave the bytes once the same names were met twice', () => {
    const table = new ShapesInMemory()
    const [writer, reader] = twoThreads(table, true)
    const lengths = [0, 1, 2, 3].map((id) => {
      const encoded = encode(writer, row(id))
      expect(decode(reader, encoded)).toEqual(row(id))
      return encoded.bytes.length
    })
    expect(lengths[1]).toBe(lengths[0])
    expect(lengths[2]).toBe(2 + 1 + 3 + 2 + 1)
    expect(lengths[3]).toBe(lengths[2])
    expect(table.rows).toEqual([
      { parent: 0, name: 'deep' },
      { parent: 0, name: 'id' },
      { parent: 2, name: 'name' },
      { parent: 3, name: 'nested' },
    ])
  })

  test('that another thread has added are found', () => {
    const table = new ShapesInMemory()
    const [first, second] = twoThreads(table, true)
    for (let i = 0; i < 3; i++) encode(first, row(i))
    const { length } = encode(first, row(0)).bytes
    expect(encode(second, row(0)).bytes.length).toBe(length)
    expect(table.count()).toBe(4)
  })

  test('that are ids are not added', () => {
    const table = new ShapesInMemory()
    const [writer, reader] = twoThreads(table, true)
    for (let i = 0; i < 500; i++) {
      const value = { [`user-${i}`]: i, [`user-${i + 1}`]: { [i]: true, [i + 1]: false } }
      for (let again = 0; again < 2; again++) {
        deepStrictEqual(
          decode(reader, encode(writer, i % 2 === 0 ? value : { [i]: value })),
          i % 2 === 0 ? value : { [i]: value },
        )
        if (i % 5 !== 0) break
      }
    }
    expect(table.count()).toBeLessThanOrEqual(200)
    expect(table.rows.every((row) => !/^\d+$/.test(row!.name))).toBe(true)
  })

  test('that are met once are not added', () => {
    const table = new ShapesInMemory()
    const [writer] = twoThreads(table, true)
    for (let i = 0; i < 500; i++) encode(writer, { [`user-${i}`]: { [`item-${i}`]: i } })
    expect(table.count()).toBe(0)
  })

  test('of an object with many are not added', () => {
    const table = new ShapesInMemory()
    const [writer, reader] = twoThreads(table, true)
    const object = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, i]))
    for (let i = 0; i < 3; i++) deepStrictEqual(decode(reader, encode(writer, object(65))), object(65))
    expect(table.count()).toBe(0)
    for (let i = 0; i < 3; i++) deepStrictEqual(decode(reader, encode(writer, object(64))), object(64))
    expect(table.count()).toBe(64)
    // The first of them are there now; the others stay in the value.
    for (const count of [65, 200]) deepStrictEqual(decode(reader, encode(writer, object(count))), object(count))
    expect(table.count()).toBe(64)
  })

  test('beyond those of a shape come after its values', () => {
    const table = new ShapesInMemory(2)
    const [writer, reader] = twoThreads(table, true)
    for (let i = 0; i < 5; i++) {
      const value = { a: 1, b: { a: 'x'.repeat(200), b: [2], c: 3 }, c: { d: 4 }, '': 5 }
      deepStrictEqual(decode(reader, encode(writer, value)), value)
    }
    expect(table.rows).toEqual([
      { parent: 0, name: 'a' },
      { parent: 1, name: 'b' },
    ])
  })

  test('are read from a table that was closed, if they were learnt before', () => {
    const table = new ShapesInMemory()
    let open: ShapeTable | undefined = table
    const [writer] = twoThreads(table, true)
    const learnt = new ValueCodecs(true, () => open)
    const late = new ValueCodecs(true, () => open)
    for (let i = 0; i < 3; i++) encode(writer, row(i))
    const encoded = encode(writer, row(7))
    learnt.learn()
    open = undefined
    deepStrictEqual(decode(learnt, encoded), row(7))
    expect(() => decode(late, encoded)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CORRUPT' }) as Error)
  })
})

describe('a damaged table', () => {
  function damaged(damage: (table: ShapesInMemory) => void): { table: ShapesInMemory; encoded: Bytes } {
    const table = new ShapesInMemory()
    const [writer] = twoThreads(table, false)
    for (let i = 0; i < 3; i++) encode(writer, { a: 1, b: 2, c: 3 })
    const encoded = encode(writer, { a: 1, b: 2, c: 3 })
    damage(table)
    return { table, encoded }
  }

  const damages: [string, (table: ShapesInMemory) => void][] = [
    ['a row that cannot be read', ({ rows }) => void (rows[1] = undefined)],
    ['a parent that comes later', ({ rows }) => void (rows[0] = { parent: 2, name: 'a' })],
    ['a shape that is its own parent', ({ rows }) => void (rows[1] = { parent: 2, name: 'b' })],
    ['two rows of one shape', ({ rows }) => void (rows[1] = { parent: 0, name: 'a' })],
    ['a name twice in a shape', ({ rows }) => void (rows[2] = { parent: 2, name: 'a' })],
    ['an index as a name', ({ rows }) => void (rows[0] = { parent: 0, name: '4000000000' })],
    ['a row less', ({ rows }) => void rows.pop()],
    [
      'more names than a shape has',
      ({ rows }) => {
        rows.length = 0
        for (let i = 0; i < 70; i++) rows.push({ parent: i, name: `n${i}` })
      },
    ],
  ]
  test.each(damages)('with %s gives ERR_MAPSAFE_CORRUPT to a reader, and costs a writer no value', (_, damage) => {
    const { table, encoded } = damaged(damage)
    const [writer, reader] = twoThreads(table, true)
    const value = { a: 4, b: { c: 5 } }
    if (table.count() < 70) {
      expect(() => decode(reader, encoded)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CORRUPT' }) as Error)
    }
    for (let i = 0; i < 4; i++) {
      const bytes = encode(writer, value)
      deepStrictEqual(decode(writer, bytes), value)
    }
    reader.learn()
    expect(() => decode(reader, { kind: VALUE_PLAIN, bytes: Buffer.from([0xff, 0xff, 1]) })).toThrow(/no encoding/)
  })
})

test('a value inside a getter is encoded by the way, and does not disturb the one around it', () => {
  const [codecs] = twoThreads(new ShapesInMemory(), false)
  const inner = { list: ['x'.repeat(10_000), { a: 1 }] }
  const outer = {
    before: 'b'.repeat(100),
    get text(): unknown {
      const encoded = encode(codecs, inner)
      return decode(codecs, encoded)
    },
    after: { a: 2 },
  }
  for (let i = 0; i < 4; i++) {
    expect(decode(codecs, encode(codecs, outer))).toEqual({ before: outer.before, text: inner, after: { a: 2 } })
  }
})

test('an encoder keeps nothing of the values it has written', async () => {
  const [codecs] = twoThreads(new ShapesInMemory(), false)
  const refs: WeakRef<object>[] = []
  for (const shares of [false, true]) {
    const part = { a: [1] }
    const value = { part, other: shares ? part : {} }
    encode(codecs, value)
    refs.push(new WeakRef(value), new WeakRef(part))
  }
  await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (globalThis.gc !== undefined)
    expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined, undefined])
})

test('all of it also works where code must not be made from strings', () => {
  const program = fileURLToPath(new URL('no-code-from-strings.program.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--import', 'tsx', program, String(seed)],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect([status, stdout.trim()]).toEqual([0, 'forbidden, 2000 values'])
})

test('names enter the code of no function', () => {
  const table = new ShapesInMemory()
  const [writer, reader] = twoThreads(table, true)
  const names = [
    '"]: (globalThis.harmed = 1), ["',
    '\\',
    '\u2028',
    '`${globalThis.harmed = 1}`',
    '__proto__',
    '*/',
    '\ud800',
  ]
  // Each in an object of its own: one that makes no code would hide the others.
  for (const name of names) {
    const value = Object.fromEntries([[name, 1]])
    for (let i = 0; i < 60; i++) deepStrictEqual(decode(reader, encode(writer, value)), value)
  }
  expect(table.count()).toBe(names.length)
  expect('harmed' in globalThis).toBe(false)
})

test('what a map has stored of every kind is read by codecs without a table, and the other way round', () => {
  const [writer, reader] = twoThreads(new ShapesInMemory(), true)
  const [lone] = twoThreads(undefined, true)
  for (const value of Object.values(storableValues())) {
    if (!isObject(value)) continue
    for (let i = 0; i < 3; i++) deepStrictEqual(decode(reader, encode(writer, value)), structuredClone(value))
    deepStrictEqual(decode(reader, encode(lone, value)), structuredClone(value))
  }
})

test('short strings are told apart to the last unit, however many were read before', () => {
  const [writer, reader] = twoThreads(new ShapesInMemory(), true)
  const ends = ['', '\0', 'a', '\xff', 'a\0', 'aa', 'end', 'last', 'ends\0']
  for (let i = 0; i < scaled(20_000); i++) {
    const start = String.fromCharCode(i & 0xff, (i >> 8) & 0xff)
    const texts = ends.flatMap((end) => [start + end, end + start, `${start}${end}${start}`, String(i) + end])
    expect(decode(reader, encode(writer, texts))).toEqual(texts)
  }
})
