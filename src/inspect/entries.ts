/** Walks the entries of a region, one segment after the other, without a thread record. */
import { MapsafeError } from '../base/errors.js'
import { NEVER, valueKindOf } from '../format/entry.js'
import { hasExpiredAt } from '../format/expiry.js'
import type { Key } from '../format/key.js'
import { isLeaseKind } from '../format/kinds.js'
import {
  ENTRY_COUNTER,
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
import type { Region } from '../format/region.js'
import { HASH_END } from '../format/segment.js'
import { SEGMENT_WORDS } from '../format/directory.js'
import { collect, Unreadable, type RawEntry } from './collect.js'
import type { Moment } from './moment.js'

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
   * but holds the place of one whose value is being loaded.
   */
  readonly state: 'live' | 'expired' | 'lease'
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
  { expired = false, leases = false, onProblem }: EntriesOptions,
  moment: () => Moment,
  check: () => void,
): Generator<InspectedEntry, undefined, undefined> {
  const most = MAX_REGIONS * region.words.length
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
    const found = collect(region, from, Math.min(most - copied, region.words.length))
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
      const entry = describeEntry(raw, now)
      if (entry.state === 'live' || (entry.state === 'expired' ? expired : leases)) {
        yield entry
        check()
      }
    }
  }
  return undefined
}

function describeEntry(raw: RawEntry, { time, steps }: Moment): InspectedEntry {
  const kind = valueKindOf(raw.meta)
  // Converts as the cache does: into whole milliseconds of the system's clock.
  const timeOf = (at: number): number | undefined =>
    at === NEVER || at === Infinity ? undefined : Math.floor(at + steps)
  return {
    key: raw.key,
    version: raw.version,
    state: isLeaseKind(kind) ? 'lease' : hasExpiredAt(raw.expiresAt, time) ? 'expired' : 'live',
    kind: (raw.meta & ENTRY_COUNTER) !== 0 ? 'counter' : (KIND_NAMES[kind] ?? 'unknown'),
    expiresAt: timeOf(raw.expiresAt),
    staleUntil: timeOf(raw.staleUntil),
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
