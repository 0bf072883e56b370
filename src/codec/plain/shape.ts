/** What a decoder takes parts of an object from, in the order of their names. */
export interface Parts {
  value(): unknown
}

/** Makes an object of a shape from its values. */
export type Maker = (parts: Parts) => object

/** A thread's knowledge of one shape: a list of property names, as a parent shape and one more name. */
export class Shape {
  /** The child used last, and its name: objects mostly come in a few shapes. */
  lastName: string | undefined
  lastChild: Shape | undefined
  /** Whether the region takes no more children of this shape. */
  isClosed = false
  /** Made at first use; see makers.ts. */
  maker: Maker | undefined
  /** How often objects of the shape were decoded without a generated function. */
  uses = 0
  /** Number of names. */
  readonly depth: number
  private children: Map<string, Shape> | undefined

  constructor(
    readonly id: number,
    readonly parent: Shape | undefined,
    readonly name: string,
  ) {
    this.depth = parent === undefined ? 0 : parent.depth + 1
  }

  /** Returns the shape with one more name; undefined if this thread knows of none. */
  child(name: string): Shape | undefined {
    const child = this.children?.get(name)
    if (child === undefined) return undefined
    this.lastName = name
    this.lastChild = child
    return child
  }

  add(child: Shape): void {
    this.children ??= new Map()
    this.children.set(child.name, child)
  }

  /** Returns whether it has a name. O(number of names). */
  has(name: string): boolean {
    for (let at: Shape | undefined = this; at.parent !== undefined; at = at.parent) if (at.name === name) return true // eslint-disable-line @typescript-eslint/no-this-alias -- as below
    return false
  }

  /** Returns all names, in order. */
  names(): string[] {
    const names = new Array<string>(this.depth)
    let at: Shape = this // eslint-disable-line @typescript-eslint/no-this-alias -- the start of a walk
    for (let i = this.depth - 1; i >= 0; i--) {
      names[i] = at.name
      at = at.parent!
    }
    return names
  }
}
