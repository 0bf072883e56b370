import { NEVER_ADDED, type ShapeRow, type ShapeTable } from '../../src/codec/shape-table.js'

/** A table of shapes in the memory of one thread. */
export class ShapesInMemory implements ShapeTable {
  readonly rows: (ShapeRow | undefined)[] = []

  /** @param limit the most rows */
  constructor(private readonly limit = 16_383) {}

  count(): number {
    return this.rows.length
  }

  read(id: number): ShapeRow | undefined {
    return this.rows[id - 1]
  }

  add(parent: number, name: string): number {
    const found = this.rows.findIndex((row) => row?.parent === parent && row.name === name)
    if (found >= 0) return found + 1
    if (this.rows.length === this.limit) return NEVER_ADDED
    return this.rows.push({ parent, name })
  }
}
