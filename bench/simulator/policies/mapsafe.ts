import { EVICTED, EvictionQueues, SPARED, type EntryStore } from '../../../src/engine/typescript/eviction/queues.js'
import {
  BLOCK_WORDS,
  INITIAL_COLD_SHARE,
  NODE_BYTES,
  NODE_HASH,
  NODE_STAMP,
  PAGE_BLOCKS,
  PAGE_BYTES,
  PARTITION_COLD_SHARE,
  PARTITION_USE_CLOCK,
  PARTITION_FIRST_PAGES,
  PARTITION_LIMIT,
} from '../../../src/format/layout.js'
import type { Policy, PolicyKind } from '../policy.js'

/** The policy of ConcurrentCache. */
export const mapsafe: PolicyKind = { name: 'mapsafe', create: (capacity) => new EvictionSimulation(capacity) }

/** Where nodes and ghosts begin, behind the one partition. */
const FIRST_BLOCK = 64
/** Bytes of a node and of ghosts. */
const BYTES_PER_ENTRY = 32 + 16
const LEAST_BYTES = 32_768

/** The queues of the TypeScript engine in memory of their own. */
export class EvictionSimulation implements Policy, EntryStore {
  private readonly words: Int32Array
  private readonly nodes = new Map<number, number>()
  private readonly keyOf = new Map<number, number>()
  private readonly queues: EvictionQueues
  private next = FIRST_BLOCK

  /** @param hashOf must not give two keys one hash */
  constructor(
    capacity: number,
    private readonly hashOf: (key: number) => number = scramble,
  ) {
    this.words = new Int32Array((capacity * BYTES_PER_ENTRY + LEAST_BYTES) / 4)
    this.words[PARTITION_LIMIT] = capacity
    this.words[PARTITION_FIRST_PAGES] = Math.ceil(((capacity + 1) * NODE_BYTES) / PAGE_BYTES)
    this.words[PARTITION_COLD_SHARE] = INITIAL_COLD_SHARE
    this.queues = new EvictionQueues(this.words, 0, this)
  }

  access(key: number): boolean {
    const { words, nodes } = this
    const held = nodes.get(key)
    if (held !== undefined) {
      words[held * BLOCK_WORDS + NODE_STAMP] = words[PARTITION_USE_CLOCK]
      return true
    }
    const hash = this.hashOf(key)
    nodes.set(key, this.queues.admit(hash, 0))
    this.keyOf.set(hash, key)
    return false
  }

  delete(key: number): void {
    const node = this.nodes.get(key)
    if (node === undefined) return
    this.nodes.delete(key)
    this.queues.release(node)
  }

  keys(): number[] {
    return [...this.nodes.keys()]
  }

  evict(node: number, onlyExpired: boolean): number {
    if (onlyExpired) return SPARED
    this.nodes.delete(this.keyOf.get(this.words[node * BLOCK_WORDS + NODE_HASH])!)
    return EVICTED
  }

  allocatePages(pages: number): number {
    const block = this.next
    this.next += pages * PAGE_BLOCKS
    return block
  }

  freeChunk(): void {
    // Nodes are given back only by clears and sweeps, of which there are none here.
  }

  freePages(): void {
    // The limit determines from the start how many ghosts there will be, so their table is never replaced.
  }
}

/** A hash without collisions: multiplication by an odd number and xor with a shift can be undone. */
function scramble(key: number): number {
  let mixed = Math.imul(key + 1, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
  return mixed ^ (mixed >>> 15)
}
