import type { Model, Operation } from './checker.js'

/** A call on one key of a cache, or the end of an entry's time. */
export type TtlCall = { readonly key: number } & (
  | { readonly name: 'set'; readonly value: number; readonly ttl: number }
  | { readonly name: 'setIfAbsent'; readonly value: number; readonly ttl: number; readonly result: boolean }
  | { readonly name: 'touch'; readonly mark: number; readonly ttl: number; readonly result: boolean }
  | {
      readonly name: 'increment'
      readonly mark: number
      readonly ttl: number
      readonly ifPresent: boolean
      readonly renew: boolean
      readonly result: number | undefined
    }
  | { readonly name: 'get'; readonly result: number | undefined }
  | { readonly name: 'has' | 'delete'; readonly result: boolean }
  | { readonly name: 'expire'; readonly mark: number }
)

export interface TtlState {
  readonly value: number | undefined
  /** Which write gave the entry its expiry: the value of a set, the mark of a touch or an increment. */
  readonly mark: number
}

const ABSENT: TtlState = { value: undefined, mark: 0 }

/** One key of a cache: an expiry is a step of its own, which takes away the entry that it belongs to. */
export const ttlModel: Model<TtlState, TtlCall> = {
  initial: ABSENT,

  step(state, call) {
    const isPresent = state.value !== undefined
    switch (call.name) {
      case 'get':
        return call.result === state.value ? state : undefined
      case 'has':
        return call.result === isPresent ? state : undefined
      case 'set':
        return { value: call.value, mark: call.value }
      case 'setIfAbsent':
        if (call.result === isPresent) return undefined
        return call.result ? { value: call.value, mark: call.value } : state
      case 'touch':
        if (call.result !== isPresent) return undefined
        return call.result ? { value: state.value, mark: call.mark + 1 } : state
      case 'increment':
        if (state.value === undefined && call.ifPresent) return call.result === undefined ? state : undefined
        if (call.result !== (state.value ?? 0) + 1) return undefined
        return { value: call.result, mark: isPresent && !call.renew ? state.mark : call.mark + 1 }
      case 'delete':
        return call.result === isPresent ? ABSENT : undefined
      case 'expire':
        return state.mark === call.mark ? ABSENT : state
    }
  },

  fingerprint: ({ value, mark }) => `${value ?? '-'} ${mark}`,
}

/** A region's time is a double of some 10^12 milliseconds: what it is rounded by, several times over. */
const AGREEMENT = 0.001

/**
 * The histories of the single keys. Each write that gave an entry a lifetime is followed by the expiry that it causes:
 * the write took its time from the clock between its call and its return, so the expiry lies between these, one
 * lifetime later.
 */
export function ttlHistories(history: readonly Operation<TtlCall>[]): Operation<TtlCall>[][] {
  const parts = new Map<number, Operation<TtlCall>[]>()
  for (const { worker, invoked, returned, call } of history) {
    const part = parts.get(call.key) ?? []
    parts.set(call.key, part)
    part.push({ worker, invoked: invoked - AGREEMENT, returned: returned + AGREEMENT, call })
    const mark = markOf(call)
    if (mark === undefined || !('ttl' in call)) continue
    const expire: TtlCall = { key: call.key, name: 'expire', mark }
    const [from, to] = [invoked + call.ttl - AGREEMENT, returned + call.ttl + AGREEMENT]
    part.push({ worker: -1, invoked: from, returned: to, call: expire })
  }
  return [...parts.values()].map(withDistinctStamps)
}

function markOf(call: TtlCall): number | undefined {
  if (call.name === 'set') return call.value
  if (call.name === 'setIfAbsent') return call.result ? call.value : undefined
  if (call.name === 'increment') return call.result === undefined ? undefined : call.mark + 1
  return call.name === 'touch' && call.result ? call.mark + 1 : undefined
}

/** Ranks in place of times; of equal times, invocations come first, so that nothing seems ordered that was not. */
function withDistinctStamps(operations: readonly Operation<TtlCall>[]): Operation<TtlCall>[] {
  const events = operations.flatMap(({ invoked, returned }, i) => [
    { at: invoked, end: 0, i },
    { at: returned, end: 1, i },
  ])
  events.sort((a, b) => a.at - b.at || a.end - b.end)
  const ranks = operations.map(() => [0, 0])
  for (const [rank, { end, i }] of events.entries()) ranks[i][end] = rank
  return operations.map((operation, i) => ({ ...operation, invoked: ranks[i][0], returned: ranks[i][1] }))
}
