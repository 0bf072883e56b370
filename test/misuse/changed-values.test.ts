import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConcurrentMap, type Key } from '../../src/index.js'
import { ChangedValues } from '../../src/store/changed-values.js'
import { lineups } from '../support/run.js'

// With `freeze: false` a read returns an open copy, and a change of it is lost.

type Map = ConcurrentMap<Key, unknown, false>
interface Cart {
  items: string[]
}

describe.each(lineups)('$name', (lineup) => {
  const warnings: (Error & { code?: string })[] = []
  const note = (warning: Error): void => {
    if (warning.name === 'MapsafeWarning') warnings.push(warning)
  }
  beforeEach(() => {
    warnings.length = 0
    process.on('warning', note)
  })
  afterEach(async () => {
    process.off('warning', note)
    vi.unstubAllEnvs()
    await sleep(0)
  })

  /** The warnings so far: Node.js emits each in a turn of its own. */
  const warned = async (): Promise<string[]> => {
    await sleep(0)
    return warnings.map(({ message }) => message)
  }

  function open(mode: string | undefined): Map {
    vi.stubEnv('MAPSAFE_CHANGED_VALUES', mode)
    return new ConcurrentMap<Key, unknown, false>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20, freeze: false })
  }
  const cartOf = (map: Map, key = 'cart'): Cart => map.get(key) as Cart

  test.each<[string, (map: Map) => unknown]>([
    ['get', (map) => map.get('cart')],
    ['getEntry', (map) => map.getEntry('cart')?.value],
    ['peek', (map) => map.peek('cart')],
    ['a walk', (map) => [...map.values()][0]],
    ['getOrInsert', (map) => map.getOrInsert('cart', 1)],
  ])('a change of what %s returned is told at the next read', async (_name, read) => {
    using map = open('keys')
    map.set('cart', { items: ['book'] })
    ;(read(map) as Cart).items.push('lamp')
    expect(await warned()).toEqual([])
    expect(cartOf(map).items, 'and is lost').toEqual(['book'])
    expect(await warned()).toEqual([
      expect.stringMatching(/^A value of key "cart" that a map returned was changed in place/),
    ])
    expect(warnings[0].code).toBe('MAPSAFE_CHANGED_VALUE')
  })

  test.each<[string, unknown, (value: never) => unknown]>([
    ['a property', { a: 1 }, (value: { a: number }) => value.a++],
    ['a new property', { a: 1 }, (value: Record<string, number>) => (value.b = 2)],
    ['a deep one', { a: [{ b: 1 }] }, (value: { a: { b: number }[] }) => value.a[0].b++],
    ['the order', [2, 1], (value: number[]) => value.sort()],
    ['a Map', new Map([['a', 1]]), (value: globalThis.Map<string, number>) => value.set('b', 1)],
    ['a Date', new Date(0), (value: Date) => value.setFullYear(2000)],
    ['bytes', new Uint8Array(3), (value: Uint8Array) => value.fill(1)],
  ])('%s that was changed is told', async (_name, value, change) => {
    using map = open('warn')
    map.set('key', value)
    change(map.get('key') as never)
    map.get('key')
    expect(await warned(), 'without the key').toEqual([
      expect.stringMatching(/^A value that a map returned was changed/),
    ])
  })

  test('a change that is stored is none', async () => {
    using map = open('keys')
    using other = ConcurrentMap.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(1), freeze: false })
    const values = ['cart', 'b', 'c', 'd', 'e']
    for (const key of values) map.set(key, { items: ['book'] })
    for (const store of [
      (cart: Cart): unknown => map.set('cart', cart),
      (cart: Cart): unknown => other.set('cart', cart),
      (cart: Cart): unknown => map.replace('cart', cart),
    ]) {
      const cart = cartOf(map)
      cart.items.push('lamp')
      store(cart)
      expect(cartOf(map).items.at(-1)).toBe('lamp')
    }
    map.update('cart', (cart) => {
      ;(cart as Cart).items.push('in place')
      return cart
    })
    cartOf(map)
    cartOf(map, 'b').items.pop()
    map.delete('b')
    map.set('b', { items: ['book'] })
    cartOf(map, 'b')
    expect(await warned()).toEqual([])
  })

  test('reading without changing is none, nor is what freeze: true returns', async () => {
    using map = open('keys')
    using frozen = ConcurrentMap.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(1) })
    const values = [
      { a: NaN, b: -0, c: undefined },
      new Array(3),
      new Map([[{}, new Set([1])]]),
      new Date(NaN),
      /x/g,
      new Error('e'),
      Object.create(null),
    ]
    for (const [i, value] of values.entries()) {
      map.set(i, value)
      for (let round = 0; round < 3; round++) expect(map.get(i)).toEqual(frozen.get(i))
    }
    map.set('map', new Map([['a', 1]]))
    const own = frozen.get('map') as globalThis.Map<string, number>
    expect(() => own.set('b', 2)).toThrow(TypeError)
    frozen.get('map')
    expect(await warned()).toEqual([])
  })

  test.each([
    ['off', 'development', 0],
    [undefined, 'development', 1],
    [undefined, 'production', 0],
    [undefined, undefined, 0],
    ['warn', 'production', 1],
  ])('%s with NODE_ENV %s warns %i times', async (mode, environment, times) => {
    vi.stubEnv('NODE_ENV', environment)
    using map = open(mode)
    map.set('cart', { items: [] })
    cartOf(map).items.push('lamp')
    cartOf(map)
    expect(await warned()).toHaveLength(times)
  })

  test('an unknown choice is told, and nothing watched', async () => {
    using map = open('yes')
    map.set('cart', { items: [] })
    cartOf(map).items.push('lamp')
    cartOf(map)
    expect(await warned()).toEqual(['MAPSAFE_CHANGED_VALUES is "yes"; expected one of off, warn, keys.'])
  })

  test('a map object warns five times at most', async () => {
    using map = open('warn')
    for (let i = 0; i < 20; i++) {
      map.set(i, { items: [] })
      cartOf(map, i as never).items.push('lamp')
      cartOf(map, i as never)
    }
    const told = await warned()
    expect(told).toHaveLength(5)
    expect(told.filter((text) => text.endsWith('This map object warns no more.'))).toEqual([told[4]])
  })
})

test('no more than 256 keys are remembered, and no large values', async () => {
  const warnings: Error[] = []
  const note = (warning: Error): void => void warnings.push(warning)
  process.on('warning', note)
  const values = new ChangedValues(true)
  const kept: number[][] = []
  for (let key = 0; key < 1000; key++) {
    const value = [key]
    kept.push(value)
    values.read(key, 1, value, 10)
    value.push(1)
  }
  values.read('large', 1, kept[0], 65_537)
  values.read('large', 1, [], 10)
  for (let key = 0; key < 744; key++) values.read(key, 1, [key], 10)
  await sleep(0)
  expect(warnings).toEqual([])
  process.off('warning', note)
})
