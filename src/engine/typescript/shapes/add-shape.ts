/** Adds shapes to the region's table. See docs/internals/protocol.md, "Shapes". */
import { HEADER_SHAPE_MUTEX, HEADER_SHAPE_REFUSALS, SHAPE_CHUNKS, SHAPE_NAME_BYTES } from '../../../format/layout.js'
import { KeyBuffer } from '../../../format/key.js'
import { NO_CHILD, NO_MORE_CHILDREN, shapeChunkBytes } from '../../../format/shapes.js'
import { CORRUPT, ENTRY_TOO_LARGE, FULL, NOT_ADDED } from '../../engine.js'
import type { Core } from '../core.js'
import { FIXED } from '../memory/heap.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { LITTLE_PATIENCE } from '../threads/wait-budget.js'
import { makeRoomByMoving } from '../write/compaction.js'
import { ShapeAppender } from './shape-table.js'

/**
 * The adder of one thread. It may be called whatever the thread holds: the mutex of the table is taken last of all, and
 * its holder takes no other lock.
 */
export class ShapeAdder {
  readonly table: ShapeAppender
  private readonly text = new KeyBuffer()

  constructor(private readonly core: Core) {
    this.table = new ShapeAppender(core.region)
  }

  /**
   * Returns the id of the child of `parent` that has the name, added if there is none; else NOT_ADDED, FULL,
   * ENTRY_TOO_LARGE or CORRUPT. Hardly waits. Leaves the core's result as it is.
   */
  add(parent: number, name: string): number {
    if (name.length > SHAPE_NAME_BYTES || !this.text.encode(name) || this.text.length > SHAPE_NAME_BYTES) {
      return ENTRY_TOO_LARGE
    }
    const found = this.table.find(parent, name)
    const outcome =
      found === NO_CHILD ? this.core.budget.with(LITTLE_PATIENCE, () => this.insert(parent, name)) : of(found)
    if (outcome === FULL) Atomics.add(this.core.words, HEADER_SHAPE_REFUSALS, 1)
    return outcome
  }

  private insert(parent: number, name: string): number {
    // Every chunk is missing once at most.
    for (let tries = 0; tries <= SHAPE_CHUNKS; tries++) {
      const added = this.tryToAdd(parent, name)
      if (added !== NOT_ADDED || this.table.missing < 0) return added
      if (!this.addChunk(this.table.missing)) return NOT_ADDED
    }
    return CORRUPT
  }

  /** One attempt under the mutex. */
  private tryToAdd(parent: number, name: string): number {
    const { table, core } = this
    table.missing = -1
    if (!lockMutex(core.budget, HEADER_SHAPE_MUTEX)) return NOT_ADDED
    // Another thread may have added it since this one looked.
    const found = table.find(parent, name)
    const outcome = found === NO_CHILD ? table.append(parent, this.text) : of(found)
    unlockMutex(core.words, HEADER_SHAPE_MUTEX)
    return outcome
  }

  /**
   * Gets a block and puts it into the table. The memory is taken before the mutex, whose holder takes no other lock.
   * Returns false if that cannot be done now.
   */
  private addChunk(chunk: number): boolean {
    const { core } = this
    const block = this.takeChunk(chunk)
    if (block <= 0) return false
    const hasMutex = lockMutex(core.budget, HEADER_SHAPE_MUTEX)
    const isNeeded = hasMutex && this.table.install(chunk, block)
    if (hasMutex) unlockMutex(core.words, HEADER_SHAPE_MUTEX)
    if (!isNeeded) core.blocks.free(block, shapeChunkBytes(chunk))
    return hasMutex
  }

  /** Returns a block, or a status. A thread that holds a key neither moves nor evicts, and takes what is there. */
  private takeChunk(chunk: number): number {
    const { core } = this
    const bytes = shapeChunkBytes(chunk)
    const block = core.blocks.allocate(bytes, FIXED)
    if (block !== FULL || core.heldSegment !== 0) return block
    const before = core.result.slice()
    core.evictor?.startRound()
    const made = core.evictor?.makeRoom(bytes, chunk, FIXED) ?? makeRoomByMoving(core, bytes, FIXED)
    core.result.set(before)
    return made
  }
}

/** Returns the outcome of a search that did not end with {@link NO_CHILD}. */
function of(found: number): number {
  if (found > 0) return found
  return found === NO_MORE_CHILDREN ? FULL : CORRUPT
}
