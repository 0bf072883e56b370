/** Checks a cache's eviction area: every node in one place, every live entry with a node of its own. */
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CHUNK_NEXT,
  CHUNK_NODES,
  COLD_SHARE_ONE,
  GHOST_TAG,
  GHOST_WORDS,
  HEADER_EVICTION,
  NODE_BYTES,
  NODE_FREE,
  NODE_HASH,
  NODE_IN_COLD,
  NODE_IN_COLD_DEMOTED,
  NODE_IN_MAIN,
  NODE_NEXT,
  NODE_OWNER,
  NODE_PREVIOUS,
  NODE_STATE,
  PAGE_BYTES,
  PARTITION_CHUNKS,
  PARTITION_COLD,
  PARTITION_COLD_SHARE,
  PARTITION_FREE_NODES,
  PARTITION_GHOST_BUCKETS,
  PARTITION_GHOST_COUNTS,
  PARTITION_GHOSTS,
  PARTITION_LIMIT,
  PARTITION_MAIN,
  PARTITION_MUTEX,
  PARTITION_NODES,
  QUEUE_NEWEST,
  QUEUE_OLDEST,
  QUEUE_SIZE,
} from '../layout.js'
import { areaPages, partitionsOf } from '../eviction-area.js'
import { ghostBytes, ghostPages } from '../ghosts.js'
import type { Job } from '../../base/slices.js'
import type { Problems } from './problems.js'
import type { Region } from '../region.js'
import type { HeapAudit } from './verify-heap.js'

/** Nodes or ghosts that are looked at in a step. */
const STEP_WORK = 512

const NODE_BLOCKS = NODE_BYTES / BLOCK_BYTES
const COLD_STATES = [NODE_IN_COLD, NODE_IN_COLD_DEMOTED]

export class EvictionAudit {
  private readonly words: Int32Array
  /** All nodes, and the partition that each belongs to. */
  private readonly nodes = new Map<number, number>()
  private readonly used = new Set<number>()
  private readonly partitions: number[]

  constructor(
    private readonly region: Region,
    private readonly heap: HeapAudit,
    private readonly problems: Problems,
  ) {
    this.words = region.words
    this.partitions = partitionsOf(region)
    const area = this.words[HEADER_EVICTION]
    if (this.partitions.length > 0) heap.claimPages(area, areaPages(this.partitions.length), 'cache area')
    else if (area !== 0) problems.add(`block ${area} is no cache area`)
  }

  /** Reads nodes, queues and ghosts: before the nodes of entries are claimed. */
  *readArea(): Job<void> {
    for (const at of this.partitions) yield* this.readPartition(at)
  }

  /** Checks the node of a live entry. */
  claim(block: number, node: number, hash: number): void {
    if (this.partitions.length === 0) {
      if (node !== 0) this.problems.add(`entry ${block} has node ${node}, but the region is no cache's`)
    } else if (!this.nodes.has(node) || this.words[node * BLOCK_WORDS + NODE_STATE] === NODE_FREE) {
      this.problems.add(`entry ${block} has node ${node}, which is in no queue`)
    } else if (this.words[node * BLOCK_WORDS + NODE_HASH] !== hash) {
      this.problems.add(`entry ${block} has node ${node} of another hash`)
    } else if (this.used.has(node)) {
      this.problems.add(`entry ${block} has node ${node}, as another one has`)
    }
    this.used.add(node)
  }

  private *readPartition(at: number): Job<void> {
    const { words, problems } = this
    if (words[at + PARTITION_MUTEX] !== 0) problems.add(`partition ${at}: its mutex is taken`)
    const share = words[at + PARTITION_COLD_SHARE]
    if (share < 0 || share > COLD_SHARE_ONE) problems.add(`partition ${at}: its cold share is ${share}`)
    const nodes = yield* this.readChunks(at)
    const cold = yield* this.walkQueue(at, at + PARTITION_COLD, COLD_STATES)
    const main = yield* this.walkQueue(at, at + PARTITION_MAIN, [NODE_IN_MAIN])
    const free = yield* this.walkFree(at)
    if (nodes !== words[at + PARTITION_NODES] || cold + main + free !== nodes) {
      problems.add(`partition ${at}: ${nodes} nodes, of which ${cold} cold, ${main} main and ${free} free`)
    }
    const limit = words[at + PARTITION_LIMIT]
    if (limit !== 0 && cold + main > limit) problems.add(`partition ${at}: ${cold + main} entries, ${limit} allowed`)
    yield* this.readGhosts(at)
  }

  private *readChunks(at: number): Job<number> {
    const { words } = this
    let nodes = 0
    for (let chunk = words[at + PARTITION_CHUNKS]; chunk !== 0; chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]) {
      const added = this.region.contains(chunk, 2) ? words[chunk * BLOCK_WORDS + CHUNK_NODES] : 0
      if (added <= 0 || !this.heap.claimPages(chunk, ((added + 1) * NODE_BYTES) / PAGE_BYTES, 'node chunk')) break
      for (let index = 1; index <= added; index++) {
        this.nodes.set(chunk + index * NODE_BLOCKS, at)
        if (index % STEP_WORK === 0) yield STEP_WORK
      }
      nodes += added
    }
    return nodes
  }

  /** Number of nodes in a queue. */
  private *walkQueue(at: number, queue: number, states: readonly number[]): Job<number> {
    const { words } = this
    let count = 0
    let previous = 0
    for (let node = words[queue + QUEUE_OLDEST]; node !== 0;) {
      const word = node * BLOCK_WORDS
      if (this.nodes.get(node) !== at || !states.includes(words[word + NODE_STATE]) || count > this.nodes.size) {
        this.problems.add(`partition ${at}: block ${node} does not belong into its queue`)
        return count
      }
      if (words[word + NODE_PREVIOUS] !== previous) this.problems.add(`node ${node}: wrong back link`)
      if (words[word + NODE_OWNER] !== 0) this.problems.add(`node ${node}: its insert is not over`)
      count++
      if (count % STEP_WORK === 0) yield STEP_WORK
      previous = node
      node = words[word + NODE_NEXT]
    }
    if (words[queue + QUEUE_NEWEST] !== previous) this.problems.add(`partition ${at}: a queue does not end as it says`)
    if (words[queue + QUEUE_SIZE] !== count) {
      this.problems.add(`partition ${at}: a queue of ${count} nodes counts ${words[queue + QUEUE_SIZE]}`)
    }
    return count
  }

  private *walkFree(at: number): Job<number> {
    const { words } = this
    let count = 0
    for (let node = words[at + PARTITION_FREE_NODES]; node !== 0; node = words[node * BLOCK_WORDS + NODE_NEXT]) {
      const isFree = this.nodes.get(node) === at && words[node * BLOCK_WORDS + NODE_STATE] === NODE_FREE
      if (!isFree || count > this.nodes.size) {
        this.problems.add(`partition ${at}: block ${node} is no free node`)
        break
      }
      count++
      if (count % STEP_WORK === 0) yield STEP_WORK
    }
    return count
  }

  private *readGhosts(at: number): Job<void> {
    const { words } = this
    const table = words[at + PARTITION_GHOSTS]
    const buckets = words[at + PARTITION_GHOST_BUCKETS]
    const counts = [0, 0]
    if (buckets !== 0 && this.heap.claimPages(table, ghostPages(buckets), 'ghost table')) {
      const end = table * BLOCK_WORDS + ghostBytes(buckets) / 4
      for (let ghost = table * BLOCK_WORDS; ghost < end; ghost += GHOST_WORDS) {
        const mark = words[ghost + GHOST_TAG]
        if (mark !== 0) counts[mark & 1]++
        if (ghost % (STEP_WORK * GHOST_WORDS) === 0) yield STEP_WORK
      }
    }
    for (const [ghostClass, count] of counts.entries()) {
      const counted = words[at + PARTITION_GHOST_COUNTS + ghostClass]
      if (counted !== count)
        this.problems.add(`partition ${at}: ${count} ghosts of class ${ghostClass}, ${counted} counted`)
    }
  }
}
