import { isDeepStrictEqual } from '../../platform/equality.js'

/** The longest string, in UTF-16 units, that is kept to be compared; of a longer one, a hash is. */
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
    const isLong = typeof value === 'string' && value.length > MAX_KEPT_LENGTH
    this.hash = isLong ? hashOfText(value) : bytes === undefined ? undefined : hashOf(bytes)
    this.isKept = this.hash === undefined
    if (this.isKept) this.kept = this.isObject ? new WeakRef(value as object) : value
  }

  /** Returns whether it still serves for `value`, which was read again with the same version. */
  holds(value: unknown): boolean {
    return !this.isKept || !this.isObject || (this.kept as WeakRef<object>).deref() === value
  }

  /** Returns whether `found` is the same value; undefined if that can no longer be told. */
  isSame(found: Found): boolean | undefined {
    if (this.hash !== undefined) {
      if (found.bytes !== undefined) return this.hash === hashOf(found.bytes)
      const value = found.value()
      if (typeof value === 'object' && value !== null) return undefined
      return typeof value === 'string' && this.hash === hashOfText(value)
    }
    if (!this.isObject) return Object.is(this.kept, found.value())
    const known = (this.kept as WeakRef<object>).deref()
    return known === undefined ? undefined : isDeepStrictEqual(known, found.value())
  }
}

function hashOf(bytes: Uint8Array): string {
  return hash(bytes.length, (i) => bytes[i])
}

/** Never that of bytes, whose units are others. */
function hashOfText(text: string): string {
  return `text ${hash(text.length, (i) => text.charCodeAt(i))}`
}

/** Returns the length and 64 bits of a hash: FNV-1a, in two lanes. */
function hash(length: number, unitAt: (i: number) => number): string {
  let a = 0x811c9dc5
  let b = 0x9e3779b9
  for (let i = 0; i < length; i++) {
    const unit = unitAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x85ebca6b)
    b ^= b >>> 13
  }
  return `${length} ${a} ${b}`
}
