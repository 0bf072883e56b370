/**
 * The first byte of each part of a plain value. docs/internals/format.md, "Plain values", describes what follows each.
 * Numbers of several bytes are little-endian, lengths are varints: 7 bits a byte, the lowest first.
 */

/** Tags below it are the integers 0 to 63 themselves. */
export const TAG_STRING = 0x40
/** Strings of one byte a unit, of 0 to 63 units: the length is in the tag. */
export const MAX_TAG_STRING = 0x3f
/** Arrays of 0 to 15 elements: the length is in the tag. */
export const TAG_ARRAY = 0x80
export const MAX_TAG_ARRAY = 0x0f
export const TAG_UNDEFINED = 0x90
export const TAG_NULL = 0x91
export const TAG_FALSE = 0x92
export const TAG_TRUE = 0x93
export const TAG_INT8 = 0x94
export const TAG_UINT16 = 0x95
export const TAG_INT32 = 0x96
/** 48 bits without a sign: times in milliseconds. */
export const TAG_UINT48 = 0x97
export const TAG_DOUBLE = 0x98
export const TAG_LONG_STRING = 0x99
export const TAG_WIDE_STRING = 0x9a
export const TAG_LONG_ARRAY = 0x9b
/** An object by shape, and after its values more names with their values, up to {@link TAG_END}. */
export const TAG_NAMED = 0x9c
export const TAG_END = 0x9d
export const TAG_DATE = 0x9e
export const TAG_MAP = 0x9f
export const TAG_SET = 0xa0
export const TAG_BYTES = 0xa1
export const TAG_BIGINT = 0xa2
/** An object by shape: the six low bits are the high ones of the shape's id, the next byte has the low ones. */
export const TAG_SHAPE = 0xc0
/** The greatest id that fits. */
export const MAX_SHAPE_ID = 0x3fff

/** The most names of a shape. An object has more of them inside. */
export const MAX_SHAPE_NAMES = 64
