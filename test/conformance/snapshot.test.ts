import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { Key } from '../../src/index.js'
import { describeEachLineup } from '../support/subject.js'
import { storableValues } from '../support/values.js'

describeEachLineup(
  (subject) => {
    test('of an empty map is empty', () => {
      const snapshot = subject().map.snapshot()
      expect(snapshot.size).toBe(0)
      expect([...snapshot]).toEqual([])
    })

    test('has every entry, and keeps them while the map changes and is cleared', () => {
      const model = new Map<Key, unknown>()
      for (let i = 0; i < 5000; i++) model.set(i % 2 === 0 ? i : `key-${i}`, i % 3 === 0 ? { i } : 'v'.repeat(i % 50))
      subject().map.setMany(model)
      const snapshots = subject().maps.map((map) => map.snapshot())
      for (let i = 0; i < 5000; i++) subject().map.set(i, 'changed')
      for (let i = 0; i < 20_000; i++) subject().map.set(`more-${i}`, i)
      const expectOld = (): void => {
        for (const snapshot of snapshots) {
          expect(snapshot.size).toBe(5000)
          expect(new Map(snapshot)).toEqual(model)
          expect(new Set(snapshot.keys())).toEqual(new Set(model.keys()))
          expect([...snapshot.values()]).toEqual([...snapshot.entries()].map(([, value]) => value))
          // Again, since entries are decoded each time.
          expect([...snapshot.keys()]).toHaveLength(5000)
        }
      }
      expectOld()
      subject().map.clear()
      expectOld()
      expect(subject().map.snapshot().size).toBe(0)
    })

    test('has values of every kind, frozen as a read returns them', () => {
      const values = storableValues()
      subject().map.setMany(Object.entries(values))
      for (const map of subject().maps) {
        const snapshot = new Map(map.snapshot())
        expect(snapshot.size).toBe(Object.keys(values).length)
        for (const name of Object.keys(values)) {
          expect(isDeepStrictEqual(snapshot.get(name), map.get(name)), name).toBe(true)
          expect(Object.isFrozen(snapshot.get(name)), name).toBe(Object.isFrozen(map.get(name)))
        }
      }
    })

    test('has keys of every type', () => {
      const keys = ['', 'a', '\u00ff', '\u2603\ud800', 0, -1.5, NaN, Infinity, 0n, -(10n ** 50n), true, false]
      subject().map.setMany(keys.map((key) => [key, 1]))
      subject().map.set(new Uint8Array([1, 2, 3]), 2)
      for (const map of subject().maps) {
        const snapshot = [...map.snapshot()]
        expect(new Set(snapshot.filter(([, value]) => value === 1).map(([key]) => key))).toEqual(new Set(keys))
        expect(snapshot.find(([, value]) => value === 2)![0]).toEqual(new Uint8Array([1, 2, 3]))
      }
    })

    test('leaves out what is deleted and has large values whole', () => {
      const large = new Uint8Array(3_000_000).map((_, i) => i)
      for (let i = 0; i < 2000; i++) subject().map.set(i, i)
      subject().map.set('large', large).set('wide', '\u2603'.repeat(700_000))
      for (let i = 0; i < 2000; i += 2) subject().map.delete(i)
      const snapshot = new Map(subject().map.snapshot())
      expect(snapshot.size).toBe(1002)
      expect(Buffer.compare(snapshot.get('large') as Uint8Array, large)).toBe(0)
      expect(snapshot.get('wide')).toBe('\u2603'.repeat(700_000))
      for (let i = 0; i < 2000; i++) expect(snapshot.has(i)).toBe(i % 2 === 1)
    })

    test('cannot be taken by a function that decides about a write', () => {
      subject().map.set('key', 1)
      for (const map of subject().maps) {
        subject().expectRefused('ERR_MAPSAFE_REENTRANT', (outer) => outer.update('key', () => map.snapshot().size))
      }
    })

    test('its iterators are those of a Map', () => {
      subject().map.set('key', 1)
      const iterator = subject().map.snapshot().entries()
      expect(iterator[Symbol.iterator]()).toBe(iterator)
      expect(iterator.next()).toEqual({ done: false, value: ['key', 1] })
      expect(iterator.next()).toEqual({ done: true, value: undefined })
      expect(Object.prototype.toString.call(subject().map.snapshot())).toBe('[object Snapshot]')
    })
  },
  { maxBytes: 32 * 2 ** 20 },
)
