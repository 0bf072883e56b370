import { corruptValue } from '../codec/value-error.js'
import type { Labels } from '../format/labels.js'

/**
 * The content of a lease: which load a key waits for, and how the last one ended. It is stored as a value of kind
 * VALUE_LEASE; docs/internals/format.md, "Lease", gives the order of the bytes.
 */
export interface Lease {
  /** The load that runs; undefined if no load does. */
  readonly load: Load | undefined
  /**
   * The outcome of a load that left no value. Kept while the next load runs, since some waiting calls may not have seen
   * it.
   */
  readonly outcome: Outcome | undefined
  /** The expired value that is being loaded anew, and may still be served. */
  readonly stale: Stale | undefined
}

/** The name of a load. */
export interface LoadName {
  /** Owner mark of the engine whose thread runs the load. */
  readonly owner: number
  /** Number of the load among those of that engine. */
  readonly number: number
}

export interface Load extends LoadName {
  /** When the load counts as timed out, in the region's time. */
  readonly until: number
  /** Of a forced load: the version of the entry that it is to replace; else 0. */
  readonly base: number
}

export interface Outcome extends LoadName {
  readonly state: typeof FAILED | typeof DELIVERED | typeof MISSING
  /** FAILED: until when calls that come after the load are rejected with it, too, in the region's time. */
  readonly until: number
  readonly content: Content
}

/** The load failed, as the content describes (failure.ts). */
export const FAILED = 1
/** A write overtook the load: its value, the content, is not stored, but goes to the calls that waited for it. */
export const DELIVERED = 2
/** A load of many keys ended without a value for this one. */
export const MISSING = 3

/** A value in the form that an entry holds. */
export interface Content {
  /** Value kind of the region format. */
  readonly kind: number
  readonly bytes: Uint8Array
}

/** An expired value that calls of `getOrLoad` may still get, in the form in which entries and leases hold it. */
export interface Stale {
  readonly content: Content
  /** Version of the entry that had the value. */
  readonly version: number
  /** When that entry expired, in the region's time. */
  readonly expiredAt: number
  /** The labels of the entry that had the value; a lease has them as its own. */
  readonly labels: Labels | undefined
  /** Until when the value may be served, in the region's time, with the mark of `isForFailures` of format/expiry.ts. */
  readonly until: number
}

// Byte offsets in a lease.
const LOAD_OWNER = 0
const LOAD_NUMBER = 4
const LOAD_UNTIL = 8
const OUTCOME_UNTIL = 16
const OUTCOME_OWNER = 24
const OUTCOME_NUMBER = 28
const OUTCOME_STATE = 32
const CONTENT_KIND = 36
const LOAD_BASE = 40
const STALE_UNTIL = 48
const STALE_EXPIRED = 56
const STALE_VERSION = 64
const STALE_KIND = 72
const CONTENT_BYTES = 76
const CONTENT = 80

export function leaseBytes({ outcome, stale }: Lease): number {
  return CONTENT + (outcome?.content.bytes.length ?? 0) + (stale?.content.bytes.length ?? 0)
}

/** Writes a lease to the start of `target`. An owner mark is never 0, and neither is a state. */
export function writeLease({ load, outcome, stale }: Lease, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, target.length)
  view.setInt32(LOAD_OWNER, load?.owner ?? 0, true)
  view.setUint32(LOAD_NUMBER, load?.number ?? 0, true)
  view.setFloat64(LOAD_UNTIL, load?.until ?? 0, true)
  view.setFloat64(OUTCOME_UNTIL, outcome?.until ?? 0, true)
  view.setInt32(OUTCOME_OWNER, outcome?.owner ?? 0, true)
  view.setUint32(OUTCOME_NUMBER, outcome?.number ?? 0, true)
  view.setUint32(OUTCOME_STATE, outcome?.state ?? 0, true)
  view.setUint32(CONTENT_KIND, outcome?.content.kind ?? 0, true)
  view.setFloat64(LOAD_BASE, load?.base ?? 0, true)
  view.setFloat64(STALE_UNTIL, stale?.until ?? 0, true)
  view.setFloat64(STALE_EXPIRED, stale?.expiredAt ?? 0, true)
  view.setFloat64(STALE_VERSION, stale?.version ?? 0, true)
  view.setUint32(STALE_KIND, stale?.content.kind ?? 0, true)
  const length = outcome?.content.bytes.length ?? 0
  view.setUint32(CONTENT_BYTES, length, true)
  if (outcome !== undefined) target.set(outcome.content.bytes, CONTENT)
  if (stale !== undefined) target.set(stale.content.bytes, CONTENT + length)
}

/**
 * Reads the lease in the first `length` bytes, with a copy of its content.
 *
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are not a lease
 */
export function readLease(bytes: Uint8Array, length: number): Lease {
  if (length < CONTENT) throw corruptValue()
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const owner = view.getInt32(LOAD_OWNER, true)
  const load =
    owner === 0
      ? undefined
      : {
          owner,
          number: view.getUint32(LOAD_NUMBER, true),
          until: view.getFloat64(LOAD_UNTIL, true),
          base: view.getFloat64(LOAD_BASE, true),
        }
  const staleAt = CONTENT + view.getUint32(CONTENT_BYTES, true)
  if (staleAt > length) throw corruptValue()
  return { load, outcome: readOutcome(view, bytes, staleAt), stale: readStale(view, bytes, staleAt) }
}

function readOutcome(view: DataView, bytes: Uint8Array, end: number): Outcome | undefined {
  const state = view.getUint32(OUTCOME_STATE, true) as 0 | Outcome['state']
  if (state > MISSING) throw corruptValue()
  if (state === 0) return undefined
  return {
    state,
    owner: view.getInt32(OUTCOME_OWNER, true),
    number: view.getUint32(OUTCOME_NUMBER, true),
    until: view.getFloat64(OUTCOME_UNTIL, true),
    content: { kind: view.getUint32(CONTENT_KIND, true), bytes: bytes.slice(CONTENT, end) },
  }
}

function readStale(view: DataView, bytes: Uint8Array, start: number): Stale | undefined {
  const kind = view.getUint32(STALE_KIND, true)
  if (kind === 0) return undefined
  return {
    until: view.getFloat64(STALE_UNTIL, true),
    expiredAt: view.getFloat64(STALE_EXPIRED, true),
    version: view.getFloat64(STALE_VERSION, true),
    labels: undefined,
    content: { kind, bytes: bytes.slice(start, view.byteLength) },
  }
}

export function isSameLoad(a: LoadName, b: LoadName): boolean {
  return a.owner === b.owner && a.number === b.number
}
