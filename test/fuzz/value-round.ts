import assert from 'node:assert/strict'
import { getHeapStatistics } from 'node:v8'
import { ValueCodecs } from '../../src/codec/value.js'
import { decodeKey } from '../../src/format/key.js'
import { VALUE_LEASE } from '../../src/format/layout.js'
import { MapsafeError } from '../../src/base/errors.js'
import { reviveFailure } from '../../src/loads/failure.js'
import { readLease } from '../../src/loads/lease.js'
import type { Random } from '../support/random.js'
import { ENCODED_KINDS, hostileValue, shapes, type HostileValue } from './hostile-values.js'
import { expectSoundPrototypes } from './prototypes.js'

/**
 * What decoding may allocate, garbage included: docs/reliability.md, "Hostile bytes". V8 counts memory in steps of up to
 * a quarter of a MiB.
 */
const BYTES_A_BYTE = 256
const ALLOWANCE = 2 ** 20
const TRIES = 20
const KEY_KINDS = 8

const decoders = [true, false].map((freeze) => new ValueCodecs(freeze, () => shapes))

/**
 * Hostile bytes of values, given to the decoders. Throws if one does not answer with a value or ERR_MAPSAFE_CORRUPT, if
 * it allocates more than a multiple of the bytes, or if a prototype was changed.
 */
export function runValueRound(random: Random): void {
  for (let i = 0; i < TRIES; i++) {
    const value = hostileValue(random)
    const decoder = random.pick(decoders)
    const kind = random.chance(0.95) ? value.kind : random.pick(ENCODED_KINDS)
    expectInProportion(value.bytes, () => decode(decoder, { kind, bytes: value.bytes }))
    attempt(() => decodeKey(random.below(KEY_KINDS), value.bytes, 0, value.bytes.length))
  }
  expectSoundPrototypes()
}

function decode(decoder: ValueCodecs, { kind, bytes }: HostileValue): unknown {
  if (kind !== VALUE_LEASE) return decoder.decodeAny(kind, bytes)
  const { outcome } = readLease(bytes, bytes.length)
  if (outcome === undefined) return undefined
  const { content } = outcome
  const { buffer, byteOffset, length } = content.bytes
  return reviveFailure(decoder.decodeAny(content.kind, Buffer.from(buffer, byteOffset, length)))
}

function expectInProportion(given: Buffer, decode: () => unknown): void {
  const limit = BYTES_A_BYTE * given.length + ALLOWANCE
  let bytes = Infinity
  // What V8 takes to compile the decoder counts, too, but not every time.
  for (let tries = 0; tries < 4 && bytes > limit; tries++) {
    const before = allocated()
    attempt(decode)
    bytes = Math.min(bytes, allocated() - before)
  }
  assert.ok(bytes <= limit, `${given.length} bytes took ${bytes}: ${given.subarray(0, 100).toString('hex')}`)
}

function attempt(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    const isTold = error instanceof MapsafeError && ['ERR_MAPSAFE_CORRUPT', 'ERR_MAPSAFE_FORMAT'].includes(error.code)
    assert.ok(isTold, error as Error)
  }
}

/** Bytes in use, garbage included, so that between two collections it only grows. */
function allocated(): number {
  const { used_heap_size, external_memory, malloced_memory } = getHeapStatistics()
  return used_heap_size + external_memory + malloced_memory
}
