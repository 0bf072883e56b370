import { describe, expect, test } from 'vitest'
import type { Codec, CodecContext, CodecRow, Encoded } from '../../src/codec/codec.js'
import { Original } from '../../src/codec/original.js'
import { CODECS } from '../../src/codec/registry.js'
import { ValueCodecs } from '../../src/codec/value.js'
import { PUT_ALWAYS } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { isEncodedKind, isLeaseKind, VALUE_KINDS } from '../../src/format/kinds.js'
import { VALUE_CLONE, VALUE_KIND_MASK } from '../../src/format/layout.js'
import { Store } from '../../src/store/store.js'
import { write } from '../../src/store/writes.js'
import { lineups } from '../support/run.js'

/** What no codec of the registry gives back as what it is. */
class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

const BYTES = 16

/** Writes points as two doubles. */
class PointCodec implements Codec {
  readonly immutable = true
  /** How many shapes the map's table has. */
  shapes: number | undefined

  constructor(private readonly context: CodecContext) {}

  encode({ value }: Original, into: Encoded): boolean {
    if (!(value instanceof Point)) return false
    into.passBytes(VALUE_CLONE, new Uint8Array(Float64Array.of(value.x, value.y).buffer), 0, BYTES)
    return true
  }

  decode(_: number, bytes: Uint8Array, length: number): Point {
    expect(length).toBe(BYTES)
    this.shapes = this.context.shapes()?.count()
    const view = new DataView(bytes.buffer, bytes.byteOffset, length)
    return Object.freeze(new Point(view.getFloat64(0, true), view.getFloat64(8, true)))
  }
}

/** A registry in which the codec of points stands in the place of the one for clones: engines know no other kind yet. */
function withPoints(opened: PointCodec[] = []): readonly CodecRow[] {
  const points: CodecRow = {
    kinds: [VALUE_CLONE],
    types: ['object'],
    open: (context) => {
      const codec = new PointCodec(context)
      opened.push(codec)
      return codec
    },
  }
  return [points, ...CODECS.filter(({ kinds }) => !kinds.includes(VALUE_CLONE))]
}

describe('the registry', () => {
  test('has one codec for each kind of value, and none for leases', () => {
    const kinds = CODECS.flatMap((row) => row.kinds)
    const values = VALUE_KINDS.map(([kind]) => kind).filter((kind) => !isLeaseKind(kind))
    expect(kinds.sort((a, b) => a - b)).toEqual(values.sort((a, b) => a - b))
  })

  test('offers every type of value that can be stored to a codec', () => {
    const types = new Set(CODECS.flatMap((row) => row.types))
    expect(types).toEqual(new Set(['undefined', 'boolean', 'number', 'string', 'bigint', 'object']))
  })

  test('gives strings and numbers the kinds that its first row gives them', () => {
    const [immediate] = CODECS
    const codec = immediate.open({ freeze: false, shapes: () => undefined })
    for (const value of ['', 'text', '\u{1f600}', 0, -0, NaN, 1.5]) {
      const passed: unknown[] = []
      const into: Encoded = { pass: (...given) => void passed.push(...given), passBytes: () => expect.fail() }
      const original = new Original()
      original.value = value
      expect(codec.encode(original, into)).toBe(true)
      const encoder = new ValueCodecs(false).encode(value)
      expect([encoder.kind, encoder.operand]).toEqual(passed)
    }
  })

  test('says of a kind that no row has that this version does not know it', () => {
    const known = VALUE_KINDS.map(([kind]) => kind)
    const codecs = new ValueCodecs(true)
    for (let kind = 0; kind <= VALUE_KIND_MASK; kind++) {
      const code = known.includes(kind) ? 'ERR_MAPSAFE_CORRUPT' : 'ERR_MAPSAFE_FORMAT'
      const thrown = expect.objectContaining({ code }) as Error
      if (!known.includes(kind) || isLeaseKind(kind))
        expect(() => codecs.decode(kind, Buffer.alloc(8), 8)).toThrow(thrown)
      if (!known.includes(kind)) expect(() => codecs.decodeAny(kind, Buffer.alloc(8))).toThrow(thrown)
    }
  })

  test('keeps near what its codec calls immutable', () => {
    const codecs = new ValueCodecs(true)
    const immutable = (value: unknown): boolean => {
      const encoder = codecs.encode(value)
      expect(isEncodedKind(encoder.kind)).toBe(true)
      codecs.decodeEncoded(encoder, value)
      return codecs.immutable
    }
    const values = [1n, new Uint8Array(1), { a: 1 }, { a: -0 }, new Map([[1, 2]]), new Date(0), [new Uint8Array(1)]]
    expect(values.map(immutable)).toEqual([true, false, true, true, true, false, false])
  })
})

describe.each(lineups)('a codec in a row of its own: $name', (lineup) => {
  test('has its values written and read by every engine', () => {
    const region = new SharedArrayBuffer(4 * 2 ** 20)
    formatRegion(region)
    const opened: PointCodec[] = []
    const writer = new Store<unknown>(openEngine(region, lineup.engineOf(0)), true, 0, withPoints(opened))
    const reader = new Store<unknown>(openEngine(region, lineup.engineOf(1)), true, 64, withPoints(opened))
    const stranger = new Store<unknown>(openEngine(region, lineup.engineOf(1)), true, 0)
    try {
      write(writer, 'point', new Point(1.5, -0), PUT_ALWAYS)
      write(writer, 'object', { x: 1.5 }, PUT_ALWAYS)
      const point = reader.get('point')
      expect(point).toBeInstanceOf(Point)
      expect(point).toEqual(new Point(1.5, -0))
      expect(reader.get('point')).toBe(point) // the near-cache has it
      expect(reader.get('object')).toEqual({ x: 1.5 })
      expect(opened[1].shapes).toBeGreaterThanOrEqual(0)
      expect(() => stranger.get('point')).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CORRUPT' }) as Error)
      reader.close()
      // As a snapshot does, which outlives its map.
      const bytes = Buffer.alloc(BYTES)
      expect(reader.decodeAny(VALUE_CLONE, bytes)).toEqual(new Point(0, 0))
      expect(opened[1].shapes).toBeUndefined()
    } finally {
      writer.close()
      stranger.close()
    }
  })
})

test('a value that another one holds is encoded inside its getter', () => {
  const codecs = new ValueCodecs(true)
  const inner = { list: [1, 2, 3], at: new Date(5) }
  const outer = {
    get text(): unknown {
      const encoder = codecs.encode(inner)
      const copy = codecs.decodeEncoded(encoder, inner)
      encoder.release()
      return copy
    },
    n: 7,
  }
  expect(codecs.decodeEncoded(codecs.encode(outer), outer)).toEqual({ text: inner, n: 7 })
})

test('what a codec is offered stays that while a getter in it has another value encoded', () => {
  const offered: unknown[] = []
  const codec: Codec = {
    immutable: true,
    encode(original, into) {
      original.copy()
      offered.push(original.value)
      into.passBytes(VALUE_CLONE, new Uint8Array(1), 0, 1)
      return true
    },
    decode: () => undefined,
  }
  const row: CodecRow = { kinds: [VALUE_CLONE], types: ['object'], open: () => codec }
  const codecs = new ValueCodecs(true, undefined, [row, ...CODECS.filter(({ kinds }) => !kinds.includes(VALUE_CLONE))])
  const inner = {}
  const outer = {
    get inner(): number {
      return codecs.encode(inner).byteLength
    },
  }
  codecs.encode(outer)
  expect(offered).toHaveLength(2)
  expect(offered[0]).toBe(inner)
  expect(offered[1]).toBe(outer)
})
