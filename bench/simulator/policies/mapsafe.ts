import { EVICTED, EvictionQueues, type EntryStore } from '../../../src/engine/typescript/eviction-queues.js'
import {
  BLOCK_WORDS,
  INITIAL_COLD_SHARE,
  NODE_HASH,
  NODE_STAMP,
  PARTITION_COLD_SHARE,
  PARTITION_EPOCH,
  PARTITION_LIMIT,
} from '../../../src/region/layout.js'
import type { Policy, PolicyKind } from '../policy.js'

/** The policy of ConcurrentCache: the TypeScript engine's queues in memory of their own. */
export const mapsafe: PolicyKind = { name: 'mapsafe', create: (capacity, _, keys) => new Mapsafe(capacity, keys) }

const FIRST_BLOCK = 64

class Mapsafe implements Policy, EntryStore {
  private readonly words: Int32Array
  private readonly nodes: Int32Array
  private readonly keyOf = new Map<number, number>()
  private readonly queues: EvictionQueues
  private next = FIRST_BLOCK

  constructor(capacity: number, keys: number) {
    this.words = new Int32Array(capacity * 40 + 8192)
    this.nodes = new Int32Array(keys)
    this.words[PARTITION_LIMIT] = capacity
    this.words[PARTITION_COLD_SHARE] = INITIAL_COLD_SHARE
    this.queues = new EvictionQueues(this.words, 0, this)
  }

  access(key: number): boolean {
    const { words, nodes } = this
    const held = nodes[key]
    if (held !== 0) {
      words[held * BLOCK_WORDS + NODE_STAMP] = words[PARTITION_EPOCH]
      return true
    }
    const hash = scramble(key)
    nodes[key] = this.queues.admit(hash, 0)
    this.keyOf.set(hash, key)
    return false
  }

  evict(node: number, onlyExpired: boolean): number | undefined {
    if (onlyExpired) return undefined
    this.nodes[this.keyOf.get(this.words[node * BLOCK_WORDS + NODE_HASH])!] = 0
    return EVICTED
  }

  allocate(bytes: number): number {
    const block = this.next
    this.next += Math.ceil(bytes / 16)
    return block
  }

  free(): void {
    // It asks only once: the limit tells from the start how many ghosts there will be.
  }
}

/** A hash without collisions: multiplication by an odd number and xor with a shift can be undone. */
function scramble(key: number): number {
  let mixed = Math.imul(key + 1, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
  return mixed ^ (mixed >>> 15)
}
