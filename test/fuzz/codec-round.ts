import assert from 'node:assert/strict'
import { decodeKey } from '../../src/format/key.js'
import { ValueCodecs } from '../../src/codec/value.js'
import { MapsafeError } from '../../src/index.js'
import type { Random } from '../support/random.js'
import { expectSoundPrototypes } from './prototypes.js'
import { VALUES } from './samples.js'

const codecs = new ValueCodecs(false)

const KINDS = 32
const KEY_KINDS = 8
/** What a decoder may refuse bytes with: damage, or a kind that it does not know. */
const EXPECTED: readonly string[] = ['ERR_MAPSAFE_CORRUPT', 'ERR_MAPSAFE_FORMAT']

/**
 * Bytes of encoded values, damaged, cut or made up, given to the decoders as if they came out of a region. Throws if
 * one does not answer with a value or an error of its own, or if a prototype was changed.
 */
export function runCodecRound(random: Random): void {
  const decoder = new ValueCodecs(random.chance(0.5))
  for (let i = 0; i < 20; i++) {
    const { kind, bytes } = sample(random)
    damage(bytes, random)
    const length = random.chance(0.8) ? bytes.length : random.below(bytes.length + 1)
    const given = random.chance(0.9) ? kind : random.below(KINDS)
    attempt(() => decoder.decodeAny(given, bytes.subarray(0, length)))
    attempt(() => decodeKey(random.below(KEY_KINDS), bytes, 0, length))
  }
  expectSoundPrototypes()
}

function sample(random: Random): { kind: number; bytes: Buffer } {
  const encoder = codecs.encode(random.pick(VALUES))
  const bytes = Buffer.alloc(encoder.byteLength + random.below(8))
  encoder.copyTo(bytes, 0)
  const { kind } = encoder
  encoder.release()
  return { kind, bytes: bytes.subarray(0, random.chance(0.9) ? encoder.byteLength : bytes.length) }
}

function damage(bytes: Buffer, random: Random): void {
  if (bytes.length === 0) return
  for (let i = random.below(6); i > 0; i--) {
    const at = random.below(bytes.length)
    if (random.chance(0.4)) bytes[at] ^= 1 << random.below(8)
    else if (random.chance(0.5)) bytes[at] = random.below(256)
    else bytes.copyWithin(random.below(bytes.length), at, at + random.below(16))
  }
  // A long length.
  if (random.chance(0.2)) bytes.fill(0xff, random.below(bytes.length), random.below(bytes.length))
  if (random.chance(0.2))
    bytes[random.below(bytes.length)] = random.pick([0x72, 0x9b, 0x9c, 0x9d, 0x9f, 0xa0, 0xa1, 0xc0, 0xff])
}

function attempt(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    assert.ok(error instanceof MapsafeError && EXPECTED.includes(error.code), error as Error)
  }
}
