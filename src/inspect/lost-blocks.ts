import { attachedThreads, type Registry } from '../format/attached-threads.js'
import type { Suspect } from './census.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * The longest that an operation waits for another thread (docs/internals/protocol.md): a thread that fills a block for
 * longer is stopped for good.
 */
const LONGEST_WRITE_MS = 2000

/** The reader of a region. */
export interface Viewer {
  /** Number of thread records of its own: 1 for a map, 0 for an inspection. */
  readonly records: number
  /**
   * Whether it sees the writes of other threads. In a copy, a block stays as it is, even if a thread was just filling
   * it.
   */
  readonly isLive: boolean
}

/** Blocks that no write will ever get again. */
export interface Losses {
  readonly blocks: number
  readonly bytes: number
}

/**
 * Distinguishes lost blocks from blocks on their way. A writing thread has a block in no place while it fills it, and
 * for as long as the system takes the processor from it. So a suspect is lost only if no other thread has the map open,
 * or if it has been a suspect for longer than a write can take, unchanged, since a block that moved has another version
 * or link.
 *
 * Thread safety: one thread.
 */
export class LostBlocks {
  readonly #viewer: Viewer
  #suspects = new Map<number, { readonly print: number; readonly since: number }>()

  constructor(viewer: Viewer = { records: 1, isLive: true }) {
    this.#viewer = viewer
  }

  /**
   * @param suspects those that a walk over the region just found
   * @param isAtOnce whether this thread did nothing else during that walk
   */
  among(registry: Registry, suspects: ReadonlyMap<number, Suspect>, isAtOnce: boolean): Losses {
    const now = monotonic()
    const { records, isLive } = this.#viewer
    const isAlone = isAtOnce && attachedThreads(registry).filter(({ state }) => state !== 'dead').length <= records
    const known = this.#suspects
    this.#suspects = new Map()
    let blocks = 0
    let bytes = 0
    for (const [block, suspect] of suspects) {
      const before = known.get(block)
      const since = before?.print === suspect.print ? before.since : now
      this.#suspects.set(block, { print: suspect.print, since })
      if (!isAlone && (!isLive || now - since <= LONGEST_WRITE_MS)) continue
      blocks++
      bytes += suspect.bytes
    }
    return { blocks, bytes }
  }
}
