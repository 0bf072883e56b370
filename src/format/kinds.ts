/** The kinds of keys and values, and the lengths that they can have. See docs/internals/format.md, "Entry". */
import { MapsafeError } from '../base/errors.js'
import {
  FORMAT_VERSION,
  KEY_BIGINT,
  KEY_BOOLEAN,
  KEY_BYTES,
  KEY_LATIN1,
  KEY_NUMBER,
  KEY_UTF16,
  VALUE_BIGINT,
  VALUE_BYTES,
  VALUE_CLONE,
  VALUE_FALSE,
  VALUE_LAPSED_LEASE,
  VALUE_LATIN1,
  VALUE_LEASE,
  VALUE_NULL,
  VALUE_NUMBER,
  VALUE_PLAIN,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_UTF16,
  VALUE_KIND_MASK,
} from './layout.js'

/** Returns whether a key of `kind` may have `length` bytes. */
export function isKeyLength(kind: number, length: number): boolean {
  switch (kind) {
    case KEY_LATIN1:
    case KEY_BYTES:
      return true
    case KEY_UTF16:
      return length % 2 === 0
    case KEY_NUMBER:
      return length === 8
    case KEY_BIGINT:
      return length >= 4 && length % 4 === 0
    case KEY_BOOLEAN:
      return length === 1
    default:
      return false
  }
}

/** The engines turn the bytes into the JavaScript value themselves. */
const IMMEDIATE = 1
/** The bytes pass through the scratch buffer, for a codec. */
const ENCODED = 2
/** Not a value: it holds the place of a value that is being loaded. */
const LEASE = 4
/** The greatest length of a value. */
const MAX = 0xffffffff

/**
 * Every value kind: the least and the greatest length in bytes, the power of two that lengths are a multiple of, and
 * the sort of kind. All questions about a kind are answered by this table; the order of the numbers has no meaning.
 */
export const VALUE_KINDS: readonly (readonly [number, number, number, number, number])[] = [
  [VALUE_UNDEFINED, 0, 0, 1, IMMEDIATE],
  [VALUE_NULL, 0, 0, 1, IMMEDIATE],
  [VALUE_FALSE, 0, 0, 1, IMMEDIATE],
  [VALUE_TRUE, 0, 0, 1, IMMEDIATE],
  [VALUE_NUMBER, 8, 8, 8, IMMEDIATE],
  [VALUE_LATIN1, 0, MAX, 1, IMMEDIATE],
  [VALUE_UTF16, 0, MAX, 2, IMMEDIATE],
  [VALUE_BIGINT, 4, MAX, 4, ENCODED],
  [VALUE_BYTES, 0, MAX, 1, ENCODED],
  [VALUE_PLAIN, 0, MAX, 1, ENCODED],
  [VALUE_CLONE, 0, MAX, 1, ENCODED],
  [VALUE_LEASE, 0, MAX, 1, ENCODED | LEASE],
  [VALUE_LAPSED_LEASE, 0, MAX, 1, ENCODED | LEASE],
]

const kindsWith = (flag: number): number =>
  VALUE_KINDS.reduce((mask, [kind, , , , flags]) => ((flags & flag) === 0 ? mask : mask | (1 << kind)), 0)

const ENCODED_KINDS = kindsWith(ENCODED)
const LEASE_KINDS = kindsWith(LEASE)
const KNOWN_KINDS = kindsWith(IMMEDIATE | ENCODED)

/** Returns whether this version knows the kind. Any other was written by a later version, or is damage. */
export function isKnownKind(kind: number): boolean {
  return ((KNOWN_KINDS >>> kind) & 1) !== 0
}

/** Returns whether values of the kind pass through the scratch buffer as bytes. */
export function isEncodedKind(kind: number): boolean {
  return ((ENCODED_KINDS >>> kind) & 1) !== 0
}

/** Returns whether the kind is that of a lease, lapsed or not. */
export function isLeaseKind(kind: number): boolean {
  return ((LEASE_KINDS >>> kind) & 1) !== 0
}

// Lengths by kind; an unknown kind has a least length above its greatest.
const least = new Float64Array(VALUE_KIND_MASK + 1).fill(Infinity)
const most = new Float64Array(VALUE_KIND_MASK + 1)
const unit = new Float64Array(VALUE_KIND_MASK + 1).fill(1)
for (const [kind, shortest, longest, multiple] of VALUE_KINDS) {
  least[kind] = shortest
  most[kind] = longest
  unit[kind] = multiple
}

/** Returns whether a value of `kind` may have `length` bytes; false for an unknown kind. */
export function isValueLength(kind: number, length: number): boolean {
  return length >= least[kind] && length <= most[kind] && length % unit[kind] === 0
}

/** Makes the error for a value of a kind that is not {@link isKnownKind}. */
export function unknownKind(kind: number, key = 'an entry'): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_FORMAT',
    `The value of ${key} is of kind ${kind}, which format version ${FORMAT_VERSION} does not have: a later version of mapsafe ` +
      'wrote it, or the bytes are damaged. Read it with that version, or overwrite or delete the key.',
  )
}
