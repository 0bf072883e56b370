import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  ENTRY_DATA,
  ENTRY_HASH,
  ENTRY_NODE,
  FLAG_CACHE,
  HEADER_DEPARTURES,
  HEADER_FLAGS,
  SLOTS_PER_BUCKET,
  THREAD_ID,
  THREAD_PID,
} from '../../format/layout.js'
import { RESULT_CALL, RESULT_OWNER_PID, RESULT_OWNER_THREAD, RESULT_STATUS, RESULT_WORDS, TIMEOUT } from '../engine.js'
import { KEPT_BYTES } from '../../base/kept.js'
import { FreeLists } from './memory/free-lists.js'
import { NEVER, sizeOf } from '../../format/entry.js'
import type { Evictor } from './eviction/evictor.js'
import { Lookup } from './index/lookup.js'
import type { Region } from '../../format/region.js'
import type { ThreadRecord } from './threads/thread-record.js'
import type { WaitBudget } from './threads/wait-budget.js'

const INITIAL_SCRATCH_BYTES = 65536

/** The parts of one thread's engine. The operations are functions over it, one idea a file. */
export class Core {
  readonly words: Int32Array
  readonly lookup: Lookup
  readonly unlinked: Unlinked
  /** The evictor of a cache, which makes room; undefined in a map. */
  evictor: Evictor | undefined
  readonly result = new Int32Array(RESULT_WORDS)
  /** The result as doubles. */
  readonly resultDoubles = new Float64Array(this.result.buffer)
  /** Whether the region is a ConcurrentCache's, in which entries may expire. */
  readonly isCache: boolean
  scratch = new Uint8Array(INITIAL_SCRATCH_BYTES)
  /** The scratch buffer that takes its place again after a large one. */
  private keptScratch = this.scratch
  /** The scratch buffer as words. */
  scratchWords = new Int32Array(this.scratch.buffer)
  /** The word of the scratch buffer at which the next value begins; 0 except within a batch. */
  scratchStart = 0

  /** Hash at which the next bounded cleanup begins. */
  cleanupHand = 0

  /** Whether watchers are to be woken. */
  hasTold = false

  /** Writes of a cache that do not try to move entries, since the last one tried in vain. */
  writesWithoutMoves = 0

  /** Writes finished by this thread, modulo the period of their sampling. */
  writes = 0

  /** Block number of the segment of the key that `holdKey` took, or 0; and the first word of its home bucket. */
  heldSegment = 0
  heldHome = 0
  /** When the entry of that key expires, or NEVER; and that entry, if it has labels, or 0. */
  heldUntil = NEVER
  heldEntry = 0

  constructor(
    readonly region: Region,
    readonly thread: ThreadRecord,
    /** The wait budget of the call under way. */
    readonly budget: WaitBudget,
    readonly blocks = new FreeLists(region, thread, budget),
  ) {
    this.words = region.words
    this.isCache = (region.words[HEADER_FLAGS] & FLAG_CACHE) !== 0
    this.lookup = new Lookup(region, thread)
    this.unlinked = new Unlinked(this)
  }

  /** Makes the scratch buffer at least `bytes` long. */
  growScratch(bytes: number): void {
    if (bytes <= this.scratch.length) return
    if (bytes > KEPT_BYTES) {
      // The buffer is no longer than needed: a thread that stores 150 MiB may not have 256 MiB to spare.
      this.useScratch(new Uint8Array(Math.ceil(bytes / BLOCK_WORDS) * BLOCK_WORDS))
    } else {
      this.keptScratch = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)))
      this.useScratch(this.keptScratch)
    }
  }

  /** Gives a scratch buffer of more than {@link KEPT_BYTES} back. */
  shrinkScratch(): void {
    if (this.scratch !== this.keptScratch) this.useScratch(this.keptScratch)
  }

  private useScratch(scratch: Uint8Array<ArrayBuffer>): void {
    this.scratch = scratch
    this.scratchWords = new Int32Array(scratch.buffer)
  }

  /** The number of the last round of departures that this thread has heeded. */
  departures = 0

  /** Begins an operation: from here on the thread reaches nothing that left before. */
  heedDepartures(): void {
    const departures = Atomics.load(this.words, HEADER_DEPARTURES)
    if (departures === this.departures) return
    this.departures = departures
    this.thread.heedDepartures(departures)
  }

  /**
   * The caller's number for the call that the last operation was a part of; 0 if the operation was a call of its own.
   */
  private call = 0

  /** Begins an operation. Operations that are parts of one call share its budget. */
  beginCall(): void {
    this.heedDepartures()
    const call = this.result[RESULT_CALL]
    if (call !== 0 && call === this.call) return
    this.call = call
    this.budget.renew()
  }

  /** Ends an operation with `status` and, for TIMEOUT, the thread that was waited for in vain. */
  end(status: number): void {
    this.result[RESULT_STATUS] = status
    if (status !== TIMEOUT) return
    const { blocker } = this.budget
    this.result[RESULT_OWNER_PID] = blocker < 0 ? 0 : Atomics.load(this.words, blocker + THREAD_PID)
    this.result[RESULT_OWNER_THREAD] = blocker < 0 ? 0 : Atomics.load(this.words, blocker + THREAD_ID)
  }

  /** Frees the block of an entry that no reader can reach any more. */
  freeEntry(block: number): void {
    if (this.region.contains(block, ENTRY_DATA)) this.blocks.free(block, sizeOf(this.words, block * BLOCK_WORDS))
  }
}

/** Blocks unlinked but not yet freed, because readers may still be in them until the buckets are released. */
export class Unlinked {
  count = 0
  private readonly blocks = new Int32Array(2 * ALL_BUCKETS * SLOTS_PER_BUCKET)

  constructor(private readonly core: Core) {}

  /**
   * Adds a block. More blocks than two segments have slots come only from a region that changes in spite of every lock; the
   * excess is lost.
   */
  add(block: number): void {
    if (this.count < this.blocks.length) this.blocks[this.count++] = block
  }

  block(index: number): number {
    return this.blocks[index]
  }

  freeAll(): void {
    const { core } = this
    for (let i = 0; i < this.count; i++) {
      const block = this.blocks[i]
      if (core.evictor !== undefined && core.region.contains(block, ENTRY_DATA)) {
        core.evictor.forget(core.words[block * BLOCK_WORDS + ENTRY_NODE], core.words[block * BLOCK_WORDS + ENTRY_HASH])
      }
      core.freeEntry(block)
    }
    this.count = 0
  }
}
