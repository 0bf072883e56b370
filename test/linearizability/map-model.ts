import type { Model, Operation } from './checker.js'

/** A call on one key, with what it returned. Values are numbers. An `undefined` that was returned means "no entry". */
export type MapCall = { readonly key: number } & (
  | { readonly name: 'get' | 'take'; readonly result: number | undefined }
  | { readonly name: 'has' | 'delete'; readonly result: boolean }
  | { readonly name: 'getEntry'; readonly result: { readonly value: number; readonly version: number } | undefined }
  | { readonly name: 'set'; readonly value: number }
  | { readonly name: 'setIfAbsent' | 'replace'; readonly value: number; readonly result: boolean }
  | { readonly name: 'getOrInsert' | 'getOrInsertComputed'; readonly value: number; readonly result: number }
  | { readonly name: 'swap'; readonly value: number; readonly result: number | undefined }
  | { readonly name: 'setIfVersion'; readonly value: number; readonly version: number; readonly result: boolean }
  | { readonly name: 'deleteIfVersion'; readonly version: number; readonly result: boolean }
  | { readonly name: 'compareAndSwap'; readonly expected: number; readonly value: number; readonly result: boolean }
  | { readonly name: 'compareAndDelete'; readonly expected: number; readonly result: boolean }
  | { readonly name: 'increment' | 'update'; readonly by: number; readonly result: number }
  | { readonly name: 'updateToDelete'; readonly by: number; readonly result: number | undefined }
  | { readonly name: 'incrementIfPresent'; readonly by: number; readonly result: number | undefined }
  | { readonly name: 'incrementEntry'; readonly by: number; readonly result: { value: number; version: number } }
)

/** What is known of one key. */
export interface KeyState {
  /** Undefined: no entry. */
  readonly value: number | undefined
  /** The version of the entry if `isExact`. Else a version of an earlier one, and so lower than that of this one. */
  readonly version: number
  readonly isExact: boolean
}

/**
 * One key of a map. Keys are independent, so a history of a map is linearizable if that of each key is (Herlihy and
 * Wing's locality theorem), and checking key by key is much faster.
 */
export const keyModel: Model<KeyState, MapCall> = {
  initial: { value: undefined, version: 0, isExact: false },

  step(state, call) {
    const { value } = state
    const isPresent = value !== undefined
    switch (call.name) {
      case 'get':
        return call.result === value ? state : undefined
      case 'has':
        return call.result === isPresent ? state : undefined
      case 'getEntry':
        if (call.result === undefined) return isPresent ? undefined : state
        return call.result.value === value ? withVersion(state, call.result.version) : undefined
      case 'set':
        return written(state, call.value)
      case 'setIfAbsent':
        if (call.result === isPresent) return undefined
        return call.result ? written(state, call.value) : state
      case 'replace':
        if (call.result !== isPresent) return undefined
        return call.result ? written(state, call.value) : state
      case 'getOrInsert':
      case 'getOrInsertComputed':
        if (call.result !== (value ?? call.value)) return undefined
        return isPresent ? state : written(state, call.value)
      case 'swap':
        return call.result === value ? written(state, call.value) : undefined
      case 'delete':
        if (call.result !== isPresent) return undefined
        return call.result ? written(state, undefined) : state
      case 'take':
        if (call.result !== value) return undefined
        return isPresent ? written(state, undefined) : state
      case 'setIfVersion':
        return conditional(state, call.version, call.value, call.result)
      case 'deleteIfVersion':
        // Here 0 is the version of no entry, so nothing is ever deleted.
        if (call.version === 0) return call.result ? undefined : state
        return conditional(state, call.version, undefined, call.result)
      case 'compareAndSwap':
        if (call.result !== (value === call.expected)) return undefined
        return call.result ? written(state, call.value) : state
      case 'compareAndDelete':
        if (call.result !== (value === call.expected)) return undefined
        return call.result ? written(state, undefined) : state
      case 'increment':
      case 'update':
        return call.result === (value ?? 0) + call.by ? written(state, call.result) : undefined
      case 'updateToDelete':
        if (value !== undefined && value % 2 === 1)
          return call.result === undefined ? written(state, undefined) : undefined
        return call.result === (value ?? 0) + call.by ? written(state, call.result) : undefined
      case 'incrementIfPresent':
        if (call.result === undefined) return isPresent ? undefined : state
        return isPresent && call.result === value + call.by ? written(state, call.result) : undefined
      case 'incrementEntry':
        if (call.result.value !== (value ?? 0) + call.by) return undefined
        return withVersion(written(state, call.result.value), call.result.version)
    }
  },

  fingerprint({ value, version, isExact }) {
    return `${value ?? '-'} ${version} ${isExact}`
  },
}

function written({ version }: KeyState, value: number | undefined): KeyState {
  return { value, version, isExact: false }
}

/** The state, now that the version of its entry is known; undefined if it cannot be that one. */
export function withVersion(state: KeyState, version: number): KeyState | undefined {
  const isPossible = state.isExact ? version === state.version : version > state.version
  return isPossible ? { value: state.value, version, isExact: true } : undefined
}

/** A write on condition of a version, where 0 asks for there being no entry. */
function conditional(
  state: KeyState,
  version: number,
  value: number | undefined,
  isDone: boolean,
): KeyState | undefined {
  const isPresent = state.value !== undefined
  const met = version === 0 || !isPresent ? undefined : withVersion(state, version)
  const mayHold = version === 0 ? !isPresent : met !== undefined
  if (isDone) return mayHold ? written(met ?? state, value) : undefined
  // An entry whose version nobody was told may have any other.
  const mustHold = version === 0 ? !isPresent : mayHold && state.isExact
  return mustHold ? undefined : state
}

/** The parts of a history that concern `keys` keys each: the first ones, the next ones, and so on. */
export function historiesOf<Call extends { readonly key: number }>(
  keys: number,
  history: readonly Operation<Call>[],
): Operation<Call>[][] {
  const parts = new Map<number, Operation<Call>[]>()
  for (const operation of history) {
    const part = Math.floor(operation.call.key / keys)
    const operations = parts.get(part)
    if (operations === undefined) parts.set(part, [operation])
    else operations.push(operation)
  }
  return [...parts.values()]
}

/**
 * A snapshot, as far as it concerns the keys of a history: the value of each, in order; undefined for one without
 * entry.
 */
export interface SnapshotCall {
  readonly name: 'snapshot'
  /** The first of the keys. */
  readonly key: number
  readonly values: readonly (number | undefined)[]
}

/**
 * Some keys together, `first` and the `count - 1` after it: for histories with snapshots, which tie all keys together.
 */
export function keysModel(first: number, count: number): Model<readonly KeyState[], MapCall | SnapshotCall> {
  return {
    initial: Array.from({ length: count }, () => keyModel.initial),

    step(states, call) {
      if (call.name === 'snapshot') {
        return states.every(({ value }, i) => value === call.values[i]) ? states : undefined
      }
      const next = keyModel.step(states[call.key - first], call)
      return next === undefined ? undefined : states.with(call.key - first, next)
    },

    fingerprint: (states) => states.map((state) => keyModel.fingerprint(state)).join(', '),
  }
}
