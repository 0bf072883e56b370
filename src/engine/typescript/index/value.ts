/**
 * Moves values into and out of entries. Strings and numbers are decoded here; other kinds pass as bytes of the scratch
 * buffer.
 */
import { constants } from '../../../platform/buffer.js'
import {
  BLOCK_WORDS,
  ENTRY_COUNTER,
  ENTRY_EXPIRES,
  ENTRY_STALE,
  EXPIRY_WORDS,
  LABEL_WORDS,
  VALUE_FALSE,
  VALUE_LATIN1,
  VALUE_NULL,
  VALUE_NUMBER,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_UTF16,
} from '../../../format/layout.js'
import { loadDouble, storeDouble } from '../../../format/double.js'
import { isEncodedKind, isLeaseKind, isValueLength } from '../../../format/kinds.js'
import {
  ABSENT,
  CORRUPT,
  ENCODED,
  FOUND,
  RESULT_KIND,
  RESULT_LABELS,
  RESULT_LENGTH,
  SCRATCH_TOO_SMALL,
  UNKNOWN_KIND,
} from '../../engine.js'
import type { Core } from '../core.js'
import {
  copyWords,
  metaOf,
  trailerWords,
  valueAt,
  valueKindOf,
  valueLengthOf,
  valueWords,
  wordsFor,
  NEVER,
  isCounterSound,
} from '../../../format/entry.js'
import { byteOffset } from '../../../format/region.js'

/** Length above which a check of the versions before the copy pays as well: a racy length may be anything. */
const LONG_VALUE_BYTES = 4096
/** Length above which copying twice takes longer than a second look at the units. */
const MAX_STAGED_UNITS = 512
/** Most bytes of a UTF-16 unit, so that the staging buffer never truncates a string. */
const MAX_UTF8_BYTES = 3
const utf8 = new TextEncoder()
/** Matches a string that is not Latin-1. V8 answers without a scan for strings that it holds as Latin-1. */
const WIDE_UNIT = /[\u0100-\uffff]/

/** Reads values for one engine. After {@link ValueReader.read}, {@link ValueReader.status} is the outcome. */
export class ValueReader {
  status = FOUND

  constructor(private readonly core: Core) {}

  /**
   * Reads the value of the entry that the last walk met.
   *
   * Status FOUND with the value returned, ENCODED with its bytes in the scratch buffer, SCRATCH_TOO_SMALL, or CORRUPT
   * if lengths make no sense; UNKNOWN_KIND; ABSENT for a lease, unless `seesLeases`. All of them are reliable only if
   * the walk's versions then prove unchanged.
   */
  read(seesLeases = false): unknown {
    const { core } = this
    const { words, lookup, result } = core
    const block = lookup.entry
    const entry = block * BLOCK_WORDS
    const meta = metaOf(words, entry)
    const kind = valueKindOf(meta)
    const length = valueLengthOf(words, entry)
    const at = valueAt(entry, meta)
    result[RESULT_KIND] = kind
    result[RESULT_LENGTH] = length
    this.status = CORRUPT
    if (at + wordsFor(length) > words.length || !isCounterSound(meta)) return undefined
    if (length > LONG_VALUE_BYTES && !lookup.unchanged()) return undefined
    this.status = FOUND
    switch (kind) {
      case VALUE_LATIN1:
      case VALUE_UTF16:
        return this.readString(block, byteOffset(block) + (at - entry) * 4, kind, length)
      case VALUE_NUMBER:
        return length === 8 ? loadDouble(words, at) : this.refuse()
      case VALUE_UNDEFINED:
        return length === 0 ? undefined : this.refuse()
      case VALUE_NULL:
        return length === 0 ? null : this.refuse()
      case VALUE_FALSE:
        return length === 0 ? false : this.refuse()
      case VALUE_TRUE:
        return length === 0 ? true : this.refuse()
      default:
        if (!isEncodedKind(kind)) this.status = UNKNOWN_KIND
        else if (isLeaseKind(kind) && !seesLeases) this.status = ABSENT
        else this.copyEncoded(at, kind, length)
        return undefined
    }
  }

  private readString(block: number, start: number, kind: number, length: number): string | undefined {
    if (length === 0) return ''
    const units = kind === VALUE_LATIN1 ? length : length / 2
    if (units > constants.MAX_STRING_LENGTH || !Number.isInteger(units)) return this.refuse()
    const window = this.core.region.windowOf(block)
    return kind === VALUE_LATIN1 ? window.latin1Slice(start, start + length) : window.ucs2Slice(start, start + length)
  }

  /** Refuses a length that values of the kind cannot have. */
  private refuse(): string | undefined {
    this.status = CORRUPT
    return undefined
  }

  private copyEncoded(at: number, kind: number, length: number): void {
    const { words, scratchWords, scratchStart } = this.core
    if (!isValueLength(kind, length)) this.status = CORRUPT
    else if (wordsFor(length) > scratchWords.length - scratchStart) this.status = SCRATCH_TOO_SMALL
    else {
      this.status = ENCODED
      copyWords(words, at, scratchWords, scratchStart, wordsFor(length))
    }
  }
}

/**
 * Encodes values for one engine: first {@link ValueWriter.measure}, then {@link ValueWriter.write} into a block of that
 * size.
 */
export class ValueWriter {
  /** Value kind of the region format. */
  kind = 0
  /** Length in bytes. */
  length = 0
  /** When the entry to write expires, or NEVER; and what `staleUntil` of Engine.put says. */
  expiresAt = NEVER
  staleUntil = NEVER
  /** Number of labels of the entry to write. */
  labels = 0
  /** Whether the value is a number that later increments change in place. */
  private counts = false
  private value: unknown
  /** Whether the value is a short string of ASCII that {@link ValueWriter.ascii} holds. */
  private isStaged = false
  private readonly ascii = new Uint8Array(MAX_STAGED_UNITS * MAX_UTF8_BYTES)
  private readonly asciiWords = new Int32Array(this.ascii.buffer)

  constructor(private readonly core: Core) {}

  /** Takes the first sum of a counter, to be written by {@link Edit.prepare}, and its expiry. */
  measureCounter(expiresAt: number): void {
    this.measure(VALUE_NUMBER, 0, expiresAt, NEVER, 0)
    this.counts = true
  }

  /**
   * Takes a value, its expiry and its labels as Engine.put does, and sets kind and length.
   *
   * @param isNarrow whether it is known that a string needs no UTF-16 units
   */
  measure(kind: number, value: unknown, expiresAt: number, staleUntil: number, labels: number, isNarrow = false): void {
    this.counts = false
    this.labels = labels
    this.expiresAt = expiresAt
    this.staleUntil = staleUntil
    this.kind = kind
    this.value = value
    this.isStaged = false
    if (kind === VALUE_LATIN1) this.measureString(value as string, isNarrow)
    else if (kind === VALUE_NUMBER) this.length = 8
    else this.length = isEncodedKind(kind) ? (value as number) : 0
  }

  /**
   * Writes the value at word `at` of the entry in `block`, the last word padded with zeros, and labels and expiry after it.
   */
  write(block: number, at: number): void {
    this.writeValue(block, at)
    let end = at + valueWords(this.length, this.flags)
    if (this.labels !== 0) {
      copyWords(this.core.result, RESULT_LABELS, this.core.words, end, this.labels * LABEL_WORDS)
      end += this.labels * LABEL_WORDS
    }
    if (this.expiresAt === NEVER) return
    if (this.staleUntil !== NEVER) storeDouble(this.core.words, end, this.staleUntil)
    storeDouble(this.core.words, end + trailerWords(this.flags) - EXPIRY_WORDS, this.expiresAt)
  }

  /** The flags of ENTRY_META, without lengths and kinds. */
  get flags(): number {
    const expiry = (this.expiresAt === NEVER ? 0 : ENTRY_EXPIRES) | (this.staleUntil === NEVER ? 0 : ENTRY_STALE)
    return this.counts ? expiry | ENTRY_COUNTER : expiry
  }

  /** The time until which the entry is kept, or NEVER. */
  get keptUntil(): number {
    return this.staleUntil > 0 ? this.staleUntil : this.expiresAt
  }

  private writeValue(block: number, at: number): void {
    const { core, length, kind } = this
    const { words } = core
    if (kind === VALUE_NUMBER) {
      storeDouble(words, at, this.value as number)
      return
    }
    if (length === 0) return
    const isString = kind === VALUE_LATIN1 || kind === VALUE_UTF16
    if (isString && !this.isStaged) this.writeString(block, at)
    else if (isString) copyPadded(this.asciiWords, 0, length, words, at)
    else copyPadded(core.scratchWords, core.scratchStart, length, words, at)
  }

  /** Lets go of the value, so that the garbage collector can free it. */
  clear(): void {
    this.value = undefined
  }

  private measureString(text: string, isNarrow: boolean): void {
    const units = text.length
    this.length = units
    // One call both writes the string and shows that it is ASCII: then it took one byte of UTF-8 a unit.
    if (units <= MAX_STAGED_UNITS && utf8.encodeInto(text, this.ascii).written === units) {
      this.isStaged = true
    } else if (!isNarrow && WIDE_UNIT.test(text)) {
      this.kind = VALUE_UTF16
      this.length = units * 2
    }
  }

  private writeString(block: number, at: number): void {
    const window = this.core.region.windowOf(block)
    const start = byteOffset(block) + (at - block * BLOCK_WORDS) * 4
    this.core.words[at + wordsFor(this.length) - 1] = 0
    if (this.kind === VALUE_LATIN1) window.latin1Write(this.value as string, start, this.length)
    else window.ucs2Write(this.value as string, start, this.length)
  }
}

/** Copies `bytes` bytes from word `start` on to word `at` of `to`, the last word padded with zeros. */
function copyPadded(from: Int32Array, start: number, bytes: number, to: Int32Array, at: number): void {
  const count = wordsFor(bytes)
  copyWords(from, start, to, at, count)
  if ((bytes & 3) !== 0) to[at + count - 1] &= (1 << ((bytes & 3) * 8)) - 1
}
