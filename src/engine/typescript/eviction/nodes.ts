/**
 * The nodes of a partition of a cache: the chunks they lie in, the list of the free ones, and the lists that the queues
 * are. See docs/internals/format.md, "Eviction".
 *
 * Thread safety: all methods need the partition's mutex.
 */
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CHUNK_NEXT,
  CHUNK_NODES,
  NODE_BYTES,
  NODE_FREE,
  NODE_IN_MAIN,
  NODE_NEXT,
  NODE_PREVIOUS,
  NODE_STATE,
  PAGE_BYTES,
  PARTITION_CHUNKS,
  PARTITION_COLD,
  PARTITION_FIRST_PAGES,
  PARTITION_FREE_NODES,
  PARTITION_MAIN,
  PARTITION_NODES,
  QUEUE_NEWEST,
  QUEUE_OLDEST,
  QUEUE_SIZE,
} from '../../../format/layout.js'

const NODE_BLOCKS = NODE_BYTES / BLOCK_BYTES
/**
 * Bound on a further chunk, which adds as many nodes as there are: runs that never move should be few, and adding one
 * should be short.
 */
const MAX_CHUNK_PAGES = 64

/** Where chunks come from. */
export interface PageSource {
  /**
   * Returns the block number of a run of pages, or a negative status. The run is not from a size class, whose spans
   * would be larger.
   */
  allocatePages(pages: number): number
  freePages(block: number): void
  /** Frees a chunk once no thread can store a stamp in it any more. Needs the directory mutex. */
  freeChunk(chunk: number): void
}

/** Nodes are given by their block number, queues by their first word in the partition. */
export class Nodes {
  /** @param at first word of the partition */
  constructor(
    private readonly words: Int32Array,
    private readonly at: number,
  ) {}

  /**
   * Makes lists and counts anew from the states of the nodes. Their order is lost. It can be repeated from its
   * beginning. O(nodes).
   */
  relink(): void {
    const { words, at } = this
    for (const queue of [PARTITION_COLD, PARTITION_MAIN])
      for (const word of [QUEUE_OLDEST, QUEUE_NEWEST, QUEUE_SIZE]) words[at + queue + word] = 0
    words[at + PARTITION_FREE_NODES] = 0
    let nodes = 0
    this.visit((node) => {
      nodes++
      const state = words[node * BLOCK_WORDS + NODE_STATE]
      if (state === NODE_FREE) this.free(node)
      else this.push(state === NODE_IN_MAIN ? PARTITION_MAIN : PARTITION_COLD, node)
    })
    words[at + PARTITION_NODES] = nodes
  }

  /** Calls `visit` for every node, free or not, chunk by chunk. */
  visit(visit: (node: number) => void): void {
    const { words } = this
    // The bound ends a walk over a damaged list: no two chunks overlap.
    let left = words.length / (NODE_BLOCKS * BLOCK_WORDS)
    for (
      let chunk = words[this.at + PARTITION_CHUNKS];
      this.isNode(chunk);
      chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]
    ) {
      const nodes = words[chunk * BLOCK_WORDS + CHUNK_NODES]
      const isSound = nodes >= 0 && nodes < left && (chunk + nodes * NODE_BLOCKS) * BLOCK_WORDS < words.length
      if (!isSound || !this.isNode(chunk + nodes * NODE_BLOCKS)) return
      left -= nodes + 1
      for (let index = 1; index <= nodes; index++) visit(chunk + index * NODE_BLOCKS)
    }
  }

  /** Takes a free node; 0 if there is none. */
  take(): number {
    const { words, at } = this
    const node = words[at + PARTITION_FREE_NODES]
    if (!this.isNode(node)) return 0
    words[at + PARTITION_FREE_NODES] = words[node * BLOCK_WORDS + NODE_NEXT]
    return node
  }

  /** Adds free nodes. Returns false if the source has no pages. */
  addChunk(source: PageSource): boolean {
    const { words, at } = this
    const pages = (words[at + PARTITION_NODES] * NODE_BYTES) / PAGE_BYTES
    if (pages === 0) return this.addPages(source, words[at + PARTITION_FIRST_PAGES])
    return this.addPages(source, Math.min(Math.ceil(pages), MAX_CHUNK_PAGES)) || this.addPages(source, 1)
  }

  private addPages(source: PageSource, pages: number): boolean {
    const { words, at } = this
    const nodes = words[at + PARTITION_NODES]
    const chunk = source.allocatePages(pages)
    if (chunk < 0) return false
    const added = (pages * PAGE_BYTES) / NODE_BYTES - 1
    words.fill(0, chunk * BLOCK_WORDS, (chunk + (added + 1) * NODE_BLOCKS) * BLOCK_WORDS)
    words[chunk * BLOCK_WORDS + CHUNK_NEXT] = words[at + PARTITION_CHUNKS]
    words[chunk * BLOCK_WORDS + CHUNK_NODES] = added
    // Stored only now: after a death of this thread, a takeover that rebuilds the queues finds all of the chunk, or
    // nothing.
    Atomics.store(words, at + PARTITION_CHUNKS, chunk)
    words[at + PARTITION_NODES] = nodes + added
    for (let index = added; index > 0; index--) this.free(chunk + index * NODE_BLOCKS)
    return true
  }

  /** Gives back the chunks of which no node is in use. O(nodes). */
  dropIdleChunks(source: PageSource): void {
    const { words, at } = this
    const chunks: number[] = []
    for (let chunk = words[at + PARTITION_CHUNKS]; chunk !== 0; chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]) {
      if (!this.isChunk(chunk) || chunks.length > words.length / (PAGE_BYTES / 4)) return // damaged
      chunks.push(chunk)
    }
    // If this thread dies, its partition is rebuilt from the chunks that are left.
    words[at + PARTITION_FREE_NODES] = 0
    const idle: number[] = []
    let link = at + PARTITION_CHUNKS
    let nodes = 0
    for (const chunk of chunks) {
      const count = words[chunk * BLOCK_WORDS + CHUNK_NODES]
      if (this.isIdle(chunk, count)) {
        idle.push(chunk)
        continue
      }
      Atomics.store(words, link, chunk)
      link = chunk * BLOCK_WORDS + CHUNK_NEXT
      nodes += count
      for (let index = count; index > 0; index--) {
        const node = chunk + index * NODE_BLOCKS
        if (words[node * BLOCK_WORDS + NODE_STATE] === NODE_FREE) this.free(node)
      }
    }
    Atomics.store(words, link, 0)
    words[at + PARTITION_NODES] = nodes
    for (const chunk of idle) source.freeChunk(chunk)
  }

  private isChunk(chunk: number): boolean {
    if (!this.isNode(chunk)) return false
    const nodes = this.words[chunk * BLOCK_WORDS + CHUNK_NODES]
    return nodes >= 0 && (chunk + (nodes + 1) * NODE_BLOCKS) * BLOCK_WORDS <= this.words.length
  }

  private isIdle(chunk: number, nodes: number): boolean {
    for (let index = 1; index <= nodes; index++) {
      if (this.words[(chunk + index * NODE_BLOCKS) * BLOCK_WORDS + NODE_STATE] !== NODE_FREE) return false
    }
    return true
  }

  /** Returns the oldest node; 0 if the queue is empty. */
  oldest(queue: number): number {
    const node = this.words[this.at + queue + QUEUE_OLDEST]
    return this.isNode(node) ? node : 0
  }

  private isNode(block: number): boolean {
    return block > 0 && block * BLOCK_WORDS + NODE_BYTES / 4 <= this.words.length
  }

  push(queue: number, node: number): void {
    const { words } = this
    const first = this.at + queue
    const newest = words[first + QUEUE_NEWEST]
    words[node * BLOCK_WORDS + NODE_NEXT] = 0
    words[node * BLOCK_WORDS + NODE_PREVIOUS] = newest
    if (this.isNode(newest)) words[newest * BLOCK_WORDS + NODE_NEXT] = node
    else words[first + QUEUE_OLDEST] = node
    words[first + QUEUE_NEWEST] = node
    words[first + QUEUE_SIZE]++
  }

  free(node: number): void {
    const { words, at } = this
    words[node * BLOCK_WORDS + NODE_NEXT] = words[at + PARTITION_FREE_NODES]
    words[at + PARTITION_FREE_NODES] = node
  }

  remove(queue: number, node: number): void {
    const { words } = this
    const first = this.at + queue
    const next = words[node * BLOCK_WORDS + NODE_NEXT]
    const previous = words[node * BLOCK_WORDS + NODE_PREVIOUS]
    if (this.isNode(previous)) words[previous * BLOCK_WORDS + NODE_NEXT] = next
    else words[first + QUEUE_OLDEST] = next
    if (this.isNode(next)) words[next * BLOCK_WORDS + NODE_PREVIOUS] = previous
    else words[first + QUEUE_NEWEST] = previous
    words[first + QUEUE_SIZE]--
  }
}
