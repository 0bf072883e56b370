import type { DeepReadonly } from '../base/deep-readonly.js'
import { checkTtl } from '../base/arguments.js'
import type { LoadContext } from './options.js'

/** The part of a running load that its loader sees and may change. */
interface Running {
  readonly controller: AbortController
  readonly leader: { readonly ttl: number }
  ttl: number | undefined
}

/**
 * Makes the second argument of a loader.
 *
 * @param stale the value that there was before; it is decoded anew for each look at it
 */
export function loadContext<V>(
  load: Running,
  stale: { readonly version: number; readonly read: () => V } | undefined,
): LoadContext<V> {
  return {
    signal: load.controller.signal,
    get ttl() {
      return load.ttl ?? load.leader.ttl
    },
    setTtl(ttl) {
      checkTtl('Argument ttl', ttl)
      load.ttl = ttl
    },
    get stale() {
      return stale && { value: stale.read() as DeepReadonly<V>, version: stale.version }
    },
  }
}
