/**
 * The encoding of objects and arrays (value kinds PLAIN and CLONE of the region format).
 *
 * A structure is one value, written in pre-order as a *token* byte and what belongs to it. The tokens of numbers, strings,
 * arrays and objects are those of MessagePack, whose idea of packing small lengths into the token this takes over. It
 * differs where a map in memory gains from it: numbers are little-endian, strings are Latin-1 or UTF-16 like everywhere in a region
 * (so lone surrogates survive and decoding needs no UTF-8), and the tokens that MessagePack gives to extensions and 64-bit
 * integers stand for the other types that structured clone knows.
 *
 * Every object has a number: its place in pre-order, the root being 0. A REFERENCE to that number stands for the second and
 * further occurrences of one object. A structure that contains one has kind CLONE; in kind PLAIN, the usual
 * one, the reader need not remember the objects.
 *
 * Lengths and counts are unsigned; `name` is a string value; `value` is any value.
 */

// Tokens that carry a small number themselves.
export const POSITIVE_INTEGER = 0x00 // to 0x7f
export const SMALL_OBJECT = 0x80 // + count up to 15; then count times (name, value)
export const SMALL_ARRAY = 0x90 // + count up to 15; then the elements
export const SMALL_STRING = 0xa0 // + length up to 31; then one byte for each unit
export const NEGATIVE_INTEGER = 0xe0 // -32 at 0xe0 to -1 at 0xff

export const MAX_SMALL_COUNT = 15
export const MAX_SMALL_STRING = 31
export const MIN_NEGATIVE_INTEGER = -32

// Single bytes.
export const NULL = 0xc0
export const UNDEFINED = 0xc1
export const FALSE = 0xc2
export const TRUE = 0xc3

// Numbers.
export const FLOAT64 = 0xcb
export const UINT8 = 0xcc
export const UINT16 = 0xcd
export const UINT32 = 0xce
export const INT8 = 0xd0
export const INT16 = 0xd1
export const INT32 = 0xd2
/** uint32 length in bytes, then the bytes of value kind BIGINT. */
export const BIGINT = 0xcf

// Strings: length in units.
export const STRING8 = 0xd9
export const STRING16 = 0xda
export const STRING32 = 0xdb
/** uint32 length in units, then two bytes for each. */
export const WIDE_STRING = 0xc7

// Objects.
/** `Uint8Array`: length, then its bytes. */
export const BYTES8 = 0xc4
export const BYTES16 = 0xc5
export const BYTES32 = 0xc6
export const ARRAY16 = 0xdc
export const ARRAY32 = 0xdd
export const OBJECT16 = 0xde
export const OBJECT32 = 0xdf
/** uint32 number of an object met before. */
export const REFERENCE = 0xc8
/** Array with holes or with named properties: uint32 length, uint32 count, then count times (name, value). */
export const SPARSE_ARRAY = 0xc9
/** float64 milliseconds since 1970; NaN if invalid. */
export const DATE = 0xca
/** uint32 count, then count times (value, value). */
export const MAP = 0xd3
/** uint32 count, then the values. */
export const SET = 0xd4
/** Source and flags, both strings. */
export const REGEXP = 0xd5
/** Index in {@link ERROR_NAMES}, message (string or undefined), stack (string or undefined), one byte 1 and the cause, or 0. */
export const ERROR = 0xd6
/** A primitive's wrapper object: the primitive, which is a boolean, number, string or bigint. */
export const WRAPPER = 0xd7
/** Index in {@link BUFFER_TYPES}, uint32 length in bytes, then the bytes. */
export const BUFFER = 0xd8

/** The error names that structured clone keeps; any other becomes the first. */
export const ERROR_NAMES = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
]

/** What a {@link BUFFER} may be. The order is part of the format. */
export const BUFFER_TYPES = [
  'ArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
]

/**
 * Levels of nesting that a value may have. Bounded so that a value written by a thread with a large stack can be read by one with
 * a small stack.
 */
export const MAX_NESTING = 500
