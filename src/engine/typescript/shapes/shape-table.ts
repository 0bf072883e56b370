/** Appends to the table of shapes. See docs/internals/protocol.md, "Shapes". */
import {
  HEADER_SHAPE_CHUNKS,
  HEADER_SHAPE_COUNT,
  HEADER_SHAPE_LIMIT,
  MAX_SHAPES,
  NAME_CHUNK_SHIFT,
  NAME_KIND_SHIFT,
  NAME_LENGTH_SHIFT,
  SHAPE_NAME,
  SHAPE_NEWEST,
  SHAPE_PARENT,
  SHAPE_SIBLING,
} from '../../../format/layout.js'
import type { KeyBuffer } from '../../../format/key.js'
import { shapeChunkOf, ShapeTable } from '../../../format/shapes.js'
import { CORRUPT, FULL } from '../../engine.js'

/** The table, to be changed by who has its mutex, or whose holder is dead. */
export class ShapeAppender extends ShapeTable {
  /** The chunk that {@link ShapeAppender.append} missed; -1 if none. */
  missing = -1

  /**
   * Adds a shape that a search under the same mutex did not find. Returns its id, or FULL, CORRUPT, or 0 if a chunk is
   * {@link ShapeAppender.missing}.
   */
  append(parent: number, name: KeyBuffer): number {
    const { words } = this
    this.missing = -1
    const count = words[HEADER_SHAPE_COUNT] >>> 0
    const limit = Math.min(words[HEADER_SHAPE_LIMIT] >>> 0, MAX_SHAPES)
    if (count >= limit) return FULL
    const length = (name.length + 3) >> 2
    const place = this.nextPlace(count, length)
    const newest = this.newestAt(parent)
    if (place === undefined || newest === 0 || parent > count) return CORRUPT
    if (place.chunk > shapeChunkOf(limit)) return FULL
    const id = count + 1
    // Chunks come in order, so that a table with a missing one is damaged, and so that a name's chunk is there, too.
    for (let chunk = 0; chunk <= Math.max(shapeChunkOf(id), place.chunk); chunk++) {
      if (words[HEADER_SHAPE_CHUNKS + chunk] === 0) {
        this.missing = chunk
        return 0
      }
      if (this.chunkAt(chunk) === 0) return CORRUPT
    }
    const text = this.namesAt(place.chunk) + place.word
    for (let i = 0; i < length; i++) words[text + i] = name.words[i]
    const record = this.recordAt(id)
    words[record + SHAPE_PARENT] = parent
    words[record + SHAPE_SIBLING] = words[newest]
    words[record + SHAPE_NEWEST] = 0
    words[record + SHAPE_NAME] =
      place.word |
      (place.chunk << NAME_CHUNK_SHIFT) |
      (name.length << NAME_LENGTH_SHIFT) |
      (name.kind << NAME_KIND_SHIFT)
    // Publishes the plain stores above: who sees the id, here or in a value, sees its name and parent.
    Atomics.store(words, HEADER_SHAPE_COUNT, id)
    Atomics.store(words, newest, id)
    return id
  }

  /** Puts a block of `shapeChunkBytes` into its place. Returns false if another one is there. */
  install(chunk: number, block: number): boolean {
    if (this.words[HEADER_SHAPE_CHUNKS + chunk] !== 0) return false
    Atomics.store(this.words, HEADER_SHAPE_CHUNKS + chunk, block)
    return true
  }

  /**
   * Completes the append in which the holder of the mutex died, if its shape was published already; else there is
   * nothing to undo.
   */
  finishAppend(): void {
    const last = this.count
    const record = this.recordAt(last)
    if (record === 0) return
    const parent = this.words[record + SHAPE_PARENT] >>> 0
    const newest = parent < last ? this.newestAt(parent) : 0
    // The last shape is the newest child of its parent, whether or not the dead thread came to say so.
    if (newest !== 0) Atomics.store(this.words, newest, last)
  }
}
