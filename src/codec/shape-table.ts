/** A shape as the table of a map has it: its parent's list of names, and one name more. */
export interface ShapeRow {
  readonly parent: number
  readonly name: string
}

/** The result of {@link ShapeTable.add} for a shape that is not to be added now, or never. */
export const NOT_NOW = 0
export const NEVER_ADDED = -1

/**
 * The port to a map's table of shapes, in which values share the names of their properties. Shape 0 has no names and no
 * row; the others are numbered from 1 on, parents before their children. Rows are added by any thread and never change.
 */
export interface ShapeTable {
  /** Number of rows; the greatest id. */
  count(): number
  /** Returns the shape of an id up to {@link ShapeTable.count}; undefined if it is damaged. */
  read(id: number): ShapeRow | undefined
  /** Returns the id of the shape, which is added if it is not there; else {@link NOT_NOW} or {@link NEVER_ADDED}. */
  add(parent: number, name: string): number
}
