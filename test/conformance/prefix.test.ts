import { expect, test } from 'vitest'
import { storeOf } from '../../src/public/concurrent-map.js'
import type { ConcurrentMap, Key, KeyScanResult, ScanResult } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'

type AnyMap = ConcurrentMap<Key, unknown>

/** Counts the values that the engines of a map hand over or copy while `run` runs. */
function valuesReadBy(map: AnyMap, run: () => void): number {
  const engine = storeOf(map).open() as unknown as Record<string, (...given: unknown[]) => unknown>
  let count = 0
  for (const name of ['get', 'getIfChanged', 'getPassing', 'getForLoad', 'hold', 'getMany']) {
    const own = engine[name]
    Object.defineProperty(engine, name, {
      configurable: true,
      value: (...given: unknown[]) => {
        count++
        return own.apply(engine, given)
      },
    })
  }
  run()
  return count
}

describeEachLineup(
  (subject) => {
    function fill(): Map<Key, unknown> {
      const model = new Map<Key, unknown>()
      for (let i = 0; i < 300; i++) {
        model.set(`user:${i}`, { id: i })
        model.set(`order:${i}`, i)
        model.set(i, `user:${i}`)
      }
      model.set('user', 0).set('', 1).set('a user:1', 3).set('üser:€', 2)
      for (const [key, value] of model) subject().map.set(key, value)
      return model
    }

    test('a scan with a prefix gives the entries whose keys begin with it', () => {
      const model = fill()
      const met: [Key, unknown][] = []
      let cursor: number | undefined
      do {
        const step: ScanResult<Key, unknown> = subject().map.scan(cursor, { prefix: 'user:', count: 50 })
        met.push(...step.entries)
        cursor = step.cursor
      } while (cursor !== undefined)
      const expected = [...model].filter(([key]) => typeof key === 'string' && key.startsWith('user:'))
      expect(met).toHaveLength(expected.length)
      expect(new Map(met)).toEqual(new Map(expected))
      expect(subject().map.scan(undefined, { prefix: 'üser:€', count: 2000 }).entries).toEqual([['üser:€', 2]])
    })

    test('a scan for keys gives the keys, and reads no value', () => {
      const model = fill()
      for (const map of subject().maps) {
        let step: KeyScanResult<Key> | undefined
        const read = valuesReadBy(map, () => (step = map.scan(undefined, { details: 'keys', count: 2000 })))
        expect(read).toBe(0)
        expect(new Set(step!.keys)).toEqual(new Set(model.keys()))
        expect(step!.cursor).toBeUndefined()
        const { keys } = map.scan(undefined, { details: 'keys', prefix: 'order:', count: 2000 })
        expect(new Set(keys)).toEqual(new Set([...Array(300).keys()].map((i) => `order:${i}`)))
      }
    })

    test('a deletion by keys deletes those that are meant, and reads no value', async () => {
      const model = fill()
      const [map, other = map] = subject().maps
      let deleted = 0
      expect(valuesReadBy(map, () => (deleted = map.deleteWhere({ prefix: 'user:' })))).toBe(0)
      expect(deleted).toBe(300)
      expect(await other.deleteWhereAsync({ prefix: 'order:', key: (key) => String(key).endsWith('7') })).toBe(30)
      expect(map.deleteWhere({ key: (key) => typeof key === 'number' })).toBe(300)
      for (const key of model.keys()) {
        const isGone = typeof key === 'number' || /^user:|^order:.*7$/.test(key as string)
        if (isGone) model.delete(key)
      }
      expect(new Map(subject().content())).toEqual(model)
      expect(map.size).toBe(model.size)
    })

    test('an error of the test passes through, and what was deleted before stays so', () => {
      fill()
      const { map } = subject()
      let calls = 0
      const key = (): boolean => {
        if (++calls > 10) throw new Error('mine')
        return true
      }
      expect(() => map.deleteWhere({ key })).toThrow('mine')
      expect(map.size).toBe(894)
      expect(() => map.deleteWhere({ key: (each) => map.delete(each) })).toThrow(
        expect.objectContaining({ code: 'ERR_MAPSAFE_REENTRANT' }) as Error,
      )
      expect(map.size).toBe(894)
    })

    const wrong: unknown[] = [
      ...[{}, [], null, { prefix: '' }, { prefix: 5 }, { prefix: null }, { key: 'text' }, { prefixes: 'a' }],
      ...[{ key: async () => Promise.resolve(true) }],
    ]
    test.each(wrong)('%o is no choice of keys', async (choice) => {
      subject().map.set('key', 1)
      subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.deleteWhere(choice as object))
      await expect(subject().map.deleteWhereAsync(choice as object)).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error,
      )
      expect(subject().content()).toEqual([['key', 1]])
    })

    test.each(['', 5, null, ['a']])('%o is no prefix of a scan', (prefix) => {
      subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.scan(0, { prefix: prefix as string }))
    })
  },
  { nearCache: false },
)
