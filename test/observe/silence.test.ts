/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- what looks like a mistake is looked at here */
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { VALUE_NUMBER } from '../../src/format/layout.js'
import { observeWrites } from '../../src/observe/observed-engine.js'
import { nearAndFarLineups } from '../support/run.js'
import { open } from './two-objects.js'

// Cases at the edge of what the probe tells: what its notes forget, and what it keeps.

interface Cart {
  readonly items: readonly string[]
  readonly address: { readonly city: string }
}

describe.each(nearAndFarLineups)('$name', (lineup) => {
  test('a value is no stale one if the entry was only touched, or stored as it was, since', () => {
    const cart: Cart = { items: ['book'], address: { city: 'Ulm' } }
    for (const isCache of [false, true]) {
      using both = open<Cart>(lineup, {}, isCache)
      const { map, other, losses } = both
      map.set('cart', cart)
      const old = map.get('cart')!
      other.set('cart', cart)
      expect(map.get('cart')).toEqual(old)
      map.set('cart', { ...old, items: [] })
      expect(losses.take()).toEqual([])
    }
  })

  test('parts of a value are no stale ones under another key, nor under bytes that a text resembles', () => {
    using both = open<Cart>(lineup)
    const { map, other, losses } = both
    const bytes = Uint8Array.of(65, 66)
    for (const key of ['AB', bytes]) {
      map.set(key, { items: ['book'], address: { city: 'Ulm' } })
      const old = map.get(key)!
      other.set(key, { items: ['pen'], address: { city: 'Bonn' } })
      map.get(key)
      for (const copy of ['copy', key === bytes ? 'AB' : bytes]) {
        map.set(copy, { ...old, items: [] })
        expect(losses.take()).toEqual([])
      }
      map.get(key)
      map.set(key, { ...old, items: [] })
      expect(losses.take()).toEqual(['stale'])
    }
  })

  test('an own write that held its key is known', () => {
    const region = new SharedArrayBuffer(2 ** 20)
    formatRegion(region)
    const engine = openEngine(region, lineup.engineOf(0))
    const wrote: unknown[] = []
    observeWrites(engine, {
      wrote: (key) => wrote.push(key),
      stored: (key) => wrote.push(key),
      cleared: () => undefined,
    })
    engine.hold('k')
    engine.putHeld('k', VALUE_NUMBER, 1)
    expect(wrote).toEqual(['k', 'k'])
    engine.hold('k')
    engine.removeHeld('k')
    expect(wrote).toEqual(['k', 'k', 'k'])
    engine.close()
  })

  test('a replace stores nothing where a read found nothing', () => {
    using both = open<number>(lineup)
    const { map, other, losses } = both
    expect(map.get('k')).toBeUndefined()
    expect(map.replace('k', 1)).toBe(false)
    expect(other.has('k')).toBe(false)
    other.set('k', 2)
    map.get('gone')
    expect(map.replace('k', 3)).toBe(true)
    expect(losses.take()).toEqual(['insert'])
  })

  test('a long text that was stored again as it was is no loss, another one is', () => {
    for (const isCache of [false, true]) {
      using both = open<string>(lineup, {}, isCache)
      const { map, other, losses } = both
      const text = 'text'.repeat(20_000)
      for (const [theirs, told] of [
        [text, []],
        [`${text.slice(0, -1)}!`, ['update']],
      ] as const) {
        map.set('k', text)
        map.get('k')
        other.set('k', 'between')
        other.set('k', theirs)
        map.set('k', 'mine')
        expect(losses.take()).toEqual(told)
      }
    }
  })

  test('a subscriber may ask the map: the outcome of the write stays its own', () => {
    using both = open<number>(lineup)
    const { map, other, losses } = both
    const push = losses.events.push.bind(losses.events)
    losses.events.push = (event) => {
      expect(map.get('nothing')).toBeUndefined()
      return push(event)
    }
    for (const write of [
      () => map.set('k', 3) === map,
      () => map.replace('k', 3),
      () => map.setMany([['k', 3]]) === map,
    ]) {
      map.set('k', 1).get('k')
      other.set('k', 2)
      expect(write()).toBe(true)
      expect(losses.take()).toEqual(['update'])
      expect(map.get('k')).toBe(3)
    }
  })

  test('a read from the near-cache is one, whatever was forgotten since the first', () => {
    using both = open<number>(lineup, { lostUpdates: { keys: true, notes: 1 } })
    const { map, other, losses } = both
    map.set('k', 1).set('aside', 1)
    // The near-cache takes in what is read again.
    for (let i = 0; i < 4; i++) map.get('k')
    map.get('aside')
    expect(map.get('k')).toBe(1)
    other.set('k', 2)
    map.set('k', 3)
    expect(losses.take()).toEqual(['update'])
  })
})
