import { describe, expect, test, vi } from 'vitest'
import { ConcurrentMap, type ConcurrentMapOptions, type Key } from '../../src/index.js'
import { DONE, PUT_ALWAYS, RESULT_STATUS } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { VALUE_NUMBER } from '../../src/format/layout.js'
import { FairClock } from '../support/fair-clock.js'
import { describeEachLineup } from '../support/subject.js'

const reentrant = expect.objectContaining({ code: 'ERR_MAPSAFE_REENTRANT' }) as Error

const nearCaches: [string, ConcurrentMapOptions['nearCache']][] = [
  ['with a near-cache', undefined],
  ['without a near-cache', false],
]

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

describe.each(nearCaches)('%s', (_name, nearCache) => {
  describeEachLineup(
    (subject) => {
      test('getOrInsertComputed computes once, and only if there is no entry', () => {
        const compute = vi.fn((key: Key) => ({ of: key }))
        const inserted = subject().map.getOrInsertComputed('key', compute)
        expect(inserted).toEqual({ of: 'key' })
        expect(Object.isFrozen(inserted)).toBe(true)
        expect(subject().map.getOrInsertComputed('key', compute)).toEqual({ of: 'key' })
        expect(subject().map.getOrInsertComputed('key', compute)).toEqual({ of: 'key' })
        expect(compute.mock.calls).toEqual([['key']])
        subject().map.set('undefined', undefined)
        expect(subject().map.getOrInsertComputed('undefined', () => 1)).toBeUndefined()
      })

      test('getOrInsertComputed passes the key as the map has it', () => {
        const compute = vi.fn(() => 1)
        subject().map.getOrInsertComputed(-0, compute)
        expect(Object.is((compute.mock.calls as Key[][])[0][0], 0)).toBe(true)
      })

      test('getOrInsertComputed yields to a value that its function inserted', () => {
        for (const map of subject().maps) {
          map.delete('key')
          const found = map.getOrInsertComputed('key', () => {
            map.set('key', 'inner')
            return 'outer'
          })
          expect(found).toBe('inner')
          expect(subject().map.get('key')).toBe('inner')
        }
      })

      test('replace stores only over an entry', () => {
        expect(subject().map.replace('key', 1)).toBe(false)
        expect(subject().map.has('key')).toBe(false)
        subject().map.set('key', undefined)
        expect(subject().map.replace('key', { a: 1 })).toBe(true)
        expect(subject().map.get('key')).toEqual({ a: 1 })
      })

      test.each<[string, unknown, unknown]>([
        ['numbers', 1, 1],
        ['NaN', NaN, NaN],
        ['strings', 'a\u2603', 'a\u2603'],
        ['bigints', 10n ** 30n, 10n ** 30n],
        ['undefined', undefined, undefined],
        ['null', null, null],
        ['objects', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
        ['Maps', new Map([['a', new Set([1])]]), new Map([['a', new Set([1])]])],
        ['dates', new Date(5), new Date(5)],
        ['bytes', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
        ['a Buffer', Buffer.from('ab'), Buffer.from('ab')],
        ['bytes and a Buffer', new Uint8Array([1, 2]), Buffer.from([1, 2])],
        ['instances of a class', new Point(1, 2), new Point(1, 2)],
        ['an object and an instance', { x: 1, y: 2 }, new Point(1, 2)],
        ['instances within', { at: [new Point(1, 2)] }, { at: [new Point(1, 2)] }],
        ['properties in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
        ['no prototype', { a: 1 }, Object.assign(Object.create(null) as object, { a: 1 })],
        ['invalid dates', { at: new Date(NaN) }, { at: new Date(NaN) }],
        ['errors with own properties', new Error('e'), Object.assign(new Error('e'), { ignored: 1 })],
        ['NaN', NaN, NaN],
      ])('compareAndSwap and compareAndDelete go through over an equal value: %s', (_name, stored, expected) => {
        subject().map.set('key', stored)
        expect(subject().map.compareAndSwap('key', expected, 'next')).toBe(true)
        expect(subject().map.get('key')).toBe('next')
        subject().map.set('key', stored)
        expect(subject().map.compareAndDelete('key', expected)).toBe(true)
        expect(subject().map.has('key')).toBe(false)
      })

      test.each<[string, unknown, unknown]>([
        ['0 and -0', 0, -0],
        ['1 and "1"', 1, '1'],
        ['null and undefined', null, undefined],
        ['different contents', { a: 1 }, { a: 2 }],
        ['an object and an array', {}, []],
        ['an object and its text', { a: 1 }, '{"a":1}'],
      ])('compareAndSwap and compareAndDelete do nothing over another value: %s', (_name, stored, expected) => {
        subject().map.set('key', stored)
        const { version } = subject().map.getEntry('key')!
        expect(subject().map.compareAndSwap('key', expected, 'next')).toBe(false)
        expect(subject().map.compareAndDelete('key', expected)).toBe(false)
        expect(subject().map.getEntry('key')).toMatchObject({ value: stored, version })
      })

      test('what cannot be stored is refused as what is expected: nothing would ever be equal to it', () => {
        subject().map.set('key', 1)
        for (const expected of [() => 1, Symbol('s'), { deep: [() => 1] }]) {
          subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.compareAndSwap('key', expected, 2))
          subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.compareAndDelete('key', expected))
        }
      })

      test('a loop that expects what it has read ends', () => {
        for (const value of [
          new Point(1, 2),
          Buffer.from('ab'),
          { at: new Date(NaN) },
          new Map([[NaN, [undefined]]]),
        ]) {
          subject().map.set('key', value)
          expect(subject().map.compareAndSwap('key', subject().map.get('key'), 'next')).toBe(true)
        }
      })

      test('an absent key is equal to nothing', () => {
        expect(subject().map.compareAndSwap('key', undefined, 1)).toBe(false)
        expect(subject().map.compareAndDelete('key', undefined)).toBe(false)
        expect(subject().map.size).toBe(0)
      })

      test('update makes a new value of the old one', () => {
        const seen: unknown[] = []
        const add = (value: unknown): unknown => {
          seen.push(value)
          return { n: ((value as { n: number } | undefined)?.n ?? 0) + 1 }
        }
        const results = [1, 2, 3].map(() => subject().map.update('key', add))
        expect(results).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
        expect(results.every((result) => Object.isFrozen(result))).toBe(true)
        expect(seen).toEqual([undefined, { n: 1 }, { n: 2 }])
        expect(subject().map.get('key')).toEqual({ n: 3 })
        expect(subject().map.update('key', () => undefined)).toBeUndefined()
        expect(subject().map.has('key')).toBe(true)
      })

      test('a function may read the map while it decides', () => {
        subject().map.set('other', 'o')
        const { map } = subject()
        map.set('key', 'k')
        expect(
          map.update('key', (value) => `${String(value)}${String(map.get('other'))}${[...map.keys()].length}`),
        ).toBe('ko2')
      })

      test('a function that throws changes nothing', () => {
        subject().map.set('key', 1)
        const fault = Object.assign(new Error('mine'), { code: 'ERR_MINE' })
        const fail = (): never => {
          throw fault
        }
        for (const action of [
          (map: ConcurrentMap<Key, unknown>): unknown => map.update('key', fail),
          (map: ConcurrentMap<Key, unknown>): unknown => map.update('absent', fail),
          (map: ConcurrentMap<Key, unknown>): unknown => map.getOrInsertComputed('absent', fail),
          (map: ConcurrentMap<Key, unknown>): unknown => map.deleteWhere(fail),
        ]) {
          expect(subject().expectRefused('ERR_MINE', action)).toBe(fault)
        }
        expect(subject().map.update('key', (value) => Number(value) + 1)).toBe(2)
      })

      test('a function that decides about a write is refused every write of the map, at once', () => {
        const { maps } = subject()
        subject().map.set('key', 1).set('other', 1)
        const writes = (map: ConcurrentMap<Key, unknown>): (() => unknown)[] => [
          () => map.set('key', 2),
          () => map.set('other', 2),
          () => map.setIfAbsent('new', 2),
          () => map.replace('key', 2),
          () => map.swap('key', 2),
          () => map.take('key'),
          () => map.delete('key'),
          () => map.increment('key'),
          () => map.getOrInsert('new', 2),
          () => map.update('key', () => 2),
          () => map.compareAndSwap('key', 1, 2),
          () => map.compareAndDelete('key', 1),
          () => map.deleteWhere(() => true),
          () => {
            map.clear()
          },
        ]
        const outer = maps[0]
        for (const inner of maps) {
          for (const write of writes(inner)) {
            const clock = new FairClock()
            subject().expectRefused('ERR_MAPSAFE_REENTRANT', () => outer.update('key', write))
            subject().expectRefused('ERR_MAPSAFE_REENTRANT', () => outer.deleteWhere(() => write() === undefined))
            expect(clock.now()).toBeLessThan(1000)
          }
          const value = {
            get late(): unknown {
              return inner.set('key', 3)
            },
          }
          subject().expectRefused('ERR_MAPSAFE_REENTRANT', () => outer.update('key', () => value))
        }
        // The refusal may be caught: what was decided then counts.
        const update = outer.update('key', () => {
          expect(() => outer.set('key', 3)).toThrow(reentrant)
          return 4
        })
        expect(update).toBe(4)
        expect(subject().map.set('key', 5).get('key')).toBe(5)
      })

      test('another map may be written by a function that decides', () => {
        using other = new ConcurrentMap<string, unknown>()
        const { map } = subject()
        map.set('key', { a: 1 })
        const write = (): unknown => {
          other.set('seen', { b: 2 })
          return { a: 2 }
        }
        expect(map.update('key', write)).toEqual({ a: 2 })
        const expected = {
          get a(): number {
            other.set('seen', { b: 3 })
            return 2
          },
        }
        expect(map.compareAndSwap('key', expected, { a: 3 })).toBe(true)
        expect(map.get('key')).toEqual({ a: 3 })
        expect(other.get('seen')).toEqual({ b: 3 })
      })

      describe('after sixteen lost races', () => {
        /** Writes behind the map's back, as another thread would, until the key is held: then that is refused. */
        function interfere(key: Key): { write: () => boolean; close: () => void } {
          const engine = openEngine(subject().maps[0].handle.region!, 'typescript')
          return {
            write: () => {
              engine.put(key, VALUE_NUMBER, 100, PUT_ALWAYS)
              return engine.result[RESULT_STATUS] === DONE
            },
            close: () => {
              engine.close()
            },
          }
        }

        test('the key is held while the function runs, and the write goes through', () => {
          for (const map of subject().maps) {
            const { write, close } = interfere('key')
            const written: boolean[] = []
            const result = map.update('key', (value) => {
              written.push(write())
              return { was: value }
            })
            expect(result).toEqual({ was: 100 })
            expect(written).toEqual([...new Array<boolean>(16).fill(true), false])
            expect(map.get('key')).toEqual({ was: 100 })
            expect(write()).toBe(true)
            close()
          }
        })

        test('deleteWhere holds the key, too', () => {
          for (const map of subject().maps) {
            map.set('key', 100)
            const { write, close } = interfere('key')
            let asked = 0
            const deleted = map.deleteWhere(() => {
              asked++
              // Held the 17th time: then there is no use in trying.
              if (asked < 17) write()
              return true
            })
            expect([deleted, asked]).toEqual([1, 17])
            expect(map.has('key')).toBe(false)
            close()
          }
        })

        test('a function that throws, writes or closes the map leaves nothing held', () => {
          for (const map of subject().maps) {
            const { write, close } = interfere('key')
            for (const fail of [
              (): unknown => map.set('key', 1),
              (): unknown => map.set('other', 1),
              (): never => {
                throw new Error('mine')
              },
              () => () => 'no value',
            ]) {
              let asked = 0
              expect(() =>
                map.update('key', () => {
                  asked++
                  return asked < 17 ? write() : fail()
                }),
              ).toThrow()
              expect(asked).toBe(17)
              expect(map.get('key')).toBe(100)
              expect(write()).toBe(true)
            }
            const another = subject().attach(map.handle)
            let asked = 0
            expect(() =>
              another.update('key', () => {
                if (++asked < 17) return write()
                another.close()
                return 1
              }),
            ).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error)
            expect(write()).toBe(true)
            close()
          }
        })

        test('a full map makes room by a cleanup, or refuses', ({ skip }) => {
          skip(subject().isCache, 'a cache evicts instead')
          const [map] = subject().maps
          const { write, close } = interfere('key')
          const value = 'v'.repeat(400)
          const fill = (): void => {
            expect(() => {
              for (let i = 0; ; i++) map.set(`fill ${i}`, value)
            }).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_FULL' }) as Error)
          }
          let asked = 0
          const update = (next: unknown): unknown => map.update('key', () => (++asked < 17 ? write() : next))

          write()
          fill()
          // Tombstones, whose blocks only a cleanup gives back.
          for (let i = 0; i < 5; i++) map.delete(`fill ${i}`)
          expect(update(value)).toBe(value)
          expect(asked).toBe(17)

          map.set('key', true)
          fill()
          asked = 0
          expect(() => update('w'.repeat(100_000))).toThrow(
            expect.objectContaining({ code: 'ERR_MAPSAFE_FULL' }) as Error,
          )
          expect(asked).toBe(17)
          expect(map.get('key')).toBe(100)
          expect(write()).toBe(true)
          close()
        })
      })

      test('deleteWhere deletes what the predicate is true of, and counts', () => {
        for (let i = 0; i < 3000; i++) subject().map.set(i, { i })
        const met = new Set<unknown>()
        const deleted = subject().map.deleteWhere((value, key) => {
          met.add(key)
          expect(value).toEqual({ i: key })
          return Number(key) % 3 === 0
        })
        expect(deleted).toBe(1000)
        expect(met.size).toBe(3000)
        expect(subject().map.size).toBe(2000)
        for (const key of subject().map.keys()) expect(Number(key) % 3).not.toBe(0)
        expect(subject().map.deleteWhere(() => false)).toBe(0)
        expect(subject().map.deleteWhere(() => true)).toBe(2000)
        expect(subject().map.size).toBe(0)
      })

      test('what is no function is refused', () => {
        subject().map.set('key', 1)
        for (const given of [undefined, null, 'text', {}, 5]) {
          const f = given as never
          subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.update('key', f))
          subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.getOrInsertComputed('new', f))
          subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.deleteWhere(f))
        }
      })
    },
    { nearCache },
  )
})
