/** Walks the entries of a region, one segment after the other, without a thread record. */
import { MapsafeError } from '../base/errors.js'
import { KEY_META_MASK, NEVER, valueKindOf } from '../format/entry.js'
import { hasExpiredAt, isForFailures } from '../format/expiry.js'
import { halfSipHash } from '../format/half-sip-hash.js'
import { KeyBuffer, type Key } from '../format/key.js'
import { isLeaseKind } from '../format/kinds.js'
import {
  ENTRY_COUNTER,
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  KEY_KIND_SHIFT,
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
} from '../format/layout.js'
import { labelIdOf } from '../format/label-ids.js'
import type { Region } from '../format/region.js'
import { HASH_END } from '../format/segment.js'
import { SEGMENT_WORDS } from '../format/directory.js'
import { collect, Unreadable, type RawEntry } from './collect.js'
import type { Moment } from './moment.js'
import type { ValueReader } from './values.js'

/**
 * The form in which a value is stored. `plain`: a plain object or array. `clone`: an object that only structured clone
 * can copy.
 */
export type ValueKind =
  | 'undefined'
  | 'null'
  | 'boolean'
  | 'number'
  | 'counter'
  | 'string'
  | 'bigint'
  | 'bytes'
  | 'plain'
  | 'clone'
  | 'lease'
  | 'unknown'

const KIND_NAMES: Readonly<Record<number, ValueKind>> = {
  [VALUE_UNDEFINED]: 'undefined',
  [VALUE_NULL]: 'null',
  [VALUE_FALSE]: 'boolean',
  [VALUE_TRUE]: 'boolean',
  [VALUE_NUMBER]: 'number',
  [VALUE_LATIN1]: 'string',
  [VALUE_UTF16]: 'string',
  [VALUE_BIGINT]: 'bigint',
  [VALUE_BYTES]: 'bytes',
  [VALUE_PLAIN]: 'plain',
  [VALUE_CLONE]: 'clone',
  [VALUE_LEASE]: 'lease',
  [VALUE_LAPSED_LEASE]: 'lease',
}

/** The properties of one entry, without its value. */
export interface InspectedEntry {
  /** The key itself. */
  readonly key: Key
  /** Version of the entry, as `getEntry` returns it. */
  readonly version: number
  /**
   * `live`: reads find the entry. `expired`: it is absent for all reads, but not deleted yet. `lease`: it is no entry,
   * but holds the place of one whose value is being loaded. `deleted`: it went, deleted, expired or evicted, and its
   * memory has not been cleaned up yet; its key may be there again.
   */
  readonly state: 'live' | 'expired' | 'lease' | 'deleted'
  /**
   * Kind of the value. `counter`: a number that increments change in place. `unknown`: a kind that only a later version
   * of mapsafe knows.
   */
  readonly kind: ValueKind
  /** When the entry expires, in milliseconds of `Date.now()`; undefined if never. */
  readonly expiresAt: number | undefined
  /**
   * Until when `getOrLoad` may return the entry after its expiry, in milliseconds of `Date.now()`; undefined if it may
   * not.
   */
  readonly staleUntil: number | undefined
  /** Whether it may do so only where a load failed. */
  readonly staleOnError: boolean
  /** Milliseconds that each read lets the entry live longer; undefined if reads do not. */
  readonly slidingTtl: number | undefined
  /**
   * Its tags and namespaces, by their digests: the names themselves are not in the map. Two entries with a tag in common
   * have a digest in common.
   */
  readonly groups: readonly string[]
  /** The value, if values were asked for: a fresh copy, which is not frozen. A lease has none, and what was deleted may not. */
  readonly value?: unknown
  /** Bytes of header, key, value and times. Its block may be a little larger. */
  readonly bytes: number
  /** Bytes of the key alone. */
  readonly keyBytes: number
  /** Bytes of the stored value alone. */
  readonly valueBytes: number
}

/** Which entries to return, and what to do about damaged ones. */
export interface EntriesOptions {
  /** Whether to return expired entries. Default: false. */
  readonly expired?: boolean | undefined
  /** Whether to return leases. Default: false. */
  readonly leases?: boolean | undefined
  /** Whether to return what was deleted and is not cleaned up yet, as far as its memory still holds the key. Default: false. */
  readonly deleted?: boolean | undefined
  /** Whether to read and decode values. Default: false. */
  readonly values?: boolean | undefined
  /**
   * Called with a line for each entry or segment that cannot be read, up to a hundred; the walk goes on without it.
   * Default: the first such entry or segment makes the walk throw `ERR_MAPSAFE_CORRUPT`.
   */
  readonly onProblem?: ((problem: string) => void) | undefined
}

/**
 * Bound on the keys of a walk, in regions: sound keys fit into one; while keys come and go, a walk may meet more, but
 * not so many times more.
 */
const MAX_REGIONS = 4
/** Most problems that are reported, as by `verify()`. */
const MAX_PROBLEMS = 100

/**
 * @param moment returns the present time; called once for each segment
 * @param check throws if the region must not be read any more
 */
export function* walkEntries(
  region: Region,
  { expired = false, leases = false, deleted = false, values = false, onProblem }: EntriesOptions,
  reader: ValueReader,
  moment: () => Moment,
  check: () => void,
): Generator<InspectedEntry, undefined, undefined> {
  const most = MAX_REGIONS * region.words.length
  const isWanted = { live: true, expired, lease: leases, deleted }
  const maxSegments = region.words.length / SEGMENT_WORDS
  let copied = 0
  let segments = 0
  let told = 0
  const tell = (problem: string, isBusy = false): void => {
    if (onProblem === undefined) throw refusal(problem, isBusy)
    if (told++ < MAX_PROBLEMS) onProblem(problem)
  }
  for (let from = 0; from < HASH_END && told < MAX_PROBLEMS;) {
    check()
    const found = collect(region, from, Math.min(most - copied, region.words.length), { values, deleted })
    if (found instanceof Unreadable) {
      tell(found.problem, found.isBusy)
      from = found.end
      continue
    }
    from = found.end
    copied += found.words
    if (++segments > maxSegments) {
      tell('the directory leads to more segments than the region has room for')
      return undefined
    }
    for (const problem of found.problems) tell(problem)
    const now = moment()
    for (const raw of found.entries) {
      if (!isWanted[stateOf(raw, now)]) continue
      let entry: InspectedEntry
      try {
        entry = describeEntry(region, raw, now, values ? reader : undefined)
      } catch (error) {
        if (onProblem === undefined) throw error
        tell(`the value of an entry cannot be read: ${(error as Error).message}`)
        continue
      }
      yield entry
      check()
    }
  }
  return undefined
}

/** Returns the entry of a key, whatever its state; undefined if there is none. */
export function findEntry(
  region: Region,
  key: Key,
  reader: ValueReader,
  moment: () => Moment,
): InspectedEntry | undefined {
  const buffer = new KeyBuffer()
  if (!buffer.encode(key)) return undefined
  const { words } = region
  const meta = buffer.length | (buffer.kind << KEY_KIND_SHIFT)
  const last = buffer.length | (buffer.kind << 28)
  const count = (buffer.length + 3) >> 2
  const hash = halfSipHash(words[HEADER_SECRET_0], words[HEADER_SECRET_1], buffer.words, count, last) >>> 0
  const found = collect(region, hash, words.length, { values: true })
  if (found instanceof Unreadable) throw refusal(found.problem, found.isBusy)
  const bytes = buffer.bytes.slice(0, buffer.length)
  const raw = found.entries.find(
    (each) => each.hash === hash && (each.meta & KEY_META_MASK) === meta && isKey(each.key, key, bytes),
  )
  return raw && describeEntry(region, raw, moment(), reader)
}

/** Keys of one kind and length are the same if their bytes are. */
function isKey(met: Key, key: Key, bytes: Uint8Array): boolean {
  if (typeof met !== 'object') return met === key || (met !== met && key !== key)
  return met.every((byte, i) => byte === bytes[i])
}

function stateOf(raw: RawEntry, { time }: Moment): InspectedEntry['state'] {
  if (raw.isDeleted) return 'deleted'
  if (isLeaseKind(valueKindOf(raw.meta))) return 'lease'
  return hasExpiredAt(raw.expiresAt, time) ? 'expired' : 'live'
}

/** What is left of a deleted entry promises no value. */
function readValue(raw: RawEntry, kind: number, reader: ValueReader): { readonly value: unknown } | undefined {
  try {
    return { value: reader(kind, raw.value!, raw.valueLength) }
  } catch (error) {
    if (!raw.isDeleted) throw error
    return undefined
  }
}

function describeEntry(region: Region, raw: RawEntry, moment: Moment, reader: ValueReader | undefined): InspectedEntry {
  const kind = valueKindOf(raw.meta)
  const state = stateOf(raw, moment)
  // Converts as the cache does: into whole milliseconds of the system's clock.
  const timeOf = (at: number): number | undefined =>
    at === NEVER || at === Infinity ? undefined : Math.floor(at + moment.steps)
  const value = reader === undefined || isLeaseKind(kind) ? undefined : readValue(raw, kind, reader)
  return {
    key: raw.key,
    version: raw.version,
    state,
    kind: (raw.meta & ENTRY_COUNTER) !== 0 ? 'counter' : (KIND_NAMES[kind] ?? 'unknown'),
    expiresAt: timeOf(raw.expiresAt),
    staleUntil: raw.staleUntil > 0 ? timeOf(raw.staleUntil) : undefined,
    staleOnError: raw.staleUntil > 0 && isForFailures(raw.staleUntil),
    slidingTtl: raw.staleUntil < 0 ? -raw.staleUntil : undefined,
    groups: raw.labels.flatMap((word) => labelIdOf(region, word) ?? []),
    ...value,
    bytes: raw.bytes,
    keyBytes: raw.keyLength,
    valueBytes: raw.valueLength,
  }
}

function refusal(problem: string, isBusy: boolean): MapsafeError {
  return isBusy
    ? new MapsafeError(
        'ERR_MAPSAFE_TIMEOUT',
        `Cannot read all entries: ${problem}. Try again, or open with copy: true.`,
      )
    : new MapsafeError(
        'ERR_MAPSAFE_CORRUPT',
        `Cannot read all entries: ${problem}. Call verify() for all that is wrong, or pass onProblem to go on without it.`,
      )
}
