const NONE = -1

/**
 * A doubly linked list of distinct small numbers, oldest to newest. Every operation takes constant time.
 */
export class Queue {
  size = 0
  private readonly newer: Int32Array
  private readonly older: Int32Array
  private readonly held: Uint8Array
  private first = NONE
  private last = NONE

  constructor(keys: number) {
    this.newer = new Int32Array(keys)
    this.older = new Int32Array(keys)
    this.held = new Uint8Array(keys)
  }

  has(key: number): boolean {
    return this.held[key] === 1
  }

  /** -1 if there is none. */
  get oldest(): number {
    return this.first
  }

  /** -1 if there is none. */
  get newest(): number {
    return this.last
  }

  /** The next newer one; -1 for the newest. */
  after(key: number): number {
    return this.newer[key]
  }

  push(key: number): void {
    this.held[key] = 1
    this.newer[key] = NONE
    this.older[key] = this.last
    if (this.last === NONE) this.first = key
    else this.newer[this.last] = key
    this.last = key
    this.size++
  }

  remove(key: number): void {
    const older = this.older[key]
    const newer = this.newer[key]
    if (older === NONE) this.first = newer
    else this.newer[older] = newer
    if (newer === NONE) this.last = older
    else this.older[newer] = older
    this.held[key] = 0
    this.size--
  }

  /** Removes the oldest. */
  shift(): number {
    const key = this.first
    this.remove(key)
    return key
  }

  moveToNewest(key: number): void {
    this.remove(key)
    this.push(key)
  }
}
