import { attachedThreads, type Registry } from '../format/attached-threads.js'
import type { Suspect } from './census.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * No operation waits for another thread for longer (docs/internals/protocol.md): whoever fills a block for so long is stopped for
 * good.
 */
const LONGEST_WRITE_MS = 2000

/** Who looks at a region. */
export interface Viewer {
  /** How many of the thread records are its own: 1 of a map, 0 of an inspection. */
  readonly records: number
  /** Whether it sees what others write. In a copy, a block stays as it is, whoever was just filling it. */
  readonly isLive: boolean
}

/** Blocks that nobody will ever have again. */
export interface Losses {
  readonly blocks: number
  readonly bytes: number
}

/**
 * Tells lost blocks from those that are on their way. A thread that writes has a block in no place while it fills it,
 * and for as long as the system takes the processor from it. So a suspect is lost only if no other thread has the map
 * open; or if it has been one for longer than a write can take, unchanged, since a block that moved has another version
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

  /** @param suspects what a walk over the region just found */
  among(registry: Registry, suspects: ReadonlyMap<number, Suspect>): Losses {
    const now = monotonic()
    const { records, isLive } = this.#viewer
    const isAlone = attachedThreads(registry).filter(({ state }) => state !== 'dead').length <= records
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
