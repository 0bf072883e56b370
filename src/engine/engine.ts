import type { Key } from '../format/key.js'
import { MAX_ENTRY_LABELS } from '../format/layout.js'
import type { Shape } from '../format/shapes.js'

export { HASH_END } from '../format/segment.js'

/** The engine that a thread works with. */
export type EngineChoice = 'auto' | 'native' | 'typescript'

/**
 * The interface of both engines for the facade. An engine belongs to one thread; any number of engines, native and
 * TypeScript, may work on one region at the same time.
 *
 * An engine never throws on a hot path. It leaves the outcome in {@link Engine.result}, whose words are named below,
 * and the facade turns a negative status into an error. Values that need JavaScript to decode them are left as bytes at
 * the start of {@link Engine.scratch}.
 */
export interface Engine {
  readonly kind: 'native' | 'typescript'
  /** The region. The near-cache loads bucket versions from it. */
  readonly words: Int32Array
  /** The outcome of the last call: {@link RESULT_STATUS} and the words after it. */
  readonly result: Int32Array
  /** Buffer for encoded bytes in and out. {@link Engine.growScratch} replaces it by a larger one. */
  readonly scratch: Uint8Array
  /**
   * The owner mark of this thread's record (docs/internals/format.md, "Segment"). It differs for every engine attached.
   */
  readonly mark: number

  /** Makes {@link Engine.scratch} at least `bytes` long. Its content is lost. Called by `makeRoom` of src/codec/scratch.ts. */
  growScratch(bytes: number): void

  /**
   * If {@link Engine.scratch} is longer than `KEPT_BYTES` of src/base/kept.ts, replaces it by the one before. Its content is lost.
   * May be called after {@link Engine.close}.
   */
  shrinkScratch(): void

  /**
   * Looks `key` up. Status FOUND with the value returned (kinds undefined to UTF-16 string), ENCODED with the value's
   * bytes in the scratch buffer, ABSENT, or SCRATCH_TOO_SMALL with the length needed.
   */
  get(key: Key): unknown

  /**
   * Is {@link Engine.get} for the near-cache: if the entry still has `version`, the status is UNCHANGED and there is no
   * value.
   */
  getIfChanged(key: Key, version: number): unknown

  /**
   * Is {@link Engine.get} for walks: in a cache it does not count as a use of the entry, so it does not delay eviction.
   */
  getPassing(key: Key): unknown

  /**
   * Is {@link Engine.get} for loads (docs/internals/protocol.md, "Loads"). It also finds a lease, which for other calls
   * is an absent entry: status ENCODED with kind VALUE_LEASE or VALUE_LAPSED_LEASE. And it finds an expired entry as
   * long as loads may return it: then RESULT_EXPIRES_AT is in the past.
   */
  getForLoad(key: Key): unknown

  /**
   * Looks up as {@link Engine.get} does, without the value: status FOUND or ABSENT, entry version, home bucket and its
   * version.
   */
  peek(key: Key): void

  /**
   * Writes an entry if `mode` allows it.
   *
   * @param kind the value kind of the region format; for all strings VALUE_LATIN1, even if they need UTF-16 units
   * @param value the string, or the number, or for kinds bigint and later the length of the bytes in the scratch buffer
   * @param mode one of the PUT constants, plus RETURN_PREVIOUS, PUT_QUIETLY, PUT_GIVEN and PUT_NARROW optionally
   * @param version for PUT_IF_VERSION, the entry version that the key must have
   * @param expiresAt when the entry expires, in milliseconds of the region's time; default NEVER
   * @param staleUntil until when {@link Engine.getForLoad} finds the entry after its expiry; below 0, minus the
   * milliseconds by which reads renew it; default NEVER: neither
   * @returns with RETURN_PREVIOUS, the previous value if it is of kind undefined to UTF-16 string
   *
   * Status DONE (RESULT_PREVIOUS says whether there was an entry before) or NOT_DONE (the condition did not hold). With
   * RETURN_PREVIOUS and an entry present, RESULT_PREVIOUS is FOUND or ENCODED, as for {@link Engine.get}. If that value
   * does not fit into the scratch buffer, nothing is written and the status is SCRATCH_TOO_SMALL.
   */
  put(
    key: Key,
    kind: number,
    value: unknown,
    mode: number,
    version?: number,
    expiresAt?: number,
    staleUntil?: number,
  ): unknown

  /**
   * Deletes the entry of `key`, if present and `mode` (PUT_ALWAYS or PUT_IF_VERSION, plus RETURN_PREVIOUS) allows it.
   * Status DONE or NOT_DONE; RESULT_PREVIOUS as for {@link Engine.put}.
   */
  remove(key: Key, mode: number, version?: number): unknown

  /**
   * Adds `by` to the number stored under `key`, where an absent key counts as 0, and returns the sum. Status DONE, with
   * the expiry of the entry that has the sum in RESULT_EXPIRES_AT; NOT_DONE (the condition did not hold, nothing was
   * changed); or NOT_A_COUNTER (the value is not a safe integer) or COUNTER_RANGE (the sum would not be one).
   *
   * @param expiresAt when a new counter expires; an existing one keeps its expiry
   * @param mode PUT_ALWAYS, the default, or PUT_IF_PRESENT; plus RENEW_EXPIRY optionally: then an existing one gets
   * `expiresAt`, too
   */
  increment(key: Key, by: number, expiresAt?: number, mode?: number): number

  /**
   * Looks `key` up as {@link Engine.get} does, and with status FOUND, ENCODED or ABSENT holds it: until
   * {@link Engine.putHeld}, {@link Engine.removeHeld} or {@link Engine.letGo}, no other thread can write it, or a key
   * of the same bucket, or one that needs the same segment's mutex. Meanwhile this engine may only read.
   */
  hold(key: Key): unknown

  /**
   * Stores an entry under the key held, with the arguments of {@link Engine.put}, and lets go. Status DONE; or a
   * negative one, and nothing is stored. The status is FULL also where a cleanup might find room.
   */
  putHeld(key: Key, kind: number, value: unknown, expiresAt?: number, staleUntil?: number): void

  /** Deletes the entry of the key held, and lets go. Status DONE or NOT_DONE. */
  removeHeld(key: Key): void

  /** Lets go of the key held, if there is one. */
  letGo(): void

  /**
   * Makes the table of labels of a level, if there is none yet. Status DONE if there is one now; FULL, TIMEOUT or CORRUPT.
   */
  makeLabelTable(level: number): void

  /**
   * Makes every entry invalid that has the label `name`, for every thread and process, and tells those who watch the map.
   * Status DONE; CORRUPT for a word outside.
   *
   * @param own the word of the label's own generation, 0 if it has none
   * @param shared that of the one that it shares with others, 0 if there is none
   */
  invalidate(name: string, own: number, shared: number): void

  /**
   * Announces that this thread is going to wait until a load of `key` ends: docs/internals/protocol.md, "Waking".
   *
   * @returns the index of the word that changes when a thread wakes those who wait; its value is in RESULT_VERSION_LOW
   */
  announce(key: Key): number

  /**
   * Has all threads tell from now on what they change: docs/internals/protocol.md, "Change feed". May be called again at
   * any time; it then finishes what threads left that died. Status DONE, or FULL or the like if there is no room for the
   * ring.
   */
  watch(): void

  /** Ends what {@link Engine.watch} began. Status DONE. */
  unwatch(): void

  /**
   * Looks up `keys` from index `from` on, each as {@link Engine.get} does. Values of kind undefined to UTF-16 string
   * are stored in `values` under the key's index; others go into the scratch buffer, as many as fit: RESULT_LENGTH
   * records of `index, kind, byte length, bytes padded to a word`. Absent keys leave no trace: `values` keeps its
   * elements for them.
   *
   * @returns the index to go on from. Status DONE; or, for the key of that index, SCRATCH_TOO_SMALL with the bytes
   * needed, or a negative one
   */
  getMany(keys: readonly Key[], values: unknown[], from: number): number

  /**
   * Stores entries `from` to `to - 1`, each as {@link Engine.put} does with PUT_ALWAYS and PUT_GIVEN. The bytes of values of kind
   * bigint and later lie one after the other in the scratch buffer, each padded to a word.
   *
   * @param kinds the kinds, as for put
   * @param operands the values, as for put
   * @param expiresAt when all the entries expire
   * @returns the index of the first entry not stored: `to` with status DONE, else with a negative status for that entry
   */
  putMany(
    keys: readonly Key[],
    kinds: readonly number[],
    operands: readonly unknown[],
    from: number,
    to: number,
    expiresAt?: number,
  ): number

  /**
   * Deletes the entries of `keys`. RESULT_LENGTH is the number of entries deleted.
   * @returns the index of the first key not dealt with: `keys.length` with status DONE, else with a negative status for
   * that key
   */
  removeMany(keys: readonly Key[]): number

  /**
   * Returns the number of entries, including expired ones that are not deleted yet: exact when no write is in flight.
   * O(thread records).
   */
  size(): number

  /**
   * Deletes every entry of segments from the one that covers hash `fromHash` on, of `segments` segments at most. Not
   * one atomic step: an entry inserted meanwhile may survive.
   *
   * @param segments up to {@link NO_LIMIT}
   * @returns the hash to go on from, {@link HASH_END} at the end; status DONE, or a negative one for the segment there
   */
  clear(fromHash: number, segments: number): number

  /**
   * Collects keys whose hash is from `fromHash` to below `endHash`, in hash order, into the scratch buffer, as many as
   * fit and `limit` at most: RESULT_LENGTH records of `kind, byte length, bytes padded to a word`. Keys with the same
   * hash are never separated, even if that exceeds the limit.
   *
   * @param fromHash 0 to 2^32
   * @param endHash 0 to {@link HASH_END}
   * @param limit up to {@link NO_LIMIT}
   * @returns the hash to go on from, `endHash` after the last key; status DONE, or SCRATCH_TOO_SMALL if the first hash
   * alone did not fit
   */
  collect(fromHash: number, endHash: number, limit: number): number

  /**
   * Copies all entries as they are at one instant: records of the region format (docs/internals/format.md, "Entry"),
   * one after the other, in pieces. Records with key kind 0 are out of date; skip them. Status DONE with the number of
   * the others in RESULT_LENGTH and the time of the instant in RESULT_EXPIRES_AT; entries that have expired by then are
   * among them.
   */
  snapshot(): Int32Array<ArrayBuffer>[]

  /** Begins a snapshot in steps: {@link Engine.copyAhead}, {@link Engine.finishSnapshot}, {@link Engine.nextPiece}. */
  beginSnapshot(): number

  /**
   * Copies most entries for a snapshot while other threads go on writing, some segments at a time. Returns true once it
   * is time to finish. Status DONE or CORRUPT.
   */
  copyAhead(job: number, segments: number): boolean

  /**
   * Copies what changed since, at one instant, for which writes of other threads wait. O(segments + changes). Ends as
   * {@link Engine.snapshot} does.
   */
  finishSnapshot(job: number): void

  /** Returns a piece of a finished snapshot, each once, in any order; undefined once there is none left. */
  nextPiece(job: number): Int32Array<ArrayBuffer> | undefined

  /** Forgets a snapshot in steps, at whatever step. */
  dropSnapshot(job: number): void

  /** Returns the region's time, by which entries expire, in milliseconds. */
  now(): number

  /**
   * Deletes the expired entries of segments from the one that covers hash `fromHash` on, until the budget is spent: a
   * look at a segment costs 1, deleting the entries of one 64. Segments in use for something else are passed over.
   * Gives back first what this thread alone can: free memory that it kept, or that others asked for.
   * RESULT_LENGTH is the number of segments that had any.
   *
   * @returns the hash to go on from, {@link HASH_END} at the end
   */
  sweep(fromHash: number, budget: number): number

  /**
   * Returns a shape of the region's table (docs/internals/format.md, "Shapes"); undefined if there is none with that
   * id, or it is damaged. Ids up to the word HEADER_SHAPE_COUNT are there. Waits for nothing, and leaves
   * {@link Engine.result} and {@link Engine.scratch} as they are.
   */
  readShape(id: number): Shape | undefined

  /**
   * Returns the id of the child of shape `parent` that has `name`, and adds it if there is none. Else NOT_ADDED: another
   * thread is in the way, or there is no memory for it now; FULL: a bound forbids it, and will go on to for this parent;
   * ENTRY_TOO_LARGE: the name is longer than SHAPE_NAME_BYTES; CORRUPT: the table is damaged. May be called while a key
   * is held. Hardly waits, and leaves {@link Engine.result} and {@link Engine.scratch} as they are.
   */
  addShape(parent: number, name: string): number

  /** Walks the whole region and returns one line for every structural invariant it finds violated. Call it at rest. */
  verify(): string[]

  /**
   * Finishes or undoes the unfinished work of dead threads, counts entries and tombstones again, and frees blocks that
   * nothing leads to. Status DONE, TIMEOUT or CORRUPT.
   */
  repair(): RepairReport

  /** Returns the state of the thread that has record `record`, as far as this thread can see: one of LIFE_*. */
  lifeOf(record: number): number

  /**
   * Gives back the blocks of this thread's free lists, and its thread record. No other method may be called afterwards.
   */
  close(): void
}

/** The outcome of {@link Engine.addShape} if the shape may be added some other time. */
export const NOT_ADDED = 0

/** The findings of a repair. */
export interface RepairReport {
  /**
   * Number of threads that were found dead. Everything they held is free again, and their writes are finished or
   * undone.
   */
  readonly deadThreads: number
  /** The number that was added to the number of entries. */
  readonly sizeCorrection: number
  /** Number of segments whose count of deleted entries was wrong. */
  readonly segmentsCorrected: number
  /** Number of pieces of memory that nothing led to; they are free again. */
  readonly blocksFreed: number
  /** Bytes of those pieces. */
  readonly bytesFreed: number
  /**
   * Whether the repair looked for such memory, which it does only if no other thread, and no other map object of this
   * one, has the map open.
   */
  readonly hasLookedForLeaks: boolean
}

/** Limit for {@link Engine.collect} that does not bind. */
export const NO_LIMIT = 2 ** 32 - 1

/** Words before the value's bytes in a record of {@link Engine.getMany}: index, kind and length. */
export const VALUE_RECORD_WORDS = 3
/** Words before the key's bytes in a record of {@link Engine.collect}: kind and length. */
export const KEY_RECORD_WORDS = 2

// Words of Engine.result.
export const RESULT_STATUS = 0
/** Value kind of the region format. */
export const RESULT_KIND = 1
/** Bytes of an encoded value; bytes needed; or number of records, keys or segments. */
export const RESULT_LENGTH = 2
/** Entry version, low and high word. After a write, the version written. */
export const RESULT_VERSION_LOW = 3
export const RESULT_VERSION_HIGH = 4
/** Word index of the home bucket's version, divided by BLOCK_WORDS (so that it fits 32 bits). */
export const RESULT_HOME = 5
/** The home bucket's version at which the outcome was true; odd if a writer held the bucket. */
export const RESULT_HOME_VERSION = 6
/** Block number of the entry found. */
export const RESULT_ENTRY = 7
/** State of the key before put or remove: ABSENT, FOUND or ENCODED. */
export const RESULT_PREVIOUS = 8
/** On TIMEOUT: process id and thread id of the owner. */
export const RESULT_OWNER_PID = 9
export const RESULT_OWNER_THREAD = 10
/**
 * Set by the caller: operations with the same number, not 0, are parts of one call, and share the time for which a call
 * may wait for other threads. With 0 each operation is a call of its own.
 */
export const RESULT_CALL = 11
/** Number of labels, in pairs (format/labels.ts), that the next entry written gets. The write takes them: then it is 0. */
export const RESULT_GIVEN_LABELS = 16
/** Number of labels of the entry that was read. */
export const RESULT_FOUND_LABELS = 17
/** The labels given, and those found. */
export const RESULT_LABELS = 18
export const RESULT_OF_FOUND_LABELS = 98
export const RESULT_WORDS = 178
/**
 * When the entry found expires, NEVER if it does not: a double. The index counts doubles from the start of the result.
 */
export const RESULT_EXPIRES_AT = 6
/** What `staleUntil` of Engine.put says, of the entry read, or NEVER. The index counts doubles, too. */
export const RESULT_STALE_UNTIL = 7

/** Returns {@link RESULT_GIVEN_LABELS}, within its bound. */
export function givenLabels(result: Int32Array): number {
  return Math.min(result[RESULT_GIVEN_LABELS] >>> 0, MAX_ENTRY_LABELS)
}

// Statuses. Negative ones become errors.
export const ABSENT = 0
export const FOUND = 1
export const ENCODED = 2
export const NOT_DONE = 3
export const DONE = 4
export const SCRATCH_TOO_SMALL = 5
export const UNCHANGED = 6
export const FULL = -1
export const TIMEOUT = -2
export const CORRUPT = -3
export const ENTRY_TOO_LARGE = -4
export const KEY_TYPE = -5
export const NOT_A_COUNTER = -6
export const COUNTER_RANGE = -7
export const UNKNOWN_KIND = -8

// Modes of put and remove.
export const PUT_ALWAYS = 0
export const PUT_IF_ABSENT = 1
export const PUT_IF_PRESENT = 2
export const PUT_IF_VERSION = 3
export const PUT_CONDITION_MASK = 3
export const RETURN_PREVIOUS = 4
export const RENEW_EXPIRY = 8
/** For a write that stores the value that is there: it is not told to those who watch the key. */
export const PUT_QUIETLY = 16
/**
 * Flag of a put: the value is none that was made of older ones, so its labels have the generations of the instant at which
 * it is stored. Without it, a value is not stored (NOT_DONE) if one of its labels was invalidated since it was noted.
 */
export const PUT_GIVEN = 32
/** Flag of a put: the value is a string without a unit above 255, which then no engine has to find out. */
export const PUT_NARROW = 64
