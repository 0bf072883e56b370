import { corruptValue } from '../codec/value-error.js'

/**
 * What a lease says: which load a key waits for, and how the last one ended. The bytes of a value of kind VALUE_LEASE;
 * docs/internals/format.md, "Lease", has their order.
 */
export interface Lease {
  /** The load that runs; undefined if none does. */
  readonly load: Load | undefined
  /** How a load ended that left no value; kept while the next one runs, since not all may have seen it. */
  readonly outcome: Outcome | undefined
}

/** What names a load. */
export interface LoadName {
  /** Owner mark of the engine that loads. */
  readonly owner: number
  /** Counts the loads of that engine. */
  readonly number: number
}

export interface Load extends LoadName {
  /** When it counts as timed out, in milliseconds since 1970. */
  readonly until: number
}

export interface Outcome extends LoadName {
  readonly state: typeof FAILED | typeof DELIVERED | typeof STALE
  /**
   * FAILED: until when it is told to those, too, who come after it. STALE: until when the value may be served.
   * Milliseconds since 1970.
   */
  readonly until: number
  readonly content: Content
}

/** The load failed, as the content describes (failure.ts). */
export const FAILED = 1
/** The load was overtaken by a write: its value, the content, is not stored, but told to those who waited for it. */
export const DELIVERED = 2
/** No outcome of a load, but the value that expired and is being loaded anew. */
export const STALE = 3

/** A value as an entry has it. */
export interface Content {
  /** Value kind of the region format. */
  readonly kind: number
  readonly bytes: Uint8Array
}

// Byte offsets.
const LOAD_OWNER = 0
const LOAD_NUMBER = 4
const LOAD_UNTIL = 8
const OUTCOME_UNTIL = 16
const OUTCOME_OWNER = 24
const OUTCOME_NUMBER = 28
const OUTCOME_STATE = 32
const CONTENT_KIND = 36
const CONTENT = 40

export function leaseBytes({ outcome }: Lease): number {
  return CONTENT + (outcome?.content.bytes.length ?? 0)
}

/** Writes a lease to the start of `target`. An owner mark is never 0, and neither is a state. */
export function writeLease({ load, outcome }: Lease, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, target.length)
  view.setInt32(LOAD_OWNER, load?.owner ?? 0, true)
  view.setUint32(LOAD_NUMBER, load?.number ?? 0, true)
  view.setFloat64(LOAD_UNTIL, load?.until ?? 0, true)
  view.setFloat64(OUTCOME_UNTIL, outcome?.until ?? 0, true)
  view.setInt32(OUTCOME_OWNER, outcome?.owner ?? 0, true)
  view.setUint32(OUTCOME_NUMBER, outcome?.number ?? 0, true)
  view.setUint32(OUTCOME_STATE, outcome?.state ?? 0, true)
  view.setUint32(CONTENT_KIND, outcome?.content.kind ?? 0, true)
  if (outcome !== undefined) target.set(outcome.content.bytes, CONTENT)
}

/**
 * The lease in the first `length` bytes, with a copy of its content.
 *
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are no lease
 */
export function readLease(bytes: Uint8Array, length: number): Lease {
  if (length < CONTENT) throw corruptValue()
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const owner = view.getInt32(LOAD_OWNER, true)
  const state = view.getUint32(OUTCOME_STATE, true) as 0 | Outcome['state']
  if (state > STALE) throw corruptValue()
  const load =
    owner === 0
      ? undefined
      : { owner, number: view.getUint32(LOAD_NUMBER, true), until: view.getFloat64(LOAD_UNTIL, true) }
  if (state === 0) return { load, outcome: undefined }
  return {
    load,
    outcome: {
      state,
      owner: view.getInt32(OUTCOME_OWNER, true),
      number: view.getUint32(OUTCOME_NUMBER, true),
      until: view.getFloat64(OUTCOME_UNTIL, true),
      content: { kind: view.getUint32(CONTENT_KIND, true), bytes: bytes.slice(CONTENT, length) },
    },
  }
}

export function isSameLoad(a: LoadName, b: LoadName): boolean {
  return a.owner === b.owner && a.number === b.number
}
