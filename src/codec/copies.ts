const LINEAR_LIMIT = 8

/**
 * Finds the copy of an object that was met before. Most values hold a handful of objects, for which a scan of an array
 * is several times faster than a `Map`.
 */
export class Copies {
  private readonly originals = new Array<object | undefined>(LINEAR_LIMIT).fill(undefined)
  private readonly copies = new Array<object | undefined>(LINEAR_LIMIT).fill(undefined)
  private count = 0
  private many: Map<object, object> | undefined

  /** Returns the copy that was added for `original`, if any. */
  find(original: object): object | undefined {
    if (this.many !== undefined) return this.many.get(original)
    for (let i = 0; i < this.count; i++) {
      if (this.originals[i] === original) return this.copies[i]
    }
    return undefined
  }

  add(original: object, copy: object): void {
    if (this.count < LINEAR_LIMIT) {
      this.originals[this.count] = original
      this.copies[this.count] = copy
      this.count++
      return
    }
    this.many ??= new Map(this.originals.map((met, i) => [met!, this.copies[i]!]))
    this.many.set(original, copy)
  }

  /** Forgets all objects. */
  clear(): void {
    for (let i = 0; i < this.count; i++) {
      this.originals[i] = undefined
      this.copies[i] = undefined
    }
    this.count = 0
    this.many = undefined
  }
}
