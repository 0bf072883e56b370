import type { Identity, Note } from './notes.js'

/** How deep, and over how many objects, the parts of a value are followed. */
const MAX_DEPTH = 3
const MAX_PARTS = 64

/**
 * From which read the parts of a value come. A caller that changes a value returned makes a new object of it, but with
 * its parts: `{ ...cart, paid: true }` has the very array that was in `cart`.
 */
export class Origins {
  readonly #notes = new WeakMap<object, Note>()

  /** Notes that `value` and its parts, which were decoded from the map, were read with `note`. */
  note(value: unknown, note: Note): void {
    if (typeof value !== 'object' || value === null || this.#notes.get(value) === note) return
    for (const part of partsOf(value)) this.#notes.set(part, note)
  }

  /**
   * Returns the note of the parts of `value`, which a caller writes under a key, that were read under the same key: if
   * there are several, one that is not superseded. Runs no getter.
   */
  of(value: unknown, { key, isBytes }: Identity): Note | undefined {
    if (typeof value !== 'object' || value === null) return undefined
    let oldest: Note | undefined
    for (const part of partsOf(value)) {
      const note = this.#notes.get(part)
      if (note === undefined || note.identity.key !== key || note.identity.isBytes !== isBytes) continue
      if (!note.isSuperseded) return note
      oldest = note
    }
    return oldest
  }
}

/** Returns `root` and the objects in it, breadth first, as far as they are followed. */
function partsOf(root: object): object[] {
  const parts = [root]
  let depth = 0
  for (let from = 0; depth < MAX_DEPTH && from < parts.length; depth++) {
    const to = parts.length
    for (; from < to; from++) {
      for (const part of childrenOf(parts[from])) {
        if (parts.length === MAX_PARTS) return parts
        parts.push(part)
      }
    }
  }
  return parts
}

/** Returns the objects among the first properties of `parent`. Runs no getter. */
function childrenOf(parent: object): object[] {
  if (ArrayBuffer.isView(parent)) return []
  const names = Array.isArray(parent)
    ? Array.from({ length: Math.min(parent.length, MAX_PARTS) }, (_, i) => i)
    : Object.keys(parent)
  const children: object[] = []
  for (const name of names) {
    const child: unknown = Object.getOwnPropertyDescriptor(parent, name)?.value
    if (typeof child === 'object' && child !== null) children.push(child)
    if (children.length === MAX_PARTS) break
  }
  return children
}
