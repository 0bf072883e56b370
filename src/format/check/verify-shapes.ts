/** Checks the table of shapes: every id leads to a name and to a parent that leads back to it. */
import {
  HEADER_SHAPE_CHILDREN,
  HEADER_SHAPE_CHUNKS,
  HEADER_SHAPE_COUNT,
  HEADER_SHAPE_LIMIT,
  HEADER_SHAPE_MUTEX,
  MAX_SHAPES,
  SHAPE_CHUNKS,
} from '../layout.js'
import type { Region } from '../region.js'
import { shapeChildrenFor, shapeChunkBytes, shapeChunkOf, shapeLimitFor, ShapeTable } from '../shapes.js'
import type { Problems } from './problems.js'
import type { HeapAudit } from './verify-heap.js'

export class ShapeAudit {
  private readonly words: Int32Array

  constructor(
    private readonly region: Region,
    private readonly heap: HeapAudit,
    private readonly problems: Problems,
  ) {
    this.words = region.words
  }

  run(): void {
    const { words, problems } = this
    if (words[HEADER_SHAPE_MUTEX] !== 0) problems.add('the mutex of shapes is taken')
    const limit = words[HEADER_SHAPE_LIMIT] >>> 0
    const count = words[HEADER_SHAPE_COUNT] >>> 0
    const children = words[HEADER_SHAPE_CHILDREN] >>> 0
    if (limit !== shapeLimitFor(words.byteLength) || children !== shapeChildrenFor(limit)) {
      problems.add(`${limit} shapes and ${children} children of one are allowed, which the region's size does not say`)
    }
    if (count > limit || count > MAX_SHAPES) problems.add(`there are ${count} shapes, ${limit} allowed`)
    else if (this.verifyChunks(count)) this.verifyShapes(count)
  }

  /** Returns whether every shape has a record. */
  private verifyChunks(count: number): boolean {
    const needed = count === 0 ? 0 : shapeChunkOf(count) + 1
    let hasGap = false
    let isWhole = true
    for (let chunk = 0; chunk < SHAPE_CHUNKS; chunk++) {
      const block = this.words[HEADER_SHAPE_CHUNKS + chunk]
      if (block === 0) {
        hasGap = true
        if (chunk < needed) this.problems.add(`chunk ${chunk} of ${count} shapes is missing`)
        isWhole &&= chunk >= needed
        continue
      }
      if (hasGap) this.problems.add(`chunk ${chunk} of shapes is there, but not the one before`)
      isWhole = this.heap.claim(block, shapeChunkBytes(chunk), 'chunk of shapes') && isWhole
    }
    return isWhole
  }

  private verifyShapes(count: number): void {
    const { problems } = this
    const table = new ShapeTable(this.region)
    const allowed = this.words[HEADER_SHAPE_CHILDREN] >>> 0
    const newest = new Int32Array(count + 1)
    const names = Array.from({ length: count + 1 }, () => new Set<string>())
    for (let id = 1; id <= count; id++) {
      const shape = table.read(id)
      if (shape === undefined) {
        problems.add(`shape ${id} has no name, or no parent that was added before`)
        return
      }
      const { parent, name } = shape
      const sibling = table.siblingOf(id)
      if (sibling !== newest[parent]) {
        problems.add(`shape ${id} has sibling ${sibling} instead of ${newest[parent]}`)
      }
      newest[parent] = id
      if (names[parent].has(name)) problems.add(`shape ${id} has a name that another child of ${parent} has`)
      names[parent].add(name)
      if (names[parent].size === allowed + 1) problems.add(`shape ${parent} has more than ${allowed} children`)
      if (!table.isInPlace(id)) problems.add(`shape ${id} has a name that does not lie behind the one before`)
    }
    for (let id = 0; id <= count; id++) {
      if (table.newestOf(id) !== newest[id]) {
        problems.add(`shape ${id} has newest child ${table.newestOf(id)} instead of ${newest[id]}`)
      }
    }
  }
}
