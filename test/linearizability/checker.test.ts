import { describe, expect, test } from 'vitest'
import { checkLinearizable, type Operation } from './checker.js'
import { historiesOf, keyModel, keysModel, type MapCall, type SnapshotCall } from './map-model.js'

type Call = MapCall extends infer C ? (C extends unknown ? Omit<C, 'key'> : never) : never

/** A call of key 0, from one stamp to another. */
function at(worker: number, invoked: number, returned: number, call: Call): Operation<MapCall> {
  return { worker, invoked, returned, call: { key: 0, ...call } }
}

const linearizable: Record<string, Operation<MapCall>[]> = {
  nothing: [],
  'one thread after the other': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(1, 3, 4, { name: 'get', result: 10 }),
    at(0, 5, 6, { name: 'delete', result: true }),
    at(1, 7, 8, { name: 'get', result: undefined }),
  ],
  'a read during a write that sees it, and one that does not': [
    at(0, 1, 8, { name: 'set', value: 10 }),
    at(1, 2, 3, { name: 'get', result: undefined }),
    at(1, 4, 5, { name: 'get', result: 10 }),
  ],
  'two writes at once, read in the order other than that of their invocations': [
    at(0, 1, 6, { name: 'set', value: 10 }),
    at(1, 2, 5, { name: 'set', value: 20 }),
    at(2, 3, 4, { name: 'get', result: 20 }),
    at(2, 7, 8, { name: 'get', result: 10 }),
  ],
  'increments at once': [
    at(0, 1, 6, { name: 'increment', by: 1, result: 2 }),
    at(1, 2, 5, { name: 'increment', by: 1, result: 1 }),
    at(2, 3, 7, { name: 'increment', by: 5, result: 7 }),
  ],
  'a version that is told, used, and then refused': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 4, { name: 'getEntry', result: { value: 10, version: 7 } }),
    at(1, 5, 6, { name: 'getEntry', result: { value: 10, version: 7 } }),
    at(0, 7, 8, { name: 'setIfVersion', value: 20, version: 7, result: true }),
    at(1, 9, 10, { name: 'deleteIfVersion', version: 7, result: false }),
    at(1, 11, 12, { name: 'getEntry', result: { value: 20, version: 8 } }),
  ],
  'values that are compared, replaced and updated': [
    at(0, 1, 2, { name: 'replace', value: 10, result: false }),
    at(0, 3, 4, { name: 'update', by: 10, result: 10 }),
    at(0, 5, 8, { name: 'compareAndSwap', expected: 10, value: 20, result: true }),
    at(1, 6, 7, { name: 'compareAndDelete', expected: 10, result: false }),
    at(1, 9, 10, { name: 'replace', value: 30, result: true }),
    at(1, 11, 12, { name: 'compareAndDelete', expected: 30, result: true }),
    at(0, 13, 14, { name: 'getOrInsertComputed', value: 40, result: 40 }),
  ],
  'version 0, which asks for no entry': [
    at(0, 1, 4, { name: 'setIfVersion', value: 10, version: 0, result: false }),
    at(1, 2, 3, { name: 'setIfVersion', value: 20, version: 0, result: true }),
    at(1, 5, 6, { name: 'deleteIfVersion', version: 0, result: false }),
    at(0, 7, 8, { name: 'swap', value: 30, result: 20 }),
    at(0, 9, 10, { name: 'getOrInsert', value: 40, result: 30 }),
  ],
}

const impossible: Record<string, Operation<MapCall>[]> = {
  'a stale read': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 4, { name: 'set', value: 20 }),
    at(1, 5, 6, { name: 'get', result: 10 }),
  ],
  'a value that comes and goes back': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 8, { name: 'set', value: 20 }),
    at(1, 4, 5, { name: 'get', result: 20 }),
    at(1, 6, 7, { name: 'get', result: 10 }),
  ],
  'a lost update': [
    at(0, 1, 4, { name: 'increment', by: 1, result: 1 }),
    at(1, 2, 5, { name: 'increment', by: 1, result: 2 }),
    at(0, 6, 7, { name: 'get', result: 1 }),
  ],
  'two increments to the same sum': [
    at(0, 1, 3, { name: 'increment', by: 1, result: 1 }),
    at(1, 2, 4, { name: 'increment', by: 1, result: 1 }),
  ],
  'two winners of setIfAbsent': [
    at(0, 1, 4, { name: 'setIfAbsent', value: 10, result: true }),
    at(1, 2, 3, { name: 'setIfAbsent', value: 20, result: true }),
  ],
  'no winner of setIfAbsent': [
    at(0, 1, 4, { name: 'setIfAbsent', value: 10, result: false }),
    at(1, 2, 3, { name: 'setIfAbsent', value: 20, result: false }),
  ],
  'a key that rises from the dead': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(1, 3, 4, { name: 'delete', result: true }),
    at(0, 5, 6, { name: 'has', result: true }),
  ],
  'one entry taken twice': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 6, { name: 'take', result: 10 }),
    at(1, 4, 5, { name: 'take', result: 10 }),
  ],
  'a value that nobody wrote': [at(0, 1, 4, { name: 'set', value: 10 }), at(1, 2, 3, { name: 'get', result: 11 })],
  'a read of the future': [at(1, 1, 2, { name: 'get', result: 10 }), at(0, 3, 4, { name: 'set', value: 10 })],
  'two versions of one write': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 4, { name: 'getEntry', result: { value: 10, version: 7 } }),
    at(1, 5, 6, { name: 'getEntry', result: { value: 10, version: 8 } }),
  ],
  'a version that repeats after a deletion': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 4, { name: 'getEntry', result: { value: 10, version: 7 } }),
    at(0, 5, 6, { name: 'delete', result: true }),
    at(0, 7, 8, { name: 'set', value: 20 }),
    at(0, 9, 10, { name: 'getEntry', result: { value: 20, version: 7 } }),
  ],
  'a condition that held for two': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 4, { name: 'getEntry', result: { value: 10, version: 7 } }),
    at(0, 5, 8, { name: 'setIfVersion', value: 20, version: 7, result: true }),
    at(1, 6, 7, { name: 'setIfVersion', value: 30, version: 7, result: true }),
  ],
  'a condition that was refused without cause': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 4, { name: 'getEntry', result: { value: 10, version: 7 } }),
    at(0, 5, 6, { name: 'deleteIfVersion', version: 7, result: false }),
  ],
  'a comparison that held for two': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 6, { name: 'compareAndSwap', expected: 10, value: 20, result: true }),
    at(1, 4, 5, { name: 'compareAndDelete', expected: 10, result: true }),
  ],
  'an exchange that swallows a value': [
    at(0, 1, 2, { name: 'set', value: 10 }),
    at(0, 3, 6, { name: 'swap', value: 20, result: 10 }),
    at(1, 4, 5, { name: 'swap', value: 30, result: 10 }),
  ],
}

describe('the checker', () => {
  test.each(Object.entries(linearizable))('accepts %s', (_, history) => {
    const { isLinearizable, order } = checkLinearizable(history, keyModel)
    expect(isLinearizable).toBe(true)
    expectOrder(order, history)
  })

  test.each(Object.entries(impossible))('refuses %s', (_, history) => {
    const { isLinearizable, order } = checkLinearizable(history, keyModel)
    expect(isLinearizable).toBe(false)
    expect(order.length).toBeLessThan(history.length)
  })

  test('takes every key for itself', () => {
    const history = [at(0, 1, 4, { name: 'set', value: 10 }), at(1, 2, 3, { name: 'get', result: undefined })]
    const other = history.map(({ call, ...rest }) => ({ ...rest, worker: rest.worker + 2, call: { ...call, key: 1 } }))
    expect(historiesOf(1, [...history, ...other])).toEqual([history, other])
  })

  test('holds snapshots against all keys at once', () => {
    const key = 0
    const call = (worker: number, invoked: number, returned: number, made: MapCall | SnapshotCall) => {
      return { worker, invoked, returned, call: made }
    }
    const writes = [
      call(0, 1, 2, { name: 'set', key, value: 10 }),
      call(0, 3, 6, { name: 'set', key: 1, value: 20 }),
      call(1, 9, 10, { name: 'set', key, value: 30 }),
    ]
    const judge = (invoked: number, ...values: (number | undefined)[]): boolean => {
      const snapshot = call(2, invoked, invoked + 0.5, { name: 'snapshot', key, values })
      return checkLinearizable([...writes, snapshot], keysModel(0, 2)).isLinearizable
    }
    expect(judge(4, 10, 20)).toBe(true)
    expect(judge(4, 10, undefined)).toBe(true)
    expect(judge(4, undefined, 20)).toBe(false)
    expect(judge(7, 10, undefined)).toBe(false)
    expect(judge(7, 30, 20)).toBe(false)
    expect(judge(11, 30, 20)).toBe(true)
    expect(judge(11, 10, 20)).toBe(false)
  })

  // 12 factorial orders, but only 12 * 2^12 pairs of calls done and state.
  test('does not try all orders of calls at once', () => {
    const calls = Array.from({ length: 12 }, (_, i) => at(i, i, 100 + i, { name: 'set', value: i }))
    const read = at(12, 200, 201, { name: 'get', result: -1 })
    expect(checkLinearizable([...calls, read], keyModel).isLinearizable).toBe(false)
  })
})

/** Checks a witness without the search: it has every call once, respects real time, and the model goes through it. */
function expectOrder(order: readonly Operation<MapCall>[], history: readonly Operation<MapCall>[]): void {
  expect(new Set(order)).toEqual(new Set(history))
  expect(order.length).toBe(history.length)
  let state = keyModel.initial
  let latestInvocation = 0
  for (const operation of order) {
    expect(operation.returned).toBeGreaterThan(latestInvocation)
    latestInvocation = Math.max(latestInvocation, operation.invoked)
    state = keyModel.step(state, operation.call)!
    expect(state).toBeDefined()
  }
}
