import { attachedThreads, type Registry } from '../format/attached-threads.js'
import type { Suspect } from './census.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * No operation waits for another thread for longer (docs/internals/protocol.md): whoever fills a block for so long is stopped for
 * good.
 */
const LONGEST_WRITE_MS = 2000

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
  #suspects = new Map<number, { readonly print: number; readonly since: number }>()

  /** @param suspects what a walk over the region just found */
  among(registry: Registry, suspects: ReadonlyMap<number, Suspect>): Losses {
    const now = monotonic()
    const isAlone = attachedThreads(registry).filter(({ state }) => state !== 'dead').length <= 1
    const known = this.#suspects
    this.#suspects = new Map()
    let blocks = 0
    let bytes = 0
    for (const [block, suspect] of suspects) {
      const before = known.get(block)
      const since = before?.print === suspect.print ? before.since : now
      this.#suspects.set(block, { print: suspect.print, since })
      if (!isAlone && now - since <= LONGEST_WRITE_MS) continue
      blocks++
      bytes += suspect.bytes
    }
    return { blocks, bytes }
  }
}
