import { ValueCodecs } from '../../src/codec/value.js'
import { VALUE_BIGINT, VALUE_BYTES, VALUE_CLONE, VALUE_LEASE, VALUE_PLAIN } from '../../src/format/layout.js'
import type { Random } from '../support/random.js'
import { storableValues } from '../support/values.js'
import { ShapesInMemory } from '../support/shape-table.js'
import { VALUES } from './samples.js'

/** The table of shapes that the encodings refer to. */
export const shapes = new ShapesInMemory()
const codecs = new ValueCodecs(false, () => shapes)

/** Bytes that claim to be a value of a kind. */
export interface HostileValue {
  readonly kind: number
  readonly bytes: Buffer
}

const MAX_SOUP = 400
const MAX_REPEATED = 65_536
const LEASE_BYTES = 40
const CLONE_TAGS = '-_0TFIUNZS"c^o{a@A$Dyxnzs' + "R;:',B~tVuwm\\r?EmsctF.p\0"
const VIEW_TAGS = 'bBCwWdDfF?qQh'
const LENGTHS = [0, 1, 2, 7, 8, 9, 15, 16, 31, 127, 128, 255, 1000, 2 ** 15, 2 ** 16, 2 ** 20, 2 ** 25, 2 ** 27]
const HUGE = [2 ** 25 - 1, 2 ** 29 - 1, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 35, 2 ** 53]

/** All values stored in the tests but those of a megabyte, encoded. */
const encodings: readonly HostileValue[] = [...VALUES, ...Object.values(storableValues())]
  // Only names that were met twice are in the table.
  .flatMap((value) => [value, value, value])
  .map((value) => {
    const encoder = codecs.encode(value)
    const bytes = Buffer.alloc(encoder.byteLength)
    encoder.copyTo(bytes, 0)
    const { kind } = encoder
    encoder.release()
    return { kind, bytes }
  })
  .filter(({ bytes }) => bytes.length > 0 && bytes.length < 20_000)

/** Bytes made up, or made from those of a value that is sound. */
export function hostileValue(random: Random): HostileValue {
  const choice = random.below(10)
  if (choice < 4) return damaged(random)
  if (choice < 6) return { kind: VALUE_CLONE, bytes: clone(soup(random, cloneToken)) }
  if (choice < 7) return { kind: VALUE_PLAIN, bytes: Buffer.from(soup(random, plainToken)) }
  if (choice < 9) return repeated(random)
  return lease(random)
}

function damaged(random: Random): HostileValue {
  const { kind, bytes: sound } = random.pick(encodings)
  const bytes = Buffer.from(sound)
  for (let i = 1 + random.below(5); i > 0; i--) {
    const at = random.below(bytes.length)
    switch (random.below(6)) {
      case 0:
        bytes[at] ^= 1 << random.below(8)
        break
      case 1:
        bytes[at] = random.below(256)
        break
      case 2:
        bytes.copyWithin(random.below(bytes.length), at, at + 1 + random.below(32))
        break
      case 3:
        bytes.set(hostileLength(random).slice(0, bytes.length - at), at)
        break
      case 4:
        bytes[at] = CLONE_TAGS.charCodeAt(random.below(CLONE_TAGS.length))
        break
      default:
        bytes.fill(random.pick([0, 0x7f, 0x80, 0xff]), at, Math.min(bytes.length, at + random.below(8)))
    }
  }
  return { kind, bytes: random.chance(0.8) ? bytes : bytes.subarray(0, random.below(bytes.length + 1)) }
}

/** One short piece over and over, to show what a byte costs. */
function repeated(random: Random): HostileValue {
  const isClone = random.chance(0.6)
  const piece: number[] = []
  for (let i = 1 + random.below(4); i > 0; i--) piece.push(...(isClone ? cloneToken(random) : plainToken(random)))
  const count = 1 + random.below(Math.floor(MAX_REPEATED / piece.length))
  const items = Array.from({ length: count }, () => piece).flat()
  // Most pieces are one value each, but some are several, or none.
  const values = random.chance(0.7) ? count : random.below(items.length + 1)
  if (!isClone) {
    return { kind: VALUE_PLAIN, bytes: Buffer.from([0x9b, ...varint(values), ...items]) }
  }
  return { kind: VALUE_CLONE, bytes: clone([0x41, ...varint(values), ...items, 0x24, 0, ...varint(values)]) }
}

function lease(random: Random): HostileValue {
  const content = random.chance(0.5) ? damaged(random) : repeated(random)
  const head = Buffer.alloc(LEASE_BYTES)
  for (let i = random.below(20); i > 0; i--) head[random.below(LEASE_BYTES)] = random.below(256)
  head.writeUInt32LE(random.below(5), 32)
  head.writeUInt32LE(random.chance(0.9) ? content.kind : random.below(256), 36)
  const bytes = Buffer.concat([head, content.bytes])
  return { kind: VALUE_LEASE, bytes: random.chance(0.9) ? bytes : bytes.subarray(0, random.below(60)) }
}

function soup(random: Random, token: (random: Random) => number[]): number[] {
  const bytes: number[] = []
  for (let i = 1 + random.below(60); i > 0 && bytes.length < MAX_SOUP; i--) bytes.push(...token(random))
  return bytes
}

function clone(bytes: number[]): Buffer {
  return Buffer.from([0xff, 0x0f, ...bytes])
}

/** A tag with what may come after it. */
function cloneToken(random: Random): number[] {
  const tag = CLONE_TAGS[random.below(CLONE_TAGS.length)]
  const bytes = [tag.charCodeAt(0)]
  if ('"cSZ'.includes(tag)) return [...bytes, ...text(random)]
  if (tag === 'R') return [...bytes, 0x22, ...text(random), random.below(512) & 0x7f, random.below(4)]
  if (tag === 'B') return random.chance(0.5) ? [...bytes, ...text(random)] : [...bytes, ...hostileLength(random)]
  if (tag === 'V') {
    const parts = [0, 0, 0].flatMap(() => (random.chance(0.8) ? [random.below(9)] : hostileLength(random)))
    return [...bytes, VIEW_TAGS.charCodeAt(random.below(VIEW_TAGS.length)), ...parts]
  }
  if ('DNn'.includes(tag)) return [...bytes, ...Array.from({ length: 8 }, () => random.below(256))]
  if ('IUaA^{@$:,~tu'.includes(tag)) return [...bytes, ...hostileLength(random)]
  return bytes
}

const PLAIN_NAMES = ['a', '7', '8', '1000', '4294967294', '__proto__', 'constructor', 'length', 'toString', 'é']
const PLAIN_TAGS = [0x00, 0x3f, 0x40, 0x41, 0x80, 0x81, 0x82, 0x8f, 0x9c, 0x9d, 0x9f, 0xa0, 0xc0, 0xc1, 0xff]

/** A tag with what may come after it. */
function plainToken(random: Random): number[] {
  if (random.chance(0.3)) return [random.pick(PLAIN_TAGS)]
  if (random.chance(0.2)) return [0xc0, random.below(shapes.count() + 3)]
  if (random.chance(0.2)) return [0x9c, random.below(4), 0]
  if (random.chance(0.3)) {
    const name = Buffer.from(random.pick(PLAIN_NAMES), 'latin1')
    return [0x40 + name.length, ...name]
  }
  const tag = 0x90 + random.below(0x14)
  if (random.chance(0.5)) return [tag, ...hostileLength(random)]
  const bytes = [tag]
  for (let i = random.below(10); i > 0; i--) bytes.push(random.chance(0.3) ? 0xff : random.below(256))
  return bytes
}

function text(random: Random): number[] {
  const length = random.below(8)
  const claimed = random.chance(0.9) ? [length] : hostileLength(random)
  return [...claimed, ...Array.from({ length }, () => random.pick([0x61, 0x30, 0x28, 0x5b, 0x5c, 0x80, 0xff, 0]))]
}

function hostileLength(random: Random): number[] {
  return varint(random.pick(random.chance(0.8) ? LENGTHS : HUGE))
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left]
    bytes.push((left % 128) | 0x80)
  }
}

/** Kinds whose bytes a codec reads. */
export const ENCODED_KINDS = [VALUE_BIGINT, VALUE_BYTES, VALUE_PLAIN, VALUE_CLONE] as const
