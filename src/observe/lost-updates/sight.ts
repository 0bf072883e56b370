import { isDeepStrictEqual } from '../../platform/equality.js'

/** The longest string, in UTF-16 units, that is kept to be compared. */
const MAX_KEPT_LENGTH = 65_536

/** A value that a read returned or a write replaced. */
export interface Found {
  /** Returns the value. */
  value(): unknown
  /** The bytes of the value, if it is an object that a caller may have changed; valid during the call. */
  readonly bytes: Uint8Array | undefined
}

/**
 * What a read saw, kept to be compared with what a write replaces: an entry may get a new version with the same value,
 * as by `touch`, and then nothing is lost. Objects are held weakly, and those that the caller may change by a hash of
 * their bytes, so that it costs a few words.
 */
export class Sight {
  private readonly isObject: boolean
  private readonly isKept: boolean
  private readonly kept: unknown
  private readonly hash: string | undefined

  constructor({ value, bytes }: { readonly value: unknown; readonly bytes: Uint8Array | undefined }) {
    this.isObject = typeof value === 'object' && value !== null
    this.hash = bytes === undefined ? undefined : hashOf(bytes)
    this.isKept = this.hash === undefined && !(typeof value === 'string' && value.length > MAX_KEPT_LENGTH)
    if (this.isKept) this.kept = this.isObject ? new WeakRef(value as object) : value
  }

  /** Returns whether it still serves for `value`, which was read again with the same version. */
  holds(value: unknown): boolean {
    return !this.isKept || !this.isObject || (this.kept as WeakRef<object>).deref() === value
  }

  /** Returns whether `found` is the same value; undefined if that can no longer be told. */
  isSame(found: Found): boolean | undefined {
    if (this.hash !== undefined) return found.bytes === undefined ? undefined : this.hash === hashOf(found.bytes)
    if (!this.isKept) return undefined
    if (!this.isObject) return Object.is(this.kept, found.value())
    const known = (this.kept as WeakRef<object>).deref()
    return known === undefined ? undefined : isDeepStrictEqual(known, found.value())
  }
}

/** Returns the length and 64 bits of a hash: FNV-1a, in two lanes. */
function hashOf(bytes: Uint8Array): string {
  let a = 0x811c9dc5
  let b = 0x9e3779b9
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b ^ byte, 0x85ebca6b)
    b ^= b >>> 13
  }
  return `${bytes.length} ${a} ${b}`
}
