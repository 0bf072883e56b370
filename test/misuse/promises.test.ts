import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Key, ConcurrentMap } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

// Functions whose result is needed at once, and that return a promise of it.

/** Has a method `then` on its prototype, as the queries of database packages do. */
class Query {
  rows = []
  then(resolve: (rows: unknown) => void): void {
    resolve(this.rows)
  }
}

const results: [string, () => unknown][] = [
  ['an async function', async () => Promise.resolve(true)],
  ['an async function that fails', async () => Promise.reject(new Error('later'))],
  ['a promise', () => new Promise(() => undefined)],
  ['a promise of a subclass', () => class Own extends Promise<number> {}.resolve(1)],
  ['an object with then', () => ({ then: () => undefined })],
  ['a query', () => new Query()],
]

describeEachLineup((subject) => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeEach(() => {
    unhandled.length = 0
    process.on('unhandledRejection', note)
  })
  afterEach(async () => {
    await sleep(0)
    process.off('unhandledRejection', note)
    expect(unhandled, 'the refusal says it all').toEqual([])
  })

  describe.each(results)('%s', (_name, compute) => {
    test('is no value for update, on which the message says what to do', () => {
      subject().map.set('key', 1)
      for (const key of ['key', 'absent']) {
        const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.update(key, compute))
        expect(error).toBeInstanceOf(TypeError)
        expect(error.message).toMatch(/^The function given to update returned a promise; .*getEntry.*setIfVersion/)
      }
    })

    test('is no value for getOrInsertComputed, on which the message names getOrLoad', () => {
      const error = subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.getOrInsertComputed('key', compute))
      expect(error.message).toMatch(/^The function given to getOrInsertComputed returned a promise; .*getOrLoad/)
    })

    test('is no decision for deleteWhereAsync either', async () => {
      for (const map of subject().maps) {
        map.set('a', 1)
        await expect(map.deleteWhereAsync(compute as never)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
        expect(map.has('a')).toBe(true)
      }
    })

    test('is no decision for deleteWhere: nothing is deleted', () => {
      subject().map.set('a', 1).set('b', 2)
      const error = subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.deleteWhere(compute as never))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toMatch(/^The function given to deleteWhere returned a promise; expected true or false/)
    })
  })

  test('data that is called then is a value like any other, and its getters run once', () => {
    let looks = 0
    const values: [string, () => unknown][] = [
      ['text', () => ({ then: 'soon' })],
      ['absent', () => ({ then: undefined })],
      [
        'getter',
        () => ({
          get then() {
            return ++looks
          },
        }),
      ],
    ]
    for (const [key, compute] of values) {
      for (const map of subject().maps) {
        map.delete(key)
        looks = 0
        expect(map.update(key, compute)).toEqual(key === 'getter' ? { then: 1 } : compute())
      }
    }
  })

  test('truthy and falsy are decisions, as before', () => {
    const fill = (map: ConcurrentMap<Key, unknown>): unknown => map.set('a', 1).set('b', '').set('c', { d: 1 })
    fill(subject().map)
    expect(subject().map.deleteWhere(((value: unknown) => value) as never)).toBe(2)
    expect([...subject().map.keys()]).toEqual(['b'])
  })
})
