/**
 * A replacement policy with the keys it holds. Keys are numbers from 0 up to the `keys` that its {@link PolicyKind} was
 * given.
 */
export interface Policy {
  /** A read, which fetches the key if it is not held. @returns whether it was held */
  access(key: number): boolean
}

export interface PolicyKind {
  readonly name: string
  /**
   * @param capacity entries, at least 1
   * @param accesses the whole trace: only OPT may look ahead
   * @param keys upper bound of the keys
   */
  create(capacity: number, accesses: Uint32Array, keys: number): Policy
}
