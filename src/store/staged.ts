import type { Engine } from '../engine/engine.js'

/** An encoded value that {@link Store.put} stores. */
export interface Staged {
  /** The arguments of `Engine.put`. */
  readonly kind: number
  readonly operand: unknown
  /** Puts the bytes of the value, if it has any, at the start of the engine's scratch buffer. */
  stage(engine: Engine): void
}
