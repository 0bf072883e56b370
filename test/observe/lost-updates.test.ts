/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-increment: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- mistakes are made on purpose */
import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, test } from 'vitest'
import { advanceClock, ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, nearAndFarLineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { open } from './two-objects.js'
import type * as tasks from './lost-updates.tasks.js'

interface Cart {
  items: string[]
  paid: boolean
  address?: { city: string }
}

describe.each(nearAndFarLineups)('a lost update is told ($name)', (lineup) => {
  test('the lost counter', () => {
    using both = open<number>(lineup)
    const { map, other, losses } = both
    map.set('visits', 5)
    const visits = map.get('visits')!
    const { version } = map.getEntry('visits')!
    other.set('visits', other.get('visits')! + 1)
    const found = other.getEntry('visits')!.version
    map.set('visits', visits + 1)
    expect(losses.events).toEqual([
      {
        lost: 'update',
        map: 'ConcurrentMap',
        name: 'map',
        file: undefined,
        key: 'visits',
        readVersion: version,
        foundVersion: found,
        elapsed: expect.any(Number),
        readStack: expect.arrayContaining([expect.stringContaining('lost-updates.test.ts')]),
        writeStack: expect.arrayContaining([expect.stringContaining('lost-updates.test.ts')]),
        pid: process.pid,
        threadId: expect.any(Number),
        time: expect.any(Number),
      },
    ])
    // The first frames are those of the calls themselves.
    const [{ readStack, writeStack, time }] = losses.events
    expect([readStack[0], writeStack[0]]).toEqual(Array(2).fill(expect.stringContaining('lost-updates.test.ts')))
    expect(Math.abs(Date.now() - time)).toBeLessThan(600_000)
    expect(map.get('visits')).toBe(6)
    expect(map.stats().counters.lostUpdates).toBe(1)
    expect(other.stats().counters.lostUpdates).toBe(1)
  })

  test('the overwritten cart', () => {
    using both = open<Cart>(lineup)
    const { map, other, losses } = both
    map.set('cart', { items: ['book'], paid: false })
    const cart = map.get('cart')!
    other.update('cart', (seen) => ({ ...seen!, items: [...seen!.items, 'pen'] }))
    map.set('cart', { ...cart, paid: true })
    expect(losses.take()).toEqual(['update'])
    expect(map.get('cart')).toEqual({ items: ['book'], paid: true })
  })

  test('the stale write-back: a copy of what an older read returned, after a newer read elsewhere', () => {
    using both = open<Cart>(lineup)
    const { map, other, losses } = both
    map.set('cart', { items: ['book'], paid: false, address: { city: 'Ulm' } })
    for (let i = 0; i < 3; i++) map.get('cart') // a near hit, if there is a near-cache
    const cart = map.get('cart')!
    other.update('cart', (seen) => ({ ...seen!, items: ['book', 'pen'], address: { city: 'Bonn' } }))
    expect(map.get('cart')!.items).toHaveLength(2) // another part of the program looks
    map.set('cart', { ...cart, paid: true })
    expect(losses.take()).toEqual(['stale'])
    // Parts of the value that is there are no stale ones, not even beside an older part.
    const old = map.get('cart')!
    other.update('cart', (seen) => ({ ...seen!, items: ['lamp'], address: { city: 'Kiel' } }))
    map.set('cart', { ...map.get('cart')!, address: old.address! })
    expect(losses.take()).toEqual([])
  })

  test('check, then act: an insert, and a deletion', () => {
    using both = open<string>(lineup)
    const { map, other, losses } = both
    if (map.get('lock') === undefined) {
      other.set('lock', 'theirs')
      map.set('lock', 'mine')
    }
    expect(losses.take()).toEqual(['insert'])
    if (!map.has('lock 2')) {
      other.set('lock 2', 'theirs')
      map.set('lock 2', 'mine')
    }
    expect(losses.take()).toEqual(['insert'])
    const job = map.get('lock')!
    other.delete('lock')
    map.set('lock', `${job}, again`)
    expect(losses.take()).toEqual(['delete'])
    expect(losses.events).toEqual([])
  })

  test.each([
    ['get', (map: ConcurrentMap<Key, unknown>, key: Key) => map.get(key)],
    ['getEntry', (map: ConcurrentMap<Key, unknown>, key: Key) => map.getEntry(key)],
    ['peek', (map: ConcurrentMap<Key, unknown>, key: Key) => map.peek(key)],
    ['peekEntry', (map: ConcurrentMap<Key, unknown>, key: Key) => map.peekEntry(key)],
    ['getMany', (map: ConcurrentMap<Key, unknown>, key: Key) => map.getMany([key])],
    ['getEntries', (map: ConcurrentMap<Key, unknown>, key: Key) => map.getEntries([key])],
    ['getOrInsert', (map: ConcurrentMap<Key, unknown>, key: Key) => map.getOrInsert(key, 0)],
  ])('after a read by %s, by every blind write, of keys and values of every type', (_name, read) => {
    using both = open<unknown>(lineup)
    const { map, other, losses } = both
    const values = [1, 'text', 'Ж', 7n, true, null, undefined, { a: 1 }, new Map([[1, 2]]), new Uint8Array(9)]
    for (const key of ['key', 7, 7n, true, Uint8Array.of(1, 2)]) {
      for (const value of values) {
        map.set(key, value)
        for (const write of [
          () => map.set(key, 'mine'),
          () => map.replace(key, 'mine'),
          () =>
            map.setMany([
              ['aside', 1],
              [key, 'mine'],
            ]),
        ]) {
          read(map, key)
          other.set(key, { theirs: value })
          write()
          expect(losses.take()).toEqual(['update'])
          expect(map.get(key)).toBe('mine')
          other.set(key, value)
          read(map, key)
        }
      }
    }
  })

  test('values too large for the scratch buffer are stored and compared', () => {
    using both = open<string | object>(lineup)
    const { map, other, losses } = both
    const large = (fill: string): object => ({ text: fill.repeat(100_000) })
    for (const write of [() => map.set('k', large('c')), () => map.setMany([['k', large('c')]])]) {
      map.set('k', large('a'))
      map.get('k')
      other.set('k', large('b'))
      write()
      expect(losses.take()).toEqual(['update'])
      expect(map.get('k')).toEqual(large('c'))
    }
  })

  test('objects that the caller may change are compared as they were read', () => {
    using both = open<{ n: number }>(lineup, { freeze: false as true })
    const { map, other, losses } = both
    map.set('k', { n: 5 })
    const mine = map.get('k')! as { n: number }
    mine.n++
    other.set('k', { n: 6 })
    map.set('k', mine)
    expect(losses.take()).toEqual(['update'])
  })

  test('in a cache, while entries live', () => {
    using both = open<number>(lineup, {}, true)
    const { cache, other, losses } = both
    cache.set('k', 1, { ttl: 1e6 })
    cache.get('k')
    other.set('k', 2)
    cache.set('k', 2, { ttl: 1e6 })
    expect(losses.take()).toEqual(['update'])
    expect(losses.events).toEqual([])
    expect(cache.getEntry('k')!.expiresAt).toBeGreaterThan(Date.now())
  })
})

describe.each(nearAndFarLineups)('nothing is told ($name)', (lineup) => {
  test('of writes that see what they replace, or say what it must be', () => {
    using both = open<number>(lineup)
    const { map, other, losses } = both
    const writes: Record<string, (key: string) => unknown> = {
      update: (key) => map.update(key, (n = 0) => n + 1),
      increment: (key) => map.increment(key),
      swap: (key) => map.swap(key, 1),
      setIfVersion: (key) => map.setIfVersion(key, 1, 1),
      compareAndSwap: (key) => map.compareAndSwap(key, 1, 2),
      setIfAbsent: (key) => map.setIfAbsent(key, 3),
      getOrInsert: (key) => map.getOrInsert(key, 3),
      delete: (key) => map.delete(key),
      take: (key) => map.take(key),
      deleteMany: (key) => map.deleteMany([key]),
      clear: () => map.clear(),
    }
    for (const [key, write] of Object.entries(writes)) {
      map.set(key, 1)
      map.get(key)
      other.set(key, 2)
      write(key)
    }
    expect(losses.take()).toEqual([])
  })

  test('of the own writes of a map object, whatever they are', () => {
    using both = open<number>(lineup)
    const { map, losses } = both
    const writes: (() => unknown)[] = [
      () => map.update('k', (n = 0) => n + 1),
      () => map.increment('k'),
      () => map.swap('k', 1),
      () => map.setIfVersion('k', 4, map.getEntry('k')!.version),
      () => map.compareAndSwap('k', map.get('k')!, 2),
      () => map.delete('k'),
      () => map.setIfAbsent('k', 3),
      () => map.take('k'),
      () => map.getOrInsertComputed('k', () => 3),
      () => map.deleteMany(['k']),
      () => map.setMany([['k', 1]]),
      () => map.deleteMany(['k'], { which: true }),
      () => map.set('k', 1).set('k', 2),
      () => map.deleteWhere(() => true),
      () => map.set('k', 2),
      () => map.clear(),
    ]
    for (const write of writes) {
      map.get('k')
      write()
      map.set('k', 7)
      map.get('k')
      map.set('k', 1)
    }
    expect(losses.take()).toEqual([])
  })

  test('if the value replaced is the one that was read', () => {
    using both = open<{ n: number } | string>(lineup)
    const { map, other, losses } = both
    for (const value of [{ n: 1 }, 'text']) {
      map.set('k', value)
      map.get('k')
      other.set('k', 'between')
      other.set('k', value)
      map.set('k', 'mine')
    }
    expect(losses.take()).toEqual([])
  })

  test('of the second write after a read, of writes without a read, and of walks', () => {
    using both = open<number>(lineup)
    const { map, other, losses } = both
    map.set('k', 1)
    map.get('k')
    map.set('k', 2)
    other.set('k', 3)
    map.set('k', 4)
    expect([...map]).toEqual([['k', 4]])
    other.set('k', 5)
    map.set('k', 6)
    map.deleteWhere(() => false)
    map.update('k', (n) => n!)
    map.compareAndSwap('k', 7, 8)
    other.set('k', 7)
    map.set('k', 8)
    expect(losses.take()).toEqual([])
  })

  test('in a cache, of entries that went by themselves, of misses, and of touches', () => {
    using both = open<{ n: number }>(lineup, {}, true)
    const { cache, losses } = both
    const other = both.other instanceof ConcurrentCache ? (both.other as typeof cache) : expect.fail('no cache')
    cache.set('k', { n: 1 }, { ttl: 1000 })
    cache.get('k')
    advanceClock(cache, 2000)
    cache.set('k', { n: 2 })
    cache.get('missing')
    other.set('missing', { n: 1 })
    cache.set('missing', { n: 1 })
    const old = cache.get('k')!
    other.touch('k', 1000)
    cache.set('k', old)
    cache.get('k')
    other.touch('k', 1000)
    const { n } = cache.get('k')!
    cache.set('k', { n: n + 1 })
    // An expired entry that another thread has filled in again, after a miss.
    cache.get('k')
    advanceClock(cache, 2000)
    cache.set('k', { n: 1 }, { ttl: 1000 })
    advanceClock(cache, 2000)
    expect(cache.get('k')).toBeUndefined()
    other.set('k', { n: 2 })
    cache.set('k', { n: 3 })
    expect(losses.take()).toEqual([])
  })

  test('of a read longer ago than the window', () => {
    using both = open<number>(lineup, { lostUpdates: { windowMs: Number.MIN_VALUE } })
    const { map, other, losses } = both
    map.set('k', 1)
    map.get('k')
    other.set('k', 2)
    map.set('k', 3)
    expect(losses.take()).toEqual([])
  })
})

test('keys and stacks are told on request alone; a subscriber may use the map, or close it', () => {
  using both = open<number>(lineups[0], { lostUpdates: { stacks: false } })
  const { map, other, losses } = both
  const lose = (): void => {
    map.get('k')
    other.increment('k')
    map.set('k', 1)
  }
  map.set('k', 5)
  lose()
  expect(losses.events).toMatchObject([{ key: undefined, readStack: [], writeStack: [], lost: 'update' }])
  const push = losses.events.push.bind(losses.events)
  losses.events.push = (event) => {
    map.set('aside', 1)
    map.close()
    return push(event)
  }
  lose()
  expect(other.get('k')).toBe(1)
  expect(losses.events).toHaveLength(2)
  expect(() => map.get('k')).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }))
  const again = ConcurrentMap.attach(other.handle)
  again.close()
})

test('without a subscriber, the first loss of a map object is one warning with both stacks', () => {
  using scratch = new Scratch()
  const script = `
    import { ConcurrentMap } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    const file = process.argv[1]
    const map = new ConcurrentMap({ file, maxBytes: 2 ** 20 })
    const other = ConcurrentMap.attach(map.handle)
    process.on('warning', ({ name, code, message }) => console.log(JSON.stringify({ name, code, message })))
    function readIt() { return map.get('k') }
    function writeIt() { map.set('k', 3) }
    for (let i = 0; i < 3; i++) {
      readIt()
      other.set('k', { i })
      writeIt()
    }
    console.log(map.stats().counters.lostUpdates)`
  const run = (environment: NodeJS.ProcessEnv): string[] =>
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, '--', scratch.file()], {
      env: { ...process.env, NODE_ENV: '', MAPSAFE_LOST_UPDATES: '', ...environment },
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
  for (const environment of [{ NODE_ENV: 'development' }, { NODE_ENV: 'production', MAPSAFE_LOST_UPDATES: '1' }]) {
    const [count, warning, ...more] = run(environment)
    expect(count).toBe('3')
    expect(JSON.parse(warning)).toEqual({
      name: 'MapsafeWarning',
      code: 'MAPSAFE_LOST_UPDATE',
      message: expect.stringMatching(
        /overwrote a value, where its thread had read that there was none[^]*readIt[^]*writeIt/,
      ),
    })
    expect(more).toEqual([])
  }
  const [wrong, ...others] = run({ MAPSAFE_LOST_UPDATES: 'yes' }).toReversed()
  expect(JSON.parse(wrong)).toEqual({
    name: 'MapsafeWarning',
    code: 'MAPSAFE_ENVIRONMENT',
    message: 'MAPSAFE_LOST_UPDATES is "yes"; expected 1 or 0.',
  })
  expect(others.at(-1)).toBe('0')
  for (const environment of [
    {},
    { NODE_ENV: 'production' },
    { NODE_ENV: 'test' },
    { NODE_ENV: 'development', MAPSAFE_LOST_UPDATES: '0' },
  ]) {
    expect(run(environment)).toEqual(['0'])
  }
})

test('wrong options are refused', () => {
  const refuse = (lostUpdates: unknown, code = 'ERR_MAPSAFE_OPTIONS'): void =>
    expect(() => new ConcurrentMap({ lostUpdates: lostUpdates as boolean })).toThrow(expect.objectContaining({ code }))
  for (const wrong of ['yes', 1, null, { key: true }, { keys: 1 }, { stacks: 'no' }, [], () => true]) refuse(wrong)
  for (const notes of [0, -1, 1.5, 65_537, '9', NaN]) refuse({ notes })
  for (const windowMs of [0, -1, NaN, '9']) refuse({ windowMs })
})

describe.each(['threads', 'processes'] as const)('two %s', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('lost-updates.tasks.ts', import.meta.url), 2, kind)
  afterAll(() => crew.dismiss())

  test.each(nearAndFarLineups)(
    'that count blindly lose an update in each round, and each is told ($name)',
    async (near) => {
      const lineup = { ...near, attach: { ...near.attach, lostUpdates: { windowMs: Infinity } } }
      using map = crew.open<string, number>(lineup)
      const rounds = scaled(200)
      map.set('counter', 0)
      const told = await crew.run({ lineup, handle: map.handle }, 'countBlindly', rounds)
      expect(map.get('counter')).toBe(rounds)
      expect(told[0] + told[1]).toBe(rounds)
      expect(map.stats().counters.lostUpdates).toBe(rounds)
      expect(await crew.run({ lineup, handle: map.handle }, 'countByUpdate', rounds)).toEqual([0, 0])
      expect(map.get('counter')).toBe(3 * rounds)
      expectSound(map)
    },
  )
})
