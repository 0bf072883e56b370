import { expect, test } from 'vitest'
import { describeEachLineup } from '../support/subject.js'

const COUNT = 5000

describeEachLineup(
  (subject) => {
    function fill(count = COUNT): Map<string, number> {
      const model = new Map<string, number>()
      for (let i = 0; i < count; i++) {
        model.set(`key-${i}`, i)
        subject().map.set(`key-${i}`, i)
      }
      return model
    }

    test('keys, values, entries and forEach meet every entry once', () => {
      const model = fill()
      const keys = [...subject().map.keys()] as string[]
      expect(keys).toHaveLength(COUNT)
      expect(new Set(keys)).toEqual(new Set(model.keys()))
      expect([...subject().map.values()].sort((a, b) => Number(a) - Number(b))).toEqual([...model.values()])
      expect(new Map(subject().map.entries())).toEqual(model)
      expect(new Map(subject().map)).toEqual(model)

      const { map } = subject()
      const receiver = {}
      const met = new Map<unknown, unknown>()
      map.forEach(function (this: unknown, value, key, owner) {
        expect(this).toBe(receiver)
        expect(owner).toBe(map)
        met.set(key, value)
      }, receiver)
      expect(met).toEqual(model)
    })

    test('both engines iterate in the same order', () => {
      fill(500)
      const orders = subject().maps.map((map) => [...map.keys()])
      for (const order of orders) expect(order).toEqual(orders[0])
    })

    test('every entry can be deleted while iterating', () => {
      fill()
      let met = 0
      for (const key of subject().map.keys()) {
        expect(subject().map.delete(key)).toBe(true)
        met++
      }
      expect(met).toBe(COUNT)
      expect(subject().map.size).toBe(0)
    })

    test('a key deleted before its turn is not met', () => {
      fill(1000)
      const met: unknown[] = []
      for (const key of subject().map.keys()) {
        if (met.length === 0) {
          for (const other of subject().map.keys()) if (other !== key) subject().map.delete(other)
        }
        met.push(key)
      }
      expect(met).toHaveLength(1)
    })

    test('a value is the one of the instant in which it is reached', () => {
      fill(1000)
      const entries = subject().map.entries()
      entries.next()
      for (const key of subject().map.keys()) subject().map.set(key, 'late')
      for (const [, value] of entries) expect(value).toBe('late')
    })

    test('keys there throughout are met exactly once while the map grows fourfold', () => {
      const model = fill()
      const met = new Map<unknown, number>()
      let added = 0
      for (const [key, value] of subject().map) {
        if (model.has(key as string)) met.set(key, (met.get(key) ?? 0) + 1)
        if (added < 3 * COUNT) {
          for (let i = 0; i < 6; i++) subject().map.set(`new-${added++}`, value)
        }
      }
      expect(met.size).toBe(COUNT)
      expect(new Set(met.values())).toEqual(new Set([1]))
    })

    test('iterators are lazy, can be left early, and have the helpers of every iterator', () => {
      fill(100)
      const iterator = subject().map.keys()
      expect(iterator[Symbol.iterator]()).toBe(iterator)
      expect(iterator.next().done).toBe(false)
      subject().map.clear()
      expect(iterator.next()).toEqual({ done: true, value: undefined })

      fill(100)
      for (const key of subject().map.keys()) {
        expect(subject().map.has(key)).toBe(true)
        break
      }
    })

    test('iterators inherit from what every iterator inherits from, and so have its helpers', () => {
      const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(new Map().keys()) as object) as object
      fill(100)
      for (const map of subject().maps) {
        const snapshot = map.snapshot()
        const iterators = [
          ...[map, snapshot].flatMap((each) => [each.keys(), each.values(), each.entries(), each[Symbol.iterator]()]),
          snapshot.details(),
        ]
        for (const iterator of iterators) {
          expect(Object.prototype.isPrototypeOf.call(iteratorPrototype, iterator)).toBe(true)
          // Node.js 20 has no helpers.
          const { take } = iteratorPrototype as { take?: (count: number) => Iterable<unknown> }
          if (take !== undefined) {
            expect([...Reflect.apply(take, iterator, [7])]).toHaveLength(7)
            expect(iterator.next()).toEqual({ done: true, value: undefined })
          }
        }
      }
    })

    test('an iterator that was left holds nothing: whoever takes all of the map gets it', () => {
      fill(1000)
      const left = subject().maps.flatMap((map) => [map.keys(), map.entries(), map.values(), map[Symbol.iterator]()])
      for (const iterator of left) iterator.next()
      for (const map of subject().maps) {
        // A snapshot takes every mutex and every bucket at once, and a clear restructures each segment.
        expect(map.snapshot().size).toBe(1000)
        expect(map.verify().problems).toEqual([])
      }
      subject().map.clear()
      fill(1000)
      expect(subject().map.size).toBe(1000)
      for (const iterator of left) iterator.return?.()
    })

    test('keys longer than the scratch buffer are met', () => {
      const long = ['a', 'b', 'c'].map((letter) => letter.repeat(500_000))
      for (const key of long) subject().map.set(key, key.length)
      for (const map of subject().maps) expect(new Set(map.keys())).toEqual(new Set(long))
    })
  },
  { maxBytes: 32 * 2 ** 20 },
)
