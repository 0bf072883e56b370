import type { StoreHost, StoreSetup } from '../contenders/contender.js'
import { kindOf, type ContenderName } from '../contenders/index.js'
import { Thread } from './thread.js'

/**
 * Measured operations: a read of a present key, of a key built for the call, of an absent key; an overwrite; 95 reads and
 * 5 overwrites; a read of {@link MANY} keys by one call, a key.
 */
export type Operation = 'hit' | 'hitFreshKey' | 'miss' | 'set' | 'mixed' | 'getMany'

/** Keys of one call of `getMany`. */
export const MANY = 64
/** In `mixed`, every so many-th operation is an overwrite. */
export const MIXED_PERIOD = 20

export interface StageSetup extends StoreSetup {
  readonly name: ContenderName
  readonly handle: unknown
  readonly draws: Uint32Array
}

export type StageOrder =
  | { readonly kind: 'fill' | 'close' }
  | {
      readonly kind: 'measure'
      readonly operation: Operation
      readonly milliseconds: number
      readonly warmup: number
    }

/** One contender in a thread of its own, for the operations of a single thread. */
export class Stage {
  readonly #thread: Thread<StageOrder>

  private constructor(
    readonly name: ContenderName,
    setup: StageSetup,
  ) {
    this.#thread = new Thread(new URL('stage.worker.js', import.meta.url), setup)
  }

  /** Opens the contender and fills it. */
  static async open(
    name: ContenderName,
    { size, value }: StoreSetup,
    host: StoreHost,
    draws: Uint32Array,
  ): Promise<Stage> {
    const handle = kindOf(name).create({ size, value }, host)
    const stage = new Stage(name, { name, handle, draws, size, value })
    try {
      await stage.#thread.ask({ kind: 'fill' })
      return stage
    } catch (error) {
      await stage.#thread.stop()
      throw error
    }
  }

  /** Nanoseconds an operation, the median over `milliseconds`. */
  measure(operation: Operation, milliseconds: number, warmup: number): Promise<number> {
    return this.#thread.ask({ kind: 'measure', operation, milliseconds, warmup })
  }

  async close(): Promise<void> {
    try {
      await this.#thread.ask({ kind: 'close' })
    } finally {
      await this.#thread.stop()
    }
  }
}
