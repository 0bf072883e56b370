/** Which lengths keys and values have, by kind. See docs/format.md, "Entry". */
import {
  KEY_BIGINT,
  KEY_BOOLEAN,
  KEY_BYTES,
  KEY_LATIN1,
  KEY_NUMBER,
  KEY_UTF16,
  VALUE_BIGINT,
  VALUE_LAPSED_LEASE,
  VALUE_NUMBER,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_UTF16,
} from './layout.js'

/** Whether a key of `kind` may have `length` bytes. */
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

/** Whether a value of `kind` may have `length` bytes. */
export function isValueLength(kind: number, length: number): boolean {
  if (kind < VALUE_UNDEFINED || kind > VALUE_LAPSED_LEASE) return false
  if (kind <= VALUE_TRUE) return length === 0
  if (kind === VALUE_NUMBER) return length === 8
  if (kind === VALUE_UTF16) return length % 2 === 0
  return kind !== VALUE_BIGINT || (length >= 4 && length % 4 === 0)
}
