/**
 * Chooses the entry that a partition of a cache evicts. See docs/decisions/2026-11-20-eviction-policy.md for the
 * policy, docs/internals/format.md, "Eviction", for its memory.
 *
 * Thread safety: all methods need the partition's mutex; only the stamps of nodes are stored without it, by hits.
 */
import {
  BLOCK_WORDS,
  COLD_SHARE_ONE,
  GHOSTS_PER_BUCKET,
  NODE_DEMOTED,
  NODE_FREE,
  NODE_HASH,
  NODE_IN_COLD,
  NODE_IN_COLD_DEMOTED,
  NODE_IN_MAIN,
  NODE_OWNER,
  NODE_RECORDED,
  NODE_STAMP,
  NODE_STATE,
  PARTITION_COLD,
  PARTITION_COLD_GROWTHS,
  PARTITION_COLD_SHARE,
  PARTITION_USE_CLOCK,
  PARTITION_GHOST_BUCKETS,
  PARTITION_GHOSTS,
  PARTITION_HAS_EVICTED,
  PARTITION_LIMIT,
  PARTITION_MAIN,
  PARTITION_MISSES,
  PARTITION_NODES,
  QUEUE_SIZE,
} from '../../../format/layout.js'
import { FULL } from '../../engine.js'
import { GHOST_COLD, GHOST_DEMOTED, Ghosts } from './ghosts.js'
import { ghostBytes, ghostPages } from '../../../format/ghosts.js'
import { Nodes, type PageSource } from './nodes.js'

/**
 * Ticks of the use clock in as many misses as there are entries. They are few, so that a hit seldom finds its stamp out
 * of date.
 */
const TICKS_PER_TURNOVER = 16
/** Most entries that one eviction passes because they were used; it bounds the work. */
const MAX_CHANCES = 16
/** Least change of the cold queue's share in a large cache; in others it is one entry. */
const LEAST_STEP = COLD_SHARE_ONE / 512
/**
 * The cold queue grows by leaps, of so many steps each, once it has grown as often in a row as a twentieth of all entries
 * are, and this often at least: keys keep returning soon after their eviction, and nothing in the main queue is asked for.
 */
const LEAP = 32
const GROWTHS_PER_TURNOVER = 20
const LEAST_GROWTHS = 10
const MAX_GROWTHS = 2 ** 24
const GHOSTS_PER_NODE = 2

/** Nodes and ghosts are given back once there are this many times as many nodes as entries. */
const IDLE_SHARE = 4

// Outcomes of an eviction.
/** Only an expired entry was to be removed, and the entry has not expired. */
export const SPARED = 0
/** The entry is gone. */
export const EVICTED = 1
/** The entry was gone before. */
export const STALE = 2
/** The entry's insert is still under way. */
export const PENDING = 3

/** The operations on entries that the queues need. */
export interface EntryStore extends PageSource {
  /** Removes the entry of a node; with `onlyExpired`, only if it has expired. Returns one of the outcomes above. */
  evict(node: number, onlyExpired: boolean): number
}

/** A store without entries, for rebuilding queues, which uses none. */
export const NO_ENTRIES: EntryStore = {
  evict: () => PENDING,
  allocatePages: () => FULL,
  freePages: () => undefined,
  freeChunk: () => undefined,
}

/** The queues of a partition. Nodes are given by their block number. */
export class EvictionQueues {
  private readonly nodes: Nodes
  private readonly ghosts: Ghosts

  /** @param at first word of the partition */
  constructor(
    private readonly words: Int32Array,
    readonly at: number,
    private readonly entries: EntryStore,
  ) {
    this.nodes = new Nodes(words, at)
    this.ghosts = new Ghosts(words, at)
  }

  get size(): number {
    return this.words[this.at + PARTITION_COLD + QUEUE_SIZE] + this.words[this.at + PARTITION_MAIN + QUEUE_SIZE]
  }

  /**
   * Returns a node for a key that is being inserted, in its place in the queues. Evicts if necessary.
   * @param owner the content of {@link NODE_OWNER} until the insert is over
   * @returns 0 if no node is available
   */
  admit(hash: number, owner: number): number {
    const { words, at } = this
    this.countMiss()
    const lastUse = this.recall(hash)
    const limit = words[at + PARTITION_LIMIT]
    while (limit > 0 && this.size >= limit) if (!this.evict()) return 0
    const node = this.takeNode()
    if (node === 0) return 0
    const word = node * BLOCK_WORDS
    words[word + NODE_HASH] = hash
    words[word + NODE_OWNER] = owner
    Atomics.store(words, word + NODE_STAMP, words[at + PARTITION_USE_CLOCK])
    if (this.belongsInMain(lastUse)) this.enterMain(node)
    else this.enterCold(node, NODE_IN_COLD)
    return node
  }

  /** Evicts the next entry in turn, or drops a node without one. Returns false if no entry could be evicted. */
  evict(): boolean {
    const { words, at } = this
    words[at + PARTITION_HAS_EVICTED] = 1
    let chances = MAX_CHANCES
    for (let pending = 0; pending <= MAX_CHANCES;) {
      this.fillCold()
      const node = this.nodes.oldest(PARTITION_COLD)
      if (node === 0) return false
      const wasUsed = this.wasUsed(node) && chances-- > 0
      const outcome = this.entries.evict(node, wasUsed)
      if (outcome === SPARED) this.keep(node)
      else if (outcome === PENDING) {
        this.nodes.remove(PARTITION_COLD, node)
        this.nodes.push(PARTITION_COLD, node)
        this.demote() // the cold queue may hold nothing else
        pending++
      } else {
        if (outcome === EVICTED) this.remember(node)
        this.release(node)
        return true
      }
    }
    return false
  }

  /** Takes a node without an entry out of the queues. */
  release(node: number): void {
    const { words, at } = this
    const word = node * BLOCK_WORDS
    this.nodes.remove(words[word + NODE_STATE] === NODE_IN_MAIN ? PARTITION_MAIN : PARTITION_COLD, node)
    words[word + NODE_OWNER] = 0
    words[word + NODE_STATE] = NODE_FREE
    this.nodes.free(node)
    if (this.size === 0) words[at + PARTITION_HAS_EVICTED] = 0
  }

  /** Gives back nodes and ghosts if there are many times as many as entries. O(nodes). */
  giveBackIdle(): void {
    const { words, at } = this
    const nodes = words[at + PARTITION_NODES]
    if (nodes === 0 || this.size * IDLE_SHARE > nodes) return
    this.nodes.dropIdleChunks(this.entries)
    if (words[at + PARTITION_NODES] * IDLE_SHARE <= nodes) this.dropGhosts()
  }

  /** Forgets all evictions. The table is made anew with the next chunk of nodes. */
  private dropGhosts(): void {
    const { words, at, entries } = this
    if (words[at + PARTITION_GHOST_BUCKETS] === 0) return
    Atomics.store(words, at + PARTITION_GHOST_BUCKETS, 0)
    entries.freePages(words[at + PARTITION_GHOSTS])
    this.ghosts.recount()
  }

  /**
   * Makes lists and counts anew from the states of the nodes, after the death of a thread that was changing them. Their
   * order is lost. It can be repeated from its beginning. O(nodes + ghosts).
   */
  rebuild(): void {
    this.nodes.relink()
    if (this.size === 0) this.words[this.at + PARTITION_HAS_EVICTED] = 0
    this.ghosts.recount()
  }

  /** Calls `visit` for every node, free or not, chunk by chunk. */
  visitNodes(visit: (node: number) => void): void {
    this.nodes.visit(visit)
  }

  private countMiss(): void {
    const { words, at } = this
    if (++words[at + PARTITION_MISSES] * TICKS_PER_TURNOVER < this.size) return
    words[at + PARTITION_MISSES] = 0
    Atomics.store(words, at + PARTITION_USE_CLOCK, (words[at + PARTITION_USE_CLOCK] + 1) | 0)
  }

  /**
   * Returns the use-clock time of the last use of an evicted key, from which the queues learn; undefined if it is
   * unknown.
   */
  private recall(hash: number): number | undefined {
    const { words, at, ghosts } = this
    if (!ghosts.find(hash)) return undefined
    const { idle } = ghosts
    if (ghosts.ghostClass === GHOST_DEMOTED) {
      if (idle * COLD_SHARE_ONE <= words[at + PARTITION_COLD_SHARE] * TICKS_PER_TURNOVER + COLD_SHARE_ONE)
        this.shrinkCold()
    } else if (ghosts.age <= 1) this.growCold()
    ghosts.remove()
    return (words[at + PARTITION_USE_CLOCK] - idle) | 0
  }

  /**
   * Returns whether a key that was last used at `lastUse` has been idle for a shorter time than the main queue's
   * oldest.
   */
  private belongsInMain(lastUse: number | undefined): boolean {
    const { words, at } = this
    if (words[at + PARTITION_HAS_EVICTED] === 0) return true
    if (lastUse === undefined) return false
    const oldest = this.oldestOfMain()
    return oldest === 0 || isLater(lastUse, words[oldest * BLOCK_WORDS + NODE_RECORDED])
  }

  /** Moves the cold queue's oldest node, which was used, to its new place. */
  private keep(node: number): void {
    const { words } = this
    const word = node * BLOCK_WORDS
    const stamp = words[word + NODE_STAMP]
    if (words[word + NODE_STATE] === NODE_IN_COLD_DEMOTED && !isLater(stamp, words[word + NODE_DEMOTED] + 1))
      this.shrinkCold()
    const usedBefore = words[word + NODE_RECORDED]
    this.nodes.remove(PARTITION_COLD, node)
    if (this.belongsInMain(usedBefore)) this.enterMain(node)
    else this.enterCold(node, NODE_IN_COLD)
  }

  private enterMain(node: number): void {
    const { words, at } = this
    this.record(node)
    words[node * BLOCK_WORDS + NODE_STATE] = NODE_IN_MAIN
    this.nodes.push(PARTITION_MAIN, node)
    if (words[at + PARTITION_HAS_EVICTED] === 1 && words[at + PARTITION_COLD + QUEUE_SIZE] < this.coldTarget)
      this.demote()
  }

  private enterCold(node: number, state: number): void {
    this.record(node)
    this.words[node * BLOCK_WORDS + NODE_STATE] = state
    this.nodes.push(PARTITION_COLD, node)
  }

  private fillCold(): void {
    const { words, at } = this
    const target = this.coldTarget
    for (let steps = 0; steps < MAX_CHANCES; steps++) {
      if (words[at + PARTITION_COLD + QUEUE_SIZE] >= target || words[at + PARTITION_MAIN + QUEUE_SIZE] === 0) return
      this.demote()
    }
  }

  private demote(): void {
    const { words, at } = this
    const node = this.oldestOfMain()
    if (node === 0) return
    this.nodes.remove(PARTITION_MAIN, node)
    words[node * BLOCK_WORDS + NODE_DEMOTED] = words[at + PARTITION_USE_CLOCK]
    this.enterCold(node, NODE_IN_COLD_DEMOTED)
  }

  /** Returns the main queue's oldest node, after those used meanwhile have moved on; 0 if the queue is empty. */
  private oldestOfMain(): number {
    for (let chances = 0; chances < MAX_CHANCES; chances++) {
      const node = this.nodes.oldest(PARTITION_MAIN)
      if (node === 0 || !this.wasUsed(node)) return node
      this.words[this.at + PARTITION_COLD_GROWTHS] = 0
      this.nodes.remove(PARTITION_MAIN, node)
      this.record(node)
      this.nodes.push(PARTITION_MAIN, node)
    }
    return this.nodes.oldest(PARTITION_MAIN)
  }

  /** Returns whether the node was used since it got its place. */
  private wasUsed(node: number): boolean {
    const word = node * BLOCK_WORDS
    return isLater(Atomics.load(this.words, word + NODE_STAMP), this.words[word + NODE_RECORDED])
  }

  private record(node: number): void {
    const word = node * BLOCK_WORDS
    this.words[word + NODE_RECORDED] = Atomics.load(this.words, word + NODE_STAMP)
  }

  private remember(node: number): void {
    const { words, ghosts } = this
    const word = node * BLOCK_WORDS
    const ghostClass = words[word + NODE_STATE] === NODE_IN_COLD_DEMOTED ? GHOST_DEMOTED : GHOST_COLD
    ghosts.add(words[word + NODE_HASH], ghostClass, words[word + NODE_STAMP])
  }

  /** Number of entries that the cold queue should hold. */
  private get coldTarget(): number {
    const { size } = this
    const target = Math.floor((size * this.words[this.at + PARTITION_COLD_SHARE]) / COLD_SHARE_ONE)
    return Math.max(1, Math.min(target, size - 1))
  }

  private growCold(): void {
    const { words, at } = this
    const growths = Math.min(MAX_GROWTHS, words[at + PARTITION_COLD_GROWTHS] + 1)
    words[at + PARTITION_COLD_GROWTHS] = growths
    const steps = growths < LEAST_GROWTHS || growths * GROWTHS_PER_TURNOVER < this.size ? 1 : LEAP
    const share = words[at + PARTITION_COLD_SHARE] + steps * this.step(GHOST_DEMOTED, GHOST_COLD)
    words[at + PARTITION_COLD_SHARE] = Math.min(COLD_SHARE_ONE, share)
  }

  private shrinkCold(): void {
    this.words[this.at + PARTITION_COLD_GROWTHS] = 0
    const share = this.words[this.at + PARTITION_COLD_SHARE] - this.step(GHOST_COLD, GHOST_DEMOTED)
    this.words[this.at + PARTITION_COLD_SHARE] = Math.max(0, share)
  }

  /**
   * Returns the step for a returning key, as in ARC: a return counts for more, the fewer ghosts of its class there are.
   */
  private step(others: number, own: number): number {
    const { ghosts } = this
    const step = Math.max(LEAST_STEP, Math.floor(COLD_SHARE_ONE / Math.max(1, this.size)))
    const ownCount = ghosts.count(own)
    const otherCount = ghosts.count(others)
    return ownCount > 0 && otherCount > ownCount
      ? Math.min(COLD_SHARE_ONE, Math.floor((step * otherCount) / ownCount))
      : step
  }

  /** Returns a free node; 0 if there is none and nothing can be evicted for it. */
  private takeNode(): number {
    for (;;) {
      const node = this.nodes.take()
      if (node !== 0 || (!this.addNodes() && !this.evict())) return node
    }
  }

  private addNodes(): boolean {
    if (!this.nodes.addChunk(this.entries)) return false
    this.growGhosts()
    return true
  }

  /** Makes room for ghosts beside new nodes, one and a half times as much as now; all ghosts are lost. */
  private growGhosts(): void {
    const { words, at, entries } = this
    const nodes = words[at + PARTITION_NODES]
    const limit = words[at + PARTITION_LIMIT]
    const buckets = words[at + PARTITION_GHOST_BUCKETS]
    const wanted = limit > 0 ? limit : Math.floor((nodes * 3) / 2)
    if (buckets * GHOSTS_PER_BUCKET >= (limit > 0 ? limit : nodes) * GHOSTS_PER_NODE) return
    const more = Math.ceil((wanted * GHOSTS_PER_NODE) / GHOSTS_PER_BUCKET)
    const table = entries.allocatePages(ghostPages(more))
    if (table < 0) return
    words.fill(0, table * BLOCK_WORDS, table * BLOCK_WORDS + ghostBytes(more) / 4)
    // Safe against a death of this thread: a table is in use exactly while its number of buckets is not 0.
    Atomics.store(words, at + PARTITION_GHOST_BUCKETS, 0)
    if (buckets > 0) entries.freePages(words[at + PARTITION_GHOSTS])
    words[at + PARTITION_GHOSTS] = table
    Atomics.store(words, at + PARTITION_GHOST_BUCKETS, more)
    this.ghosts.recount()
  }
}

/** Compares times of the use clock, which counts modulo 2^32. */
function isLater(epoch: number, than: number): boolean {
  return ((epoch - than) | 0) > 0
}
