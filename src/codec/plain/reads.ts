/** What was read of one object. */
export interface Read {
  /** None for an array that was read at once. */
  readonly names: (string | number)[]
  values: unknown[]
  /** Whether it was read to the end. */
  isWhole: boolean
}

const LINEAR_LIMIT = 8
const KEPT_READS = 1024
/** Stands for the names of all elements of an array. */
const ALL = -1

/**
 * Notes the objects that the writer met and what it read of each. It tells objects that are met again; and if the
 * writer gives up, what was read is not read again: a getter runs once.
 */
export class Reads {
  private objects: object[] = []
  private isWhole: boolean[] = []
  private objectCount = 0
  /** The objects beyond {@link LINEAR_LIMIT}: most values hold a handful, for which a scan of an array is faster. */
  private many: Set<object> | undefined
  // One entry for each property that was read: whose it is, its name, and its value.
  private owners: number[] = []
  private names: (string | number)[] = []
  private values: unknown[] = []
  private count = 0

  /** Begins an object; returns its number, -1 if it was met before. */
  begin(object: object): number {
    const number = this.objectCount
    const { objects } = this
    for (let i = number < LINEAR_LIMIT ? number - 1 : LINEAR_LIMIT - 1; i >= 0; i--) {
      if (objects[i] === object) return -1
    }
    if (number >= LINEAR_LIMIT) {
      const many = (this.many ??= new Set())
      // One search instead of two: an object that is there already adds nothing.
      if (many.add(object).size !== number - LINEAR_LIMIT + 1) return -1
    }
    objects[number] = object
    this.isWhole[number] = false
    this.objectCount = number + 1
    return number
  }

  /** Notes that a property of an object was read. */
  note(object: number, name: string | number, value: unknown): void {
    const at = this.count++
    this.owners[at] = object
    this.names[at] = name
    this.values[at] = value
  }

  /** Notes that all of an array was read at once. */
  noteElements(array: number, values: readonly unknown[]): void {
    this.note(array, ALL, values)
    this.isWhole[array] = true
  }

  /** Notes that an object was read to the end. */
  finish(object: number): void {
    this.isWhole[object] = true
  }

  /** Returns all that was read, by object. O(number of reads). */
  byObject(): Map<object, Read> {
    const reads: Read[] = []
    const result = new Map<object, Read>()
    for (let i = 0; i < this.objectCount; i++) {
      const read: Read = { names: [], values: [], isWhole: this.isWhole[i] }
      reads.push(read)
      result.set(this.objects[i], read)
    }
    for (let i = 0; i < this.count; i++) {
      const read = reads[this.owners[i]]
      if (this.names[i] === ALL) read.values = this.values[i] as unknown[]
      else {
        read.names.push(this.names[i])
        read.values.push(this.values[i])
      }
    }
    return result
  }

  /** Forgets everything. */
  clear(): void {
    if (this.count > KEPT_READS || this.objectCount > KEPT_READS) {
      this.objects = []
      this.isWhole = []
      this.owners = []
      this.names = []
      this.values = []
    } else {
      for (let i = 0; i < this.objectCount; i++) this.objects[i] = NOTHING
      for (let i = 0; i < this.count; i++) this.values[i] = undefined
    }
    this.objectCount = 0
    this.count = 0
    this.many = undefined
  }
}

const NOTHING = {}
