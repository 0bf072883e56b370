import type { Model } from './checker.js'
import { keysModel, type KeyState, type MapCall } from './map-model.js'

/** The invalidation of the tag, or the clear of the namespace, that all keys of a history belong to. */
export interface EndCall {
  readonly name: 'end'
  /** One of the keys. */
  readonly key: number
}

/** The keys of one group: `first` and the `count - 1` after it. Its end takes all their entries away in one step. */
export function groupModel(first: number, count: number): Model<readonly KeyState[], MapCall | EndCall> {
  const keys = keysModel(first, count)
  return {
    ...keys,
    step(states, call) {
      if (call.name !== 'end') return keys.step(states, call)
      return states.map(({ value, version, isExact }) => {
        return value === undefined ? { value, version, isExact } : { value: undefined, version, isExact: false }
      })
    },
  }
}
