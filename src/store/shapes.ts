import { NEVER_ADDED, NOT_NOW, type ShapeRow, type ShapeTable } from '../codec/shape-table.js'
import { ENTRY_TOO_LARGE, NOT_ADDED, type Engine } from '../engine/engine.js'
import { HEADER_SHAPE_COUNT } from '../format/layout.js'

/** The table of shapes of a map, as its engine gives it. */
export class MapShapes implements ShapeTable {
  constructor(private readonly engine: Engine) {}

  count(): number {
    return Atomics.load(this.engine.words, HEADER_SHAPE_COUNT) >>> 0
  }

  read(id: number): ShapeRow | undefined {
    return this.engine.readShape(id)
  }

  add(parent: number, name: string): number {
    const id = this.engine.addShape(parent, name)
    if (id > 0) return id
    // A name that is too long says nothing of others.
    return id === NOT_ADDED || id === ENTRY_TOO_LARGE ? NOT_NOW : NEVER_ADDED
  }
}
