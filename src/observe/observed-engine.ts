import { DONE, RESULT_STATUS, type Engine } from '../engine/engine.js'
import type { Key } from '../format/key.js'

/** Is told of the writes of an engine. */
export interface WriteObserver {
  /** A write of `key` was done. */
  wrote(key: Key): void
  /** A value was stored, given by the arguments of `Engine.put`. */
  stored(key: Key, kind: number, operand: unknown): void
  /** All keys were deleted. */
  cleared(): void
}

type Method<Arguments extends unknown[]> = (this: Engine, ...given: Arguments) => unknown

/**
 * Tells `observer` of every write that goes through `engine`, whichever part of the library makes it: methods of this
 * one object take the place of its class's, so that engines without an observer pay nothing.
 */
export function observeWrites(engine: Engine, observer: WriteObserver): void {
  /** Tells after a method by which keys were written. */
  const tell = <Arguments extends unknown[]>(
    name: keyof Engine,
    method: Method<Arguments>,
    keysOf: (given: Arguments) => Iterable<Key>,
  ): void => {
    const value = function (...given: Arguments): unknown {
      const returned = method.apply(engine, given)
      for (const key of keysOf(given)) observer.wrote(key)
      return returned
    }
    Object.defineProperty(engine, name, { value, configurable: true })
  }
  const ifDone = ([key]: readonly [Key, ...unknown[]]): readonly Key[] =>
    engine.result[RESULT_STATUS] === DONE ? [key] : []
  const ifStored = (given: readonly [Key, number, unknown, ...unknown[]]): readonly Key[] => {
    const done = ifDone(given)
    for (const key of done) observer.stored(key, given[1], given[2])
    return done
  }
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the engine
  const { put, remove, increment, putHeld, removeHeld, putMany, removeMany, clear } = engine
  tell('put', put, ifStored)
  tell('remove', remove, ifDone)
  tell('increment', increment, ifDone)
  tell('putHeld', putHeld, ifStored)
  // Its key may also have expired meanwhile.
  tell('removeHeld', removeHeld, ([key]) => [key])
  // Some may be written even if one fails.
  tell('putMany', putMany, ([keys, , , from, to]) => keys.slice(from, to))
  tell('removeMany', removeMany, ([keys]) => keys)
  const clearAll = (...given: Parameters<Engine['clear']>): number => {
    observer.cleared()
    return clear.apply(engine, given)
  }
  Object.defineProperty(engine, 'clear', { value: clearAll, configurable: true })
}
