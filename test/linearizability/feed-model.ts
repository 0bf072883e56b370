import type { Model } from './checker.js'
import { keyModel, withVersion, type KeyState, type MapCall } from './map-model.js'

/**
 * What the change feed told of a key: between the two stamps somebody was told; or he had been told all, and that was the
 * last of the key.
 */
export interface ToldCall {
  readonly name: 'told' | 'settled'
  readonly key: number
  readonly type: 'set' | 'deleted'
  readonly version: number
}

export type FeedCall = MapCall | ToldCall

/**
 * One key of a map, and what is told of it. A change that is told has taken effect: so the entry there, if any, is that one
 * or a later one. What was told last is what is there at the end.
 */
export const feedModel: Model<KeyState, FeedCall> = {
  initial: keyModel.initial,
  step(state, call) {
    if (!isTold(call)) return keyModel.step(state, call)
    return call.name === 'told' ? told(state, call) : settled(state, call)
  },
  fingerprint: (state) => keyModel.fingerprint(state),
}

function isTold(call: FeedCall): call is ToldCall {
  return call.name === 'told' || call.name === 'settled'
}

function told(state: KeyState, { type, version }: ToldCall): KeyState | undefined {
  // The lowest that the version of an entry there can be, less 1.
  const before = type === 'set' && state.value !== undefined ? version - 1 : version
  if (state.isExact) return state.version > before ? state : undefined
  return { ...state, version: Math.max(state.version, before) }
}

function settled(state: KeyState, { type, version }: ToldCall): KeyState | undefined {
  if (type === 'deleted') return state.value === undefined ? state : undefined
  return state.value === undefined ? undefined : withVersion(state, version)
}
