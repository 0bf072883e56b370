import type { ValueKind } from '../harness/data.js'

/** One thread's access to a store under test. A method that returns a promise is awaited within the measurement. */
export interface Contender {
  /** The value of `key`; undefined if there is none. */
  get(key: string): unknown
  set(key: string, value: unknown): unknown
  /** The values of `keys`, in their order; left out where there is no such call. */
  getMany?(keys: readonly string[]): readonly unknown[]
  /** Stores the entries as fast as the store can: a transaction, a pipeline. */
  fill(entries: Iterable<readonly [key: string, value: unknown]>): void | Promise<void>
  close(): void | Promise<void>
}

/** Properties of the data that a store is opened for. */
export interface StoreSetup {
  /** Entries that it will hold. */
  readonly size: number
  readonly value: ValueKind
}

/** Resources that the main thread has for all stores. */
export interface StoreHost {
  /** An empty folder that is removed at the end. */
  readonly folder: string
  /** Port of a Redis server on 127.0.0.1; undefined if there is none. */
  readonly redisPort: number | undefined
}

/** A store under test, set up in one way. */
export interface ContenderKind {
  /** Its name in the tables. */
  readonly label: string
  /** Whether threads share what it holds. */
  readonly shared: boolean
  /** Whether its operations return promises. */
  readonly asynchronous: boolean
  /** Whether it can store values of this kind, and is there at all. */
  supports(value: ValueKind, host: StoreHost): boolean
  /** In the main thread: makes an empty store. @returns what threads open it with, structured-cloneable */
  create(setup: StoreSetup, host: StoreHost): unknown
  /** In a worker. */
  open(handle: unknown, setup: StoreSetup): Contender | Promise<Contender>
}

/** For stores without a faster way. */
export function setEach(contender: Pick<Contender, 'set'>, entries: Iterable<readonly [string, unknown]>): void {
  for (const [key, value] of entries) contender.set(key, value)
}
