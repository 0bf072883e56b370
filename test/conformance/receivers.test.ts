import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { lineups } from '../support/run.js'

// What every method and accessor has in common. They are found on the prototypes, so that new ones are tested, too.

type AnyFunction = (...parameters: unknown[]) => unknown

/** Name, length and function of everything that can be called: methods, and getters as `get NAME`. */
function functionsOf(prototype: object): [string, AnyFunction][] {
  return Reflect.ownKeys(prototype).flatMap((key): [string, AnyFunction][] => {
    const { value, get } = Object.getOwnPropertyDescriptor(prototype, key)!
    if (get !== undefined) return [[`get ${String(key)}`, get as AnyFunction]]
    return key === 'constructor' || typeof value !== 'function' ? [] : [[String(key), value as AnyFunction]]
  })
}

/** What is called with any receiver, and must not throw. */
const OPEN = ['Symbol(nodejs.util.inspect.custom)']
const classes = { ConcurrentMap, ConcurrentCache }

describe.each(Object.entries(classes))('%s', (name, { prototype }) => {
  const functions = functionsOf(prototype)

  test.each(functions.filter(([method]) => !OPEN.includes(method)))(
    '%s refuses any other receiver',
    async (_, method) => {
      using map = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
      const receivers = [undefined, null, 5, 'map', {}, [], prototype, new Map(), new Set([1]), Object.create(map)]
      if (name === 'ConcurrentCache') receivers.push(map)
      for (const receiver of receivers) {
        for (const parameters of [[], ['key', () => 1, 1]]) {
          // An asynchronous method rejects.
          const call = async (): Promise<unknown> => await Reflect.apply(method, receiver, parameters)
          const error: unknown = await call().then(
            () => 'nothing',
            (reason: unknown) => reason,
          )
          expect(error).toBeInstanceOf(TypeError)
          expect(error, 'it must be refused before its arguments are').not.toHaveProperty('code')
        }
      }
    },
  )

  test('methods are as long as their parameters that must be given', () => {
    const lengths = Object.fromEntries(functions.map(([method, { length }]) => [method, length]))
    const expected: Record<string, number> = {
      ...{
        get: 1,
        has: 1,
        getEntry: 1,
        set: 2,
        setIfAbsent: 2,
        setIfVersion: 3,
        replace: 2,
        compareAndSwap: 3,
        swap: 2,
      },
      ...{ getOrInsert: 2, getOrInsertComputed: 2, update: 2, delete: 1, deleteIfVersion: 2, compareAndDelete: 2 },
      ...{
        deleteWhere: 1,
        changes: 0,
        watch: 2,
        take: 1,
        increment: 1,
        incrementEntry: 1,
        getMany: 1,
        setMany: 1,
        deleteMany: 1,
        clear: 0,
        keys: 0,
        values: 0,
      },
      ...{
        entries: 0,
        scan: 0,
        snapshot: 0,
        forEach: 1,
        stats: 0,
        toJSON: 0,
        namespace: 1,
        health: 0,
        verify: 0,
        repair: 0,
        close: 0,
      },
      ...{
        touch: 1,
        invalidateTags: 1,
        getOrLoad: 2,
        getManyOrLoad: 2,
        'get size': 0,
        'Symbol(Symbol.iterator)': 0,
        [String(Symbol.dispose)]: 0,
      },
      ...{ peek: 1, peekEntry: 1, hasMany: 1, getEntries: 1 },
      ...{ clearAsync: 0, deleteWhereAsync: 1, healthAsync: 0, snapshotAsync: 0, verifyAsync: 0 },
      'Symbol(nodejs.util.inspect.custom)': 3,
    }
    expect(lengths).toEqual(Object.fromEntries(functions.map(([method]) => [method, expected[method]])))
  })

  test('nothing on the prototype is enumerable', () => {
    expect(Object.keys(prototype)).toEqual([])
    for (const key of Reflect.ownKeys(prototype)) {
      expect(Object.getOwnPropertyDescriptor(prototype, key)).toMatchObject({ enumerable: false, configurable: true })
    }
  })
})

describe.each(lineups)('$name', (lineup) => {
  test('a subclass that overrides one method changes no other', async () => {
    const broken = (): never => expect.fail('an overridden method was called')
    const names = [ConcurrentMap, ConcurrentCache].flatMap(({ prototype }) => Reflect.ownKeys(prototype))
    const originals = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    const cache = ConcurrentCache.attach<string, number>(originals.handle, { engine: lineup.engineOf(1) })
    const calls: Record<string, unknown[]> = {
      ...{ get: ['a'], has: ['a'], getEntry: ['a'], set: ['a', 1], setIfAbsent: ['a', 1], setIfVersion: ['a', 1, 0] },
      ...{ replace: ['a', 1], compareAndSwap: ['a', 1, 2], swap: ['a', 1], getOrInsert: ['a', 1] },
      ...{ getOrInsertComputed: ['a', () => 1], update: ['a', () => 1], delete: ['b'], deleteIfVersion: ['b', 1] },
      ...{
        compareAndDelete: ['a', 9],
        deleteWhere: [() => false],
        deleteWhereAsync: [() => false],
        watch: ['a', () => 1],
        namespace: ['a'],
        take: ['c'],
        increment: ['a'],
        incrementEntry: ['a'],
        getMany: [['a']],
      },
      ...{
        setMany: [[['a', 1]]],
        deleteMany: [['b']],
        hasMany: [['b']],
        getEntries: [['b']],
        peek: ['a'],
        peekEntry: ['a'],
        forEach: [() => 1],
        touch: ['a'],
        invalidateTags: [['a']],
        getOrLoad: ['d', () => 1],
        getManyOrLoad: [['d'], () => []],
      },
    }
    for (const name of names) {
      if (name === 'constructor' || name === Symbol.toStringTag) continue
      Object.defineProperty(cache, name, { value: broken, writable: true, configurable: true })
    }
    const prototype = ConcurrentCache.prototype as unknown as Record<PropertyKey, AnyFunction>
    for (const name of names) {
      if (['constructor', 'size', 'close', Symbol.toStringTag, Symbol.dispose].includes(name)) continue
      if (String(name).includes('inspect')) continue
      const result = Reflect.apply(prototype[name], cache, calls[String(name)] ?? [])
      if (typeof (result as Partial<Generator> | undefined)?.next === 'function') Array.from(result as Generator)
      await result
    }
    // The one exception, as docs/differences.md says.
    expect(() => Reflect.apply(prototype[Symbol.dispose], cache, [])).toThrow('an overridden method was called')
    Reflect.apply(prototype.close, cache, [])
    originals.close()
  })
})
