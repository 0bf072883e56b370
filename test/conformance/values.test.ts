import { deepStrictEqual } from 'node:assert'
import { describe, expect, test } from 'vitest'
import { storableValues } from '../support/values.js'
import { describeEachLineup } from '../support/subject.js'

describeEachLineup(
  (subject) => {
    describe('a value comes back as structuredClone would copy it:', () => {
      for (const [name, value] of Object.entries(storableValues())) {
        test(name, () => {
          const expected: unknown = structuredClone(value)
          subject().map.set('key', value)
          for (const map of subject().maps) {
            deepStrictEqual(map.get('key'), expected)
            deepStrictEqual(map.getEntry('key')?.value, expected)
            deepStrictEqual([...map.values()], [expected])
          }
          deepStrictEqual(subject().map.swap('key', 'next'), expected)
          deepStrictEqual(subject().map.getOrInsert('other', value), expected)
          deepStrictEqual(subject().map.getOrInsert('other', 'unused'), expected)
          deepStrictEqual(subject().map.take('other'), expected)
          expect(subject().map.get('key')).toBe('next')
        })
      }
    })

    test('a stored undefined, null, false, 0 or empty string is present', () => {
      for (const value of [undefined, null, false, 0, '']) {
        subject().map.set('key', value)
        expect(subject().map.has('key')).toBe(true)
        expect(subject().map.getEntry('key')).toMatchObject({ value })
        expect(subject().map.get('key')).toBe(value)
        expect([...subject().map]).toEqual([['key', value]])
        expect(subject().map.getOrInsert('key', 'unused')).toBe(value)
        expect(subject().map.setIfAbsent('key', 'unused')).toBe(false)
        expect(subject().map.delete('key')).toBe(true)
      }
    })

    test('objects are frozen throughout, since readers may share them', () => {
      subject().map.set('key', { list: [{ deep: 1 }] })
      const one = subject().map.get('key') as { list: object[] }
      expect(Object.isFrozen(one) && Object.isFrozen(one.list) && Object.isFrozen(one.list[0])).toBe(true)
      expect(() => one.list.push({})).toThrow(TypeError)
    })

    test('values of every size around the size classes keep their bytes', () => {
      for (let size = 0; size < 1200; size += 7) {
        const text = String.fromCharCode(97 + (size % 26)).repeat(size)
        subject().map.set('text', text).set('bytes', new Uint8Array(size).fill(size))
        subject().skipTurn()
        expect(subject().map.get('text')).toBe(text)
        deepStrictEqual(subject().map.get('bytes'), new Uint8Array(size).fill(size))
      }
    })

    test('an overwrite may change kind and size in any order', () => {
      const values = Object.values(storableValues())
      for (let step = 0; step < values.length; step++) {
        const value = values[(step * 37) % values.length]
        subject().map.set('key', value)
        deepStrictEqual(subject().map.get('key'), structuredClone(value))
      }
      expect(subject().map.size).toBe(1)
    })
  },
  { maxBytes: 32 * 2 ** 20 },
)

describeEachLineup(
  (subject) => {
    test('freeze: false hands out objects that may be changed, without effect on the map', () => {
      subject().map.set('key', { list: [1] })
      const copy = subject().map.get('key') as { list: number[] }
      copy.list.push(2)
      expect(subject().map.get('key')).toEqual({ list: [1] })
      expect(copy).toEqual({ list: [1, 2] })
    })
  },
  { freeze: false },
)
