import { indexOf } from '../elements.js'
import { NEVER_ADDED, NOT_NOW, type ShapeTable } from '../shape-table.js'
import { corruptValue } from '../value-error.js'
import { Shape } from './shape.js'
import { MAX_SHAPE_ID, MAX_SHAPE_NAMES } from './tags.js'

const MARKS = 256

/**
 * What one thread has seen of a map's table of shapes. The table only grows, so what is here stays true, also after the
 * map is closed.
 *
 * *What is added.* Names that are met for the first time are written into the value; a chain of names that this thread
 * meets again is added to the table. So objects whose names are ids add nothing, and a name is copied into shared memory
 * only if it is likely to be used.
 */
export class ShapeMirror {
  readonly root = new Shape(0, undefined, '')
  private readonly shapes: Shape[] = [this.root]
  /** Marks of chains of names that were met once, each at the place that it hashes to. */
  private readonly met = new Int32Array(MARKS)

  /** @param table returns the map's table; undefined without a map, or once this thread has closed it */
  constructor(private readonly table: () => ShapeTable | undefined) {}

  /**
   * Returns the shape of `id`.
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if there is none
   */
  find(id: number): Shape {
    if (id >= this.shapes.length) this.catchUp()
    if (id >= this.shapes.length) throw corruptValue()
    return this.shapes[id]
  }

  /** Returns the shape with one name more than `shape`, if the table has it. */
  child(shape: Shape, name: string): Shape | undefined {
    const child = shape.child(name)
    if (child !== undefined) return child
    const table = this.table()
    if (table === undefined || table.count() < this.shapes.length) return undefined
    try {
      this.catchUp()
    } catch {
      return undefined // a damaged table costs speed, but no write
    }
    return shape.child(name)
  }

  /** Tells of names that an object has beyond those of `shape`, and adds them if they were met before. */
  learn(shape: Shape, names: readonly string[]): void {
    const table = this.table()
    if (table === undefined || shape.isClosed || !mayAdd(shape, names) || !this.meetsAgain(shape, names)) return
    let at = shape
    for (const name of names) {
      const child = this.child(at, name) ?? this.add(table, at, name)
      if (child === undefined) return
      at = child
    }
  }

  /**
   * Reads what the table has got since the last time.
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if a row is damaged
   */
  catchUp(): void {
    const { shapes } = this
    const table = this.table()
    const count = Math.min(table?.count() ?? 0, MAX_SHAPE_ID)
    while (shapes.length <= count) {
      const row = table!.read(shapes.length)
      const parent = row === undefined ? undefined : shapes.at(row.parent)
      if (parent === undefined || !mayFollow(parent, row!.name)) throw corruptValue()
      const shape = new Shape(shapes.length, parent, row!.name)
      parent.add(shape)
      shapes.push(shape)
    }
  }

  private add(table: ShapeTable, parent: Shape, name: string): Shape | undefined {
    const id = table.add(parent.id, name)
    if (id === NEVER_ADDED) parent.isClosed = true
    return id === NEVER_ADDED || id === NOT_NOW ? undefined : this.child(parent, name)
  }

  private meetsAgain(shape: Shape, names: readonly string[]): boolean {
    let mark = Math.imul(shape.id + 1, GOLDEN)
    for (const name of names) {
      mark = Math.imul(mark ^ name.length, GOLDEN)
      for (let i = 0; i < name.length; i++) mark = Math.imul(mark ^ name.charCodeAt(i), GOLDEN)
    }
    const place = (mark >>> 7) & (MARKS - 1)
    const isKnown = this.met[place] === mark
    this.met[place] = mark
    return isKnown
  }
}

/** A factor that spreads numbers which differ in few bits. */
const GOLDEN = 0x9e3779b1

/** Returns whether a row may add `name` to a shape: names differ, and no shape is there twice. */
function mayFollow(shape: Shape, name: string): boolean {
  return shape.depth < MAX_SHAPE_NAMES && indexOf(name) < 0 && shape.child(name) === undefined && !shape.has(name)
}

/** Returns whether a shape may have these names: indices come in an order of their own, and are seldom a few. */
function mayAdd(shape: Shape, names: readonly string[]): boolean {
  return shape.depth + names.length <= MAX_SHAPE_NAMES && !names.some((name) => indexOf(name) >= 0)
}
