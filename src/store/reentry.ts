import type { Engine } from '../engine/engine.js'
import { MapsafeError } from '../base/errors.js'
import { threadState } from '../platform/addon.js'

/** Memory of the maps that this thread must not write now, because a function that decides on a write is running. */
let guarded: Set<ArrayBufferLike> | undefined

/** Returns the set, which is made with the first map: an import alone loads no addon. */
function guardedMaps(): Set<ArrayBufferLike> {
  return (guarded ??= threadState('guarded maps', () => new Set<ArrayBufferLike>()))
}

/**
 * Runs a user's function that decides on a write. A write of the same map from inside it, by any map object of this
 * thread, is refused at once. If it was let through, the decision could be repeated for ever, or wait for a key that
 * its own thread holds; and code that works while no other thread writes would fail once one does.
 */
export function deciding<T>(engine: Engine, decide: () => T): T {
  const memory = engine.words.buffer
  guardedMaps().add(memory)
  try {
    return decide()
  } finally {
    guardedMaps().delete(memory)
  }
}

/** Returns whether a function that decides on a write of the map runs now. */
export function isDeciding(engine: Engine): boolean {
  const maps = guardedMaps()
  return maps.size > 0 && maps.has(engine.words.buffer)
}

/** @throws MapsafeError `ERR_MAPSAFE_REENTRANT` inside {@link deciding} */
export function refuseReentry(engine: Engine): void {
  if (!isDeciding(engine)) return
  throw new MapsafeError(
    'ERR_MAPSAFE_REENTRANT',
    'A function that update, compareAndSwap, compareAndDelete or deleteWhere calls must not write to the map, ' +
      'nor take a snapshot of it or repair it. Let it compute and return, and do that afterwards.',
  )
}
