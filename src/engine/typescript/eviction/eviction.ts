/**
 * Evicts entries of a cache: provides nodes for inserted keys, stamps for used ones, and memory for those that find
 * none. See docs/internals/protocol.md, "Eviction".
 *
 * Locks are taken in the order reserve, partition, segment, bucket, heap. So a thread that holds a segment or bucket
 * may call nothing here except {@link Evictor.touch}, {@link Evictor.settle} and {@link Evictor.forget}, which take no
 * lock.
 */
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  ENTRY_DATA,
  ENTRY_HASH,
  ENTRY_NODE,
  HEADER_PAGE_COUNT,
  MAX_CLASS_BLOCKS,
  NODE_BYTES,
  NODE_FREE,
  NODE_HASH,
  NODE_OWNER,
  NODE_STAMP,
  NODE_STATE,
  PARTITION_USE_CLOCK,
  PARTITION_MUTEX,
  SLOTS_PER_BUCKET,
  HEADER_DIRECTORY_MUTEX,
} from '../../../format/layout.js'
import { reservePages } from '../../../format/geometry.js'
import { DONE, FULL, NOT_DONE, RESULT_STATUS, TIMEOUT } from '../../engine.js'
import { Backoff } from '../threads/backoff.js'
import { TOMBSTONE_BIT, loadSlot } from '../../../format/bucket.js'
import { cleanUpAll } from '../write/cleanup.js'
import { noteGoneChunk } from '../write/departures.js'
import { Core } from '../core.js'
import { Edit } from '../write/edit.js'
import { partitionOf, partitionsOf, reserveMutexAt } from '../../../format/eviction-area.js'
import type { Evictor } from './evictor.js'
import { PageHand } from './pages.js'
import { ANYWHERE, FIXED } from '../memory/heap.js'
import { giveBackLeftovers } from '../memory/leftovers.js'
import { makeRoomAtOnce } from '../write/compaction.js'
import { Mover } from '../write/move.js'
import { LOOKS_AT_ONCE, Reclaiming } from '../write/tombstones.js'
import { EVICTED, EvictionQueues, PENDING, SPARED, STALE, type EntryStore } from './queues.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { isAttached } from '../threads/thread-record.js'
import { LITTLE_PATIENCE, NO_PATIENCE } from '../threads/wait-budget.js'
import { runToEnd } from '../write/write.js'

/**
 * Evictions in turn for one allocation. After so many without success, the freed memory is of other size classes, and
 * whole pages must change class.
 */
const MAX_TURNS = 8
/** Spans or large runs that are emptied for one block of an entry before the reserve is used. */
const MAX_EMPTIED = 16
/** Victims passed over in one round after which the round ends: then other threads hold most entries. */
const MAX_PASSED_OVER = 256
const NODE_WORDS = NODE_BYTES / 4

/**
 * The {@link Evictor} of a cache, over the queues of its partitions. The interface documents the methods.
 *
 * Thread safety: one thread.
 */
export class Eviction implements Evictor, EntryStore {
  private readonly words: Int32Array
  private readonly partitions: EvictionQueues[]
  /** A core with a lookup and an outcome of its own, since evictions happen in the middle of a write. */
  private readonly core: Core
  private readonly edit: Edit
  private readonly mover: Mover
  private readonly pages: PageHand
  private readonly reserve: PageHand
  private readonly reserveMutex: number
  /** Nodes and hashes of entries that were removed under locks. */
  private readonly forgotten: number[] = []
  private passedOver = 0

  /** @param core the core of the thread whose writes evict */
  constructor(core: Core) {
    this.words = core.words
    this.core = new Core(core.region, core.thread, core.budget, core.blocks)
    this.core.evictor = this
    this.edit = new Edit(this.core)
    this.mover = new Mover(this.core)
    this.partitions = partitionsOf(core.region).map((at) => new EvictionQueues(this.words, at, this))
    const count = core.words[HEADER_PAGE_COUNT]
    const reserved = reservePages(count)
    this.pages = new PageHand(core.region, 0, count - reserved)
    this.reserve = new PageHand(core.region, count - reserved, reserved)
    this.reserveMutex = reserveMutexAt(core.region)
  }

  admit(hash: number): number {
    // No node is available while the inserts of all other entries are under way.
    const queues = this.queuesOf(hash)
    const backoff = Backoff.betweenSearches(this.core.budget)
    for (;;) {
      if (!this.lock(queues)) return TIMEOUT
      this.startRound()
      const node = queues.admit(hash, this.core.thread.mark)
      this.unlock(queues)
      if (node !== 0) return node
      // Pages for more nodes may be among them.
      this.core.blocks.flush()
      if (giveBackLeftovers(this.core.region, this.core.budget)) continue
      if (!backoff.wait()) return this.hasPassedOver ? TIMEOUT : FULL
    }
  }

  settle(node: number): void {
    Atomics.store(this.words, node * BLOCK_WORDS + NODE_OWNER, 0)
  }

  withdraw(node: number): void {
    const queues = this.queuesOf(this.words[node * BLOCK_WORDS + NODE_HASH])
    if (!this.lockWith(LITTLE_PATIENCE, queues)) {
      this.settle(node) // the hand will find it stale
      return
    }
    queues.release(node)
    this.unlock(queues)
  }

  touch(node: number, hash: number): void {
    if (!this.core.region.contains(node, NODE_WORDS)) return
    const stamp = node * BLOCK_WORDS + NODE_STAMP
    const epoch = this.words[this.queuesOf(hash).at + PARTITION_USE_CLOCK]
    if (this.words[stamp] !== epoch) Atomics.store(this.words, stamp, epoch)
  }

  forget(node: number, hash: number): void {
    if (this.core.region.contains(node, NODE_WORDS)) this.forgotten.push(node, hash)
  }

  sweepForgotten(): void {
    const { forgotten } = this
    while (forgotten.length > 0) {
      const hash = forgotten.pop()!
      const node = forgotten.pop()!
      const queues = this.queuesOf(hash)
      if (!this.lockWith(LITTLE_PATIENCE, queues)) continue // the hand will find it stale
      if (this.words[node * BLOCK_WORDS + NODE_HASH] === hash) this.releaseIfStale(queues, node)
      this.unlock(queues)
    }
  }

  repair(): number {
    for (const queues of this.partitions) {
      if (!this.lock(queues)) return TIMEOUT
      queues.visitNodes((node) => this.releaseIfStale(queues, node))
      this.unlock(queues)
    }
    return DONE
  }

  startRound(): void {
    this.passedOver = 0
  }

  get hasPassedOver(): boolean {
    return this.passedOver > 0
  }

  makeRoom(bytes: number, hash: number, place: number): number {
    const block = this.evictInTurn(bytes, hash, place)
    return block === FULL ? this.emptyPages(bytes, Infinity, place) : block
  }

  makeFixedRoom(bytes: number): number {
    for (const backoff = Backoff.betweenSearches(this.core.budget); ;) {
      this.startRound()
      const block = this.makeRoom(bytes, 0, FIXED)
      if (block !== FULL || !this.hasPassedOver) return block
      if (!backoff.wait()) return TIMEOUT
    }
  }

  makeRoomForEntry(bytes: number, hash: number): number {
    let block = this.evictInTurn(bytes, hash, ANYWHERE)
    // Outside the reserve, single blocks that cannot be evicted may lie in every long run.
    const isLarge = bytes > MAX_CLASS_BLOCKS * BLOCK_BYTES
    if (block === FULL && !isLarge) block = this.emptyPages(bytes, MAX_EMPTIED, ANYWHERE)
    return block === FULL ? this.emptyReserve(bytes) : block
  }

  evictAtHome(hash: number): boolean {
    const { words, core } = this
    core.lookup.seekNode(0, hash)
    if (!core.lookup.locate()) return false
    const { home } = core.lookup
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, home, slot)
      if ((reference & TOMBSTONE_BIT) !== 0 || this.evictBlock(reference)) return true
    }
    return false
  }

  evict(node: number, onlyExpired: boolean): number {
    const { words, core, edit } = this
    const word = node * BLOCK_WORDS
    // The owner is read before the lookup, so that the lookup sees an entry that was published before its node was
    // settled.
    const owner = Atomics.load(words, word + NODE_OWNER)
    core.lookup.seekNode(node, words[word + NODE_HASH])
    edit.beginEviction(onlyExpired)
    const { budget } = core
    const { patience } = budget
    budget.patience = NO_PATIENCE
    runToEnd(core, edit)
    budget.patience = patience
    const status = core.result[RESULT_STATUS]
    if (status === TIMEOUT) this.passedOver++
    if (status === DONE) return edit.meetsExpired ? STALE : EVICTED
    if (status !== NOT_DONE) return PENDING
    if (core.lookup.slot >= 0) return SPARED
    return owner !== 0 && isAttached(words, owner) ? PENDING : STALE
  }

  allocatePages(pages: number): number {
    const block = this.core.blocks.allocatePages(pages, FIXED)
    if (block === TIMEOUT) this.passedOver++
    return block
  }

  freePages(block: number): void {
    this.core.blocks.freePages(block)
  }

  freeChunk(chunk: number): void {
    noteGoneChunk(this.core.words, chunk)
  }

  giveBackIdle(): void {
    const { words, budget } = this.core
    this.startRound()
    // Before a chunk leaves its partition: what cannot be noted as gone would be lost. A later sweep gives it back.
    budget.with(NO_PATIENCE, () => {
      if (!lockMutex(budget, HEADER_DIRECTORY_MUTEX)) return
      for (const queues of this.partitions) {
        if (!this.lockAtOnce(queues)) continue
        queues.giveBackIdle()
        this.unlock(queues)
      }
      unlockMutex(words, HEADER_DIRECTORY_MUTEX)
    })
  }

  /** Evicts the next entry in turn, in the partition of the hash or the next one that has any. */
  private evictNext(hash: number): boolean {
    const { partitions } = this
    const first = partitionOf(hash, partitions.length)
    for (let i = 0; i < partitions.length; i++) {
      const queues = partitions[(first + i) % partitions.length]
      if (!this.lockAtOnce(queues)) continue
      const hasEvicted = queues.evict()
      this.unlock(queues)
      if (hasEvicted) return true
    }
    return false
  }

  private evictInTurn(bytes: number, hash: number, place: number): number {
    const { blocks } = this.core
    let block = FULL
    for (let turn = 0; block === FULL && turn < MAX_TURNS && this.evictNext(hash); turn++)
      block = blocks.allocate(bytes, place)
    if (block !== FULL) return block
    const round = new Reclaiming(this.core)
    round.goOn(bytes, LOOKS_AT_ONCE)
    if (round.hasPassedOver) this.passedOver++
    blocks.flush()
    // What was evicted here and there lies together once the entries beside it have moved.
    return makeRoomAtOnce(this.core, bytes, place)
  }

  private emptyPages(bytes: number, most: number, place: number): number {
    const { blocks } = this.core
    let block = FULL
    let left = this.pages.count
    for (
      let emptied = 0;
      block === FULL && emptied < most && left > 0 && this.passedOver < MAX_PASSED_OVER;
      emptied++
    ) {
      left -= this.pages.visit((entry) => this.giveUp(entry))
      blocks.flush()
      block = blocks.allocate(bytes, place)
    }
    return block
  }

  private emptyReserve(bytes: number): number {
    const { words, core, reserve } = this
    // From now on no other thread takes memory there.
    if (!lockMutex(core.budget, this.reserveMutex)) return TIMEOUT
    const backoff = Backoff.betweenSearches(core.budget)
    let block = core.blocks.allocate(bytes, ANYWHERE)
    while (block === FULL) {
      this.startRound()
      for (let left = reserve.count; block === FULL && left > 0 && this.passedOver < MAX_PASSED_OVER;) {
        left -= reserve.visit((entry) => this.giveUp(entry))
        block = core.blocks.allocate(bytes, ANYWHERE)
      }
      if (block !== FULL || !backoff.wait()) break
      cleanUpAll(core, NO_PATIENCE)
    }
    unlockMutex(words, this.reserveMutex)
    return block
  }

  /** Evicts the entry in a block, if there is one; returns whether there was one. The block may hold anything. */
  private evictBlock(block: number): boolean {
    const { words, core } = this
    if (!core.region.contains(block, ENTRY_DATA)) return false
    const hash = words[block * BLOCK_WORDS + ENTRY_HASH]
    const node = words[block * BLOCK_WORDS + ENTRY_NODE]
    if (!core.region.contains(node, NODE_WORDS)) return false
    const queues = this.queuesOf(hash)
    if (!this.lockAtOnce(queues)) return false
    // The block holds an entry only if the index, too, has an entry with this hash and this node; then the node is a
    // node.
    const outcome = this.hasEntry(hash, node) ? this.evict(node, false) : PENDING
    const isGone = outcome === EVICTED || outcome === STALE
    if (isGone) queues.release(node)
    this.unlock(queues)
    return isGone
  }

  /** Frees what lies in a block, an entry or what a deletion left of one. */
  private giveUp(block: number): void {
    if (!this.evictBlock(block)) this.mover.dropTombstone(block)
  }

  private releaseIfStale(queues: EvictionQueues, node: number): void {
    const { words } = this
    const word = node * BLOCK_WORDS
    if (words[word + NODE_STATE] === NODE_FREE) return
    // The owner is read before the lookup, as in `evict`.
    const owner = Atomics.load(words, word + NODE_OWNER)
    if (owner !== 0 && isAttached(words, owner)) return
    if (!this.hasEntry(words[word + NODE_HASH], node)) queues.release(node)
    else if (owner !== 0) this.settle(node)
  }

  /** Returns whether an entry with this hash and node is live. True also if that cannot be found out. */
  private hasEntry(hash: number, node: number): boolean {
    const { lookup } = this.core
    lookup.seekNode(node, hash)
    let backoff: Backoff | undefined
    for (;;) {
      if (!lookup.locate()) return true
      lookup.walk()
      if (lookup.unchanged() && (lookup.slot >= 0 || lookup.stillMaps())) return lookup.slot >= 0
      backoff ??= Backoff.forOthers(this.core.budget)
      if (!backoff.wait()) return true
    }
  }

  private queuesOf(hash: number): EvictionQueues {
    return this.partitions[partitionOf(hash, this.partitions.length)]
  }

  private lock(queues: EvictionQueues): boolean {
    return lockMutex(this.core.budget, queues.at + PARTITION_MUTEX)
  }

  private lockWith(patience: number, queues: EvictionQueues): boolean {
    const { budget } = this.core
    const before = budget.patience
    budget.patience = patience
    const isLocked = this.lock(queues)
    budget.patience = before
    return isLocked
  }

  /** Locks a partition without waiting, for a victim: there are others. */
  private lockAtOnce(queues: EvictionQueues): boolean {
    const isLocked = this.lockWith(NO_PATIENCE, queues)
    if (!isLocked) this.passedOver++
    return isLocked
  }

  private unlock(queues: EvictionQueues): void {
    unlockMutex(this.words, queues.at + PARTITION_MUTEX)
  }
}
