/**
 * When tags were revalidated, for all threads and processes, and which entries are older than that.
 *
 * Times are those of the machine's monotonic clock, which is one for all processes: what Next.js calls a timestamp is of
 * the clock of each process, and they drift apart. That clock begins anew with the system, so a time goes with the boot.
 */
import { MapsafeError } from '../base/errors.js'
import { bootNumber, monotonic, readClocks } from '../platform/system-clock.js'
import type { ConcurrentMap } from '../public/concurrent-map.js'

/** A time, and the start of the system that it belongs to. */
export interface Moment {
  /** The start of the system; empty where it cannot be told, and then the time is of the clock that people set. */
  readonly boot: string
  /** Milliseconds. */
  readonly at: number
}

/** What is known of a tag. Its times are of one boot; 0 means never. */
export interface TagRecord {
  /** The start of the system that the times belong to. */
  readonly boot: string
  /** Entries that were begun before are expired. */
  readonly expired: number
  /** Entries that were begun before are stale. */
  readonly stale: number
  /** Stale entries are expired from then on. */
  readonly due: number
}

export type Freshness = 'fresh' | 'stale' | 'expired'

const TAG = 'tag:'
/** The record that counts for all tags. */
const FLOOR = 'floor'
/** Room for a record where the map is full. */
const BALLAST = 'ballast'
const BALLAST_BYTES = 16_384
/** What a time that went through a floating-point number since 1970 may be wrong by, in milliseconds. */
const BLUR = 0.01
const NEVER: TagRecord = { boot: '', expired: 0, stale: 0, due: 0 }

export class Revalidations {
  readonly #map: ConcurrentMap<string, unknown>

  constructor(map: ConcurrentMap<string, unknown>) {
    this.#map = map
    map.setIfAbsent(BALLAST, new Uint8Array(BALLAST_BYTES))
  }

  /**
   * Returns a moment that was so many milliseconds ago, or somewhat more where this thread had to wait meanwhile: what
   * seems older than it is may be made anew for nothing, what seems younger would be served when it must not.
   *
   * @param age is called after the clock was read
   */
  momentAgo(age: () => number): Moment {
    const { boot, at } = now()
    return { boot, at: at - Math.max(age(), 0) - BLUR }
  }

  /** Returns how many milliseconds ago a moment was; undefined if the system was started anew since. */
  ageOf({ boot, at }: Moment): number | undefined {
    const here = now()
    return here.boot === boot ? here.at - at : undefined
  }

  /**
   * Makes all entries of the tags that were begun until now expired; with `expire`, stale now, and expired after so many
   * seconds; with `durations` that do not say, stale alone.
   */
  note(tags: readonly string[], durations?: { readonly expire?: number | undefined }): void {
    for (const tag of tags) {
      try {
        this.#raise(TAG + tag, durations)
      } catch (error) {
        if (!(error instanceof MapsafeError) || error.code !== 'ERR_MAPSAFE_FULL') throw error
        this.#forget()
      }
    }
  }

  /** Says what became of an entry with these tags whose making began then. O(tags). */
  freshness(tags: readonly string[], begun: Moment): Freshness {
    const here = now()
    let isStale = false
    for (const key of [...tags.map((tag) => TAG + tag), FLOOR]) {
      const record = this.#map.get(key) as TagRecord | undefined
      if (record === undefined) continue
      if (record.boot !== begun.boot) {
        // Begun since the system was started anew, and the tag not revalidated since; or else the tag came later.
        if (begun.boot === here.boot) continue
        return 'expired'
      }
      if (record.expired > begun.at) return 'expired'
      if (record.stale <= begun.at) continue
      if (record.due !== 0 && (record.due <= here.at || record.boot !== here.boot)) return 'expired'
      isStale = true
    }
    return isStale ? 'stale' : 'fresh'
  }

  #raise(key: string, durations: { readonly expire?: number | undefined } | undefined): void {
    this.#map.update(key, (known) => {
      const { boot, at } = now()
      let record = (known as TagRecord | undefined) ?? NEVER
      if (record.boot !== boot) record = { ...NEVER, boot }
      // What was due by now is so for ever, though another time comes in its place.
      else if (record.due !== 0 && record.due <= at) record = { ...record, expired: record.stale, due: 0 }
      if (durations === undefined) return { ...record, expired: at }
      const due = durations.expire === undefined ? Infinity : at + durations.expire * 1000
      const first = Math.min(due, record.due === 0 ? Infinity : record.due)
      return { ...record, stale: at, due: first === Infinity ? 0 : first }
    })
  }

  /** Forgets single tags where there is no room for another one: every entry that was begun until now counts as expired. */
  #forget(): void {
    this.#map.delete(BALLAST)
    this.#raise(FLOOR, undefined)
    this.#map.deleteWhere({ prefix: TAG })
    this.#map.setIfAbsent(BALLAST, new Uint8Array(BALLAST_BYTES))
  }
}

function now(): Moment {
  const boot = bootNumber()
  return boot === 0n ? { boot: '', at: readClocks().wall } : { boot: boot.toString(16), at: monotonic() }
}
