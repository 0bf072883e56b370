import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type CacheNamespace, type MapNamespace } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { HASH_END, NO_LIMIT } from '../../src/engine/engine.js'
import { nearAndFarLineups } from '../support/run.js'
import { until } from '../support/patience.js'

type AnyMap = ConcurrentMap<string, unknown>
type Users = MapNamespace<unknown>
const MAX_BYTES = 4 * 2 ** 20

/** Deletes what was invalidated, as happens in the background. */
function sweep(map: AnyMap): void {
  const engine = storeOf(map).open()
  for (let from = 0; from < HASH_END;) from = engine.sweep(from, NO_LIMIT)
}

const refusal = (code: string): Error => expect.objectContaining({ code }) as Error

function asCache(map: AnyMap): ConcurrentCache<string, unknown> {
  if (map instanceof ConcurrentCache) return map as ConcurrentCache<string, unknown>
  throw new Error('this is no cache')
}

describe.each(['map', 'cache'])('namespaces of a %s', (kind) => {
  describe.each(nearAndFarLineups)('$name', (lineup) => {
    let one: AnyMap
    let other: AnyMap
    let users: Users
    let usersThere: Users

    beforeEach(() => {
      const options = { maxBytes: MAX_BYTES, engine: lineup.engineOf(0), ...lineup.attach }
      const there = { engine: lineup.engineOf(1), ...lineup.attach }
      if (kind === 'cache') {
        const cache = new ConcurrentCache<string, unknown>(options)
        one = cache
        other = ConcurrentCache.attach(cache.handle, there)
      } else {
        one = new ConcurrentMap<string, unknown>(options)
        other = ConcurrentMap.attach(one.handle, there)
      }
      users = one.namespace('user:')
      usersThere = other.namespace('user:')
    })
    afterEach(() => {
      expect(one.verify()).toEqual({ ok: true, problems: [] })
      expect(other.verify()).toEqual({ ok: true, problems: [] })
      one.close()
      other.close()
    })

    const writing: [string, (space: Users) => unknown, unknown?][] = [
      ['set', (space) => space.set('a', 1) === space, true],
      ['setIfAbsent', (space) => space.setIfAbsent('a', 1), true],
      ['setIfVersion', (space) => space.setIfVersion('a', 1, 0), true],
      [
        'setIfVersion of an entry',
        (space) => space.set('a', 0).setIfVersion('a', 1, space.getEntry('a')!.version),
        true,
      ],
      ['replace', (space) => space.set('a', 0).replace('a', 1), true],
      ['swap', (space) => space.set('a', 0).swap('a', 1), 0],
      ['compareAndSwap', (space) => space.set('a', 0).compareAndSwap('a', 0, 1), true],
      ['getOrInsert', (space) => space.getOrInsert('a', 1), 1],
      ['getOrInsertComputed', (space) => space.getOrInsertComputed('a', (key) => (key === 'a' ? 1 : 2)), 1],
      ['update', (space) => space.update('a', (value) => [value].length), 1],
      ['update of an entry', (space) => space.set('a', 0).update('a', (value) => (value as number) + 1), 1],
      ['increment', (space) => space.increment('a'), 1],
      ['increment twice', (space) => (space.set('a', -1), space.increment('a'), space.increment('a')), 1],
      ['increment with ifPresent', (space) => space.set('a', 0).increment('a', 1, { ifPresent: true }), 1],
      ['incrementEntry', (space) => space.incrementEntry('a').value, 1],
      ['setMany', (space) => space.setMany([['a', 1]]) === space, true],
    ]
    test.each(writing)(
      'what %s wrote is there until the namespace is cleared, and then absent in every way',
      (_, write, result) => {
        one.set('other', 7).set('user;', 8)
        for (const clear of [users, usersThere]) {
          expect(write(usersThere)).toEqual(result)
          const seen = (map: AnyMap): unknown[] => {
            const space: Users = map.namespace('user:')
            return [
              ...[
                space.get('a'),
                space.has('a'),
                space.getEntry('a')?.value,
                space.peek('a'),
                space.peekEntry('a')?.value,
              ],
              ...[space.getMany(['a', 'b']), space.hasMany(['b', 'a']), space.getEntries(['a'])[0]?.value],
              ...[[...space], [...space.keys()], [...space.values()], [...space.entries()]],
              ...[map.get('user:a'), map.has('user:a'), map.scan(0, { prefix: 'user:', details: 'keys' }).keys],
              ...[new Map(map.snapshot()).get('user:a'), map.snapshot().size, [...map.keys()].length],
            ]
          }
          const there = [
            ...[1, true, 1, 1, 1, [1, undefined], [false, true], 1, [['a', 1]], ['a'], [1], [['a', 1]]],
            ...[1, true, ['user:a'], 1, 3, 3],
          ]
          const gone = [
            ...[undefined, false, undefined, undefined, undefined, [undefined, undefined], [false, false], undefined],
            ...[[], [], [], [], undefined, false, [], undefined, 2, 2],
          ]
          for (let i = 0; i < 3; i++) for (const map of [one, other]) expect(seen(map)).toEqual(there)
          clear.clear()
          for (let i = 0; i < 3; i++) for (const map of [one, other]) expect(seen(map)).toEqual(gone)
          expect([one.get('other'), other.get('user;')]).toEqual([7, 8])
          sweep(one)
          expect(other.size).toBe(2)
        }
      },
    )

    test('the entries of a cleared namespace are deleted in the background', async () => {
      for (let i = 0; i < 2000; i++) users.set(`${i}`, i)
      one.set('other', 7)
      usersThere.clear()
      await until(
        'they are deleted',
        () => one.size === 1,
        () => one.size,
      )
      expect([...one]).toEqual([['other', 7]])
    })

    test('the room of a cleared namespace serves other entries', () => {
      const fill = (space: Users): number => {
        let i = 0
        try {
          while (i < 3000) space.set(`${i}`, 'x'.repeat(4000) + String(i++))
        } catch (error) {
          expect(error).toEqual(refusal('ERR_MAPSAFE_FULL'))
        }
        return i
      }
      const stored = fill(users)
      users.clear()
      expect(fill(other.namespace('session:'))).toBeGreaterThan(stored * 0.9)
    })

    test('an entry that the map has written under such a key is found, and stays', () => {
      one.set('user:plain', 1)
      users.set('own', 2)
      expect(usersThere.get('plain')).toBe(1)
      expect([...usersThere.keys()].toSorted()).toEqual(['own', 'plain'])
      users.clear()
      expect([...usersThere]).toEqual([['plain', 1]])
      // A write of the namespace takes it in, and one of the map takes it out.
      usersThere.set('plain', 3).set('own', 4)
      one.set('user:own', 5)
      users.clear()
      expect([...other]).toEqual([['user:own', 5]])
      // Those that change a value leave the entry where it belongs.
      users.update('own', () => 6)
      usersThere.set('mine', 7)
      one.update('user:mine', () => 8)
      users.clear()
      expect([...other]).toEqual([['user:own', 6]])
      usersThere.set('mine', 9)
      expect(one.deleteWhere({ prefix: 'user:' })).toBe(2)
      expect([...one]).toEqual([])
    })

    test('a namespace in another is cleared with it, and alone', () => {
      const inner: Users = users.namespace('ada:')
      expect([users.prefix, inner.prefix]).toEqual(['user:', 'user:ada:'])
      const fill = (): unknown => (users.set('all', 1), inner.set('name', 2))
      fill()
      expect(usersThere.get('ada:name')).toBe(2)
      inner.clear()
      expect([...users]).toEqual([['all', 1]])
      fill()
      usersThere.clear()
      expect([...one]).toEqual([])
      // The same prefix is the same namespace, but only what lies in another is cleared with it.
      one.namespace('user:ada:').set('name', 3)
      usersThere.clear()
      expect(inner.get('name')).toBe(3)
      usersThere.namespace('ada:').clear()
      expect(inner.get('name')).toBeUndefined()
      let space: Users = one.namespace('a')
      for (let depth = 2; depth <= 4; depth++) space = space.namespace('a')
      expect(() => space.namespace('a')).toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
      space.set('x', 1)
      other.namespace('a').clear()
      expect(space.has('x')).toBe(false)
    })

    test('deletes and takes only its own keys', () => {
      one.set('a', 1).set('user:a', 2)
      expect([users.take('b'), users.delete('b'), users.compareAndDelete('a', 1)]).toEqual([undefined, false, false])
      expect(users.deleteIfVersion('a', one.getEntry('a')!.version + 1000)).toBe(false)
      expect(users.deleteMany(['a', 'b'])).toBe(1)
      users.setMany([
        ['ab', 1],
        ['ac', 2],
        ['b', 3],
      ])
      expect(users.deleteMany(['ab', 'x'], { which: true })).toEqual([true, false])
      expect(users.deleteWhere({ prefix: 'a' })).toBe(1)
      expect(users.deleteWhere({ key: (key) => key === 'a' || key.startsWith('user') })).toBe(0)
      expect(users.deleteWhere({ key: (key) => key === 'b' })).toBe(1)
      expect([...other]).toEqual([['a', 1]])
    })

    test('forEach is given keys, values and the namespace', () => {
      one.set('a', 1)
      users.set('b', 2)
      const seen: unknown[] = []
      usersThere.forEach(function (this: unknown, ...parameters) {
        seen.push([this, ...parameters])
      }, 'this')
      expect(seen).toEqual([['this', 2, 'b', usersThere]])
      expect((seen[0] as unknown[])[3]).toBe(usersThere)
    })

    test('wrong input is refused, and nothing changes', () => {
      one.set('user:a', 1)
      for (const prefix of ['', undefined, null, 5, ['user:'], {}]) {
        expect(() => one.namespace(prefix as string)).toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
        expect(() => users.namespace(prefix as string)).toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
      }
      for (const key of [undefined, null, 5, 5n, true, new Uint8Array(2), {}, ['a']] as never[]) {
        for (const [, call] of writing) {
          const space = new Proxy({} as Users, {
            get:
              (_, name: keyof Users) =>
              (_key: never, ...rest: never[]) =>
                name === 'setMany'
                  ? users.setMany([[key, 2]])
                  : (users[name] as (...all: never[]) => unknown)(key, ...rest),
          })
          expect(() => call(space)).toThrow(refusal('ERR_MAPSAFE_KEY_TYPE'))
        }
        expect(() => users.get(key)).toThrow(refusal('ERR_MAPSAFE_KEY_TYPE'))
        expect(() => users.getMany([key])).toThrow(refusal('ERR_MAPSAFE_KEY_TYPE'))
      }
      const options = refusal('ERR_MAPSAFE_OPTIONS')
      for (const keys of ['a', 5, undefined, {}, new Uint8Array(2)] as never[]) {
        for (const name of ['getMany', 'hasMany', 'getEntries', 'deleteMany', 'setMany'] as const) {
          expect(() => (users[name] as (keys: unknown) => unknown)(keys)).toThrow(options)
        }
      }
      for (const entry of [5, null, [], {}, 'ab'] as never[]) expect(() => users.setMany([entry])).toThrow(options)
      for (const choice of [
        undefined,
        null,
        {},
        [],
        5,
        { prefix: '' },
        { prefix: 5 },
        { key: 5 },
        { prefx: 'a', prefix: 'a' },
      ]) {
        expect(() => users.deleteWhere(choice as never)).toThrow(options)
      }
      for (const name of ['getOrInsertComputed', 'update'] as const) {
        expect(() => users[name]('b', 5 as never)).toThrow(options)
      }
      expect(() => users.increment('n', 1, { tags: ['a'], ttl: 0 } as object)).toThrow(options)
      expect(() => users.increment('n', 0.5)).toThrow(options)
      expect(() => {
        users.forEach(5 as never)
      }).toThrow(options)
      expect(() => structuredClone(users)).toThrow(/send the handle of its map/)
      expect([...other]).toEqual([['user:a', 1]])
      one.close()
      for (const call of [
        () => users.get('a'),
        () => users.set('a', 1),
        () => {
          users.clear()
        },
        () => users.keys(),
      ]) {
        expect(call).toThrow(refusal('ERR_MAPSAFE_CLOSED'))
      }
      expect(() => one.namespace('a')).toThrow(refusal('ERR_MAPSAFE_CLOSED'))
      one = other
    })

    test('clear is refused in a function that decides on a write', () => {
      users.set('a', 1)
      expect(() =>
        one.update('x', () => {
          users.clear()
        }),
      ).toThrow(refusal('ERR_MAPSAFE_REENTRANT'))
      expect(usersThere.get('a')).toBe(1)
    })

    test('what is computed while the namespace is cleared is absent', () => {
      expect(users.getOrInsertComputed('a', () => (usersThere.clear(), 1))).toBe(1)
      expect([users.get('a'), usersThere.get('a')]).toEqual([undefined, undefined])
    })

    test.runIf(kind === 'cache')('entries of a cache have lifetimes and tags besides', async () => {
      const cache = asCache(one)
      const space: CacheNamespace<unknown> = cache.namespace('user:')
      class Own {
        readonly ttl = 50_000
        get tags(): string[] {
          return ['a']
        }
      }
      const options = [
        { tags: ['a'], ttl: 50_000 },
        new Own(),
        Object.freeze({ tags: new Set(['b', 'a']), slidingTtl: 60_000 }),
      ]
      for (const given of options) {
        const write = (): void => {
          space.set('x', 1, given).setMany(
            [
              ['y', 2, given],
              ['z', 3],
            ],
            { tags: ['all'], ttl: 50_000 },
          )
        }
        write()
        expect(space.getEntry('x')!.expiresAt).toBeGreaterThan(Date.now())
        cache.invalidateTags(['user:', 'nuser:'])
        expect(usersThere.has('x')).toBe(true)
        cache.invalidateTags(['a'])
        expect([...usersThere]).toEqual([['z', 3]])
        cache.invalidateTags(['all'])
        expect([...usersThere]).toEqual([])
        write()
        expect(space.touch('z', 60_000)).toBe(true)
        usersThere.clear()
        expect([...users]).toEqual([])
      }
      const tags = Array.from({ length: 16 }, (_, i) => `tag ${i}`)
      space.namespace('b').namespace('c').namespace('d').set('deep', 1, { tags })
      expect(usersThere.get('bcddeep')).toBe(1)
      usersThere.clear()
      expect(usersThere.has('bcddeep')).toBe(false)
      for (const wrong of [
        5,
        'a',
        null,
        [],
        { tags: 'a' },
        { tags: [...tags, 'x'] },
        { ttl: -1 },
        { tag: ['a'] },
      ] as object[]) {
        expect(() => space.set('x', 1, wrong)).toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
        expect(() => space.setMany([['x', 1, wrong]])).toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
        expect(() => space.increment('x', 1, wrong)).toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
        await expect(space.getOrLoad('x', () => 1, wrong)).rejects.toThrow(refusal('ERR_MAPSAFE_OPTIONS'))
      }
      expect(space.has('x')).toBe(false)
    })

    test.runIf(kind === 'cache')('loads are given keys without the prefix, and end with the namespace', async () => {
      const space: CacheNamespace<unknown> = asCache(one).namespace('user:')
      const there: CacheNamespace<unknown> = asCache(other).namespace('user:')
      expect(await space.getOrLoad('a', (key, { ttl }) => [key, ttl])).toEqual(['a', Infinity])
      expect(
        await there.getManyOrLoad(['a', 'b', 'c'], (keys, { setTtl, stale, signal }) => {
          setTtl(60_000, 'b')
          expect([keys, stale.size, signal.aborted]).toEqual([['b', 'c'], 0, false])
          return new Map(keys.map((key) => [key, `${key}!`]))
        }),
      ).toEqual([['a', Infinity], 'b!', 'c!'])
      expect([space.getEntry('b')!.expiresAt, space.getEntry('c')!.expiresAt]).toEqual([expect.any(Number), undefined])
      await expect(space.getManyOrLoad(['x'], () => [['user:x', 1]])).rejects.toThrow(refusal('ERR_MAPSAFE_LOADER'))
      await expect(space.getManyOrLoad(['x'], () => 5 as never)).rejects.toThrow(refusal('ERR_MAPSAFE_LOADER'))
      expect(await space.getManyOrLoad(['x'], () => Promise.resolve([['x', 1]]), { tags: ['t'] })).toEqual([1])
      there.clear()
      expect([...space]).toEqual([])
      let release!: (value: number) => void
      const loaded = space.getOrLoad('a', async () => new Promise<number>((resolve) => (release = resolve)))
      const before = space.getOrLoad('a', () => 2)
      there.clear()
      expect(await space.getOrLoad('a', () => 3)).toBe(3)
      release(1)
      expect([await loaded, await before, there.get('a')]).toEqual([1, 1, 3])
    })
  })
})
