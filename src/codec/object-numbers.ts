const LINEAR_LIMIT = 8

/**
 * Numbers objects in the order in which they are met. Most values hold a handful of objects, for which a scan of an array is several
 * times faster than a `Map`.
 */
export class ObjectNumbers {
  private readonly few: object[] = []
  private many: Map<object, number> | undefined

  /** @returns the number that `object` got earlier, or -1 if it was not met before (then it has the next number now) */
  find(object: object): number {
    const few = this.few
    if (this.many === undefined) {
      for (let i = 0; i < few.length; i++) {
        if (few[i] === object) return i
      }
      if (few.length < LINEAR_LIMIT) {
        few.push(object)
        return -1
      }
      this.many = new Map(few.map((met, number) => [met, number]))
    }
    const number = this.many.get(object)
    if (number !== undefined) return number
    this.many.set(object, this.many.size)
    return -1
  }

  /** Forgets all objects. */
  clear(): void {
    this.few.length = 0
    this.many = undefined
  }
}
