import type { DeepReadonly } from '../base/deep-readonly.js'
import { checkTtl } from '../base/arguments.js'
import type { LoadContext, StaleValue } from './options.js'

/** The value that there was before a load. */
interface Before<V> {
  readonly version: number
  /** Decodes it anew. */
  readonly read: () => V
}

/**
 * The second argument of a loader. Its properties are getters of a class, and what they give is made when it is asked
 * for: most loaders ask for nothing, and an `AbortController` costs as much as the rest of a load.
 */
export class LoaderContext<V> implements LoadContext<V> {
  #controller: AbortController | undefined
  #abortion: { readonly reason: unknown } | undefined
  #ownTtl: number | undefined
  readonly #usualTtl: number
  readonly #before: Before<V> | undefined

  constructor(usualTtl: number, before: Before<V> | undefined) {
    this.#usualTtl = usualTtl
    this.#before = before
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortion !== undefined) this.#controller.abort(this.#abortion.reason)
    }
    return this.#controller.signal
  }

  get ttl(): number {
    return this.#ownTtl ?? this.#usualTtl
  }

  get setTtl(): (ttl: number) => void {
    return (ttl) => {
      checkTtl('Argument ttl', ttl)
      this.#ownTtl = ttl
    }
  }

  get stale(): StaleValue<V> | undefined {
    const before = this.#before
    return before && { value: before.read() as DeepReadonly<V>, version: before.version }
  }

  /** Returns how long the value lives, if the loader said so. Static, like all that is not for the loader. */
  static ttlOf<V>(context: LoaderContext<V>): number | undefined {
    return context.#ownTtl
  }

  /**
   * Aborts the signal. Its listeners run at once. Node.js reports errors that they throw as uncaught.
   */
  static abort<V>(context: LoaderContext<V>, reason: unknown): void {
    context.#abortion ??= { reason }
    context.#controller?.abort(reason)
  }
}
