import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type EntryOptions, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { HASH_END, NO_LIMIT } from '../../src/engine/engine.js'
import { nearAndFarLineups } from '../support/run.js'

type Cache = ConcurrentCache<string, unknown>
const MAX_BYTES = 4 * 2 ** 20

/** Deletes what has expired or was invalidated, as the sweeper does in the background. */
function sweep(cache: Cache): void {
  const engine = storeOf(cache as ConcurrentCache<Key, unknown>).open()
  for (let from = 0; from < HASH_END;) from = engine.sweep(from, NO_LIMIT)
}

describe.each(nearAndFarLineups)('tags ($name)', (lineup) => {
  let one: Cache
  let other: Cache

  beforeEach(() => {
    one = new ConcurrentCache({ maxBytes: MAX_BYTES, engine: lineup.engineOf(0), ...lineup.attach })
    other = ConcurrentCache.attach(one.handle, { engine: lineup.engineOf(1), ...lineup.attach })
  })
  afterEach(() => {
    expect(one.verify()).toEqual({ ok: true, problems: [] })
    expect(other.verify()).toEqual({ ok: true, problems: [] })
    one.close()
    other.close()
  })

  const both = (): [Cache, Cache] => [one, other]

  /** Each kind of value, so that labels come after each kind of bytes. */
  const values: unknown[] = [
    1,
    'text',
    'weit €',
    true,
    null,
    { a: [1, 'b'] },
    5n,
    new Uint8Array([1, 2, 3]),
    new Map([[1, 2]]),
    'x'.repeat(5000),
  ]

  test.each(values)(
    'an entry of %o is there until one of its tags is invalidated, and then absent in every way',
    (value) => {
      one
        .set('key', value, { tags: ['a', 'b'] })
        .set('untagged', value)
        .set('c', value, { tags: ['c'] })
      const seen = (cache: Cache): unknown[] => [
        cache.get('key'),
        cache.has('key'),
        cache.getEntry('key')?.value,
        cache.peek('key'),
        cache.getMany(['key', 'c'])[0],
        cache.hasMany(['key'])[0],
        cache.getEntries(['key'])[0]?.value,
        [...cache.keys()].includes('key'),
        new Map(cache).get('key'),
        cache.scan().entries.find(([key]) => key === 'key')?.[1],
        cache.scan(0, { details: 'keys' }).keys.includes('key'),
        new Map(cache.snapshot()).get('key'),
        cache.snapshot().size,
      ]
      const there = [value, true, value, value, value, true, value, true, value, value, true, value, 3]
      const gone = [
        undefined,
        false,
        undefined,
        undefined,
        undefined,
        false,
        undefined,
        false,
        undefined,
        undefined,
        false,
        undefined,
        2,
      ]
      for (let i = 0; i < 3; i++) for (const cache of both()) expect(seen(cache)).toEqual(there)
      other.invalidateTags(['other', 'b'])
      for (let i = 0; i < 3; i++) for (const cache of both()) expect(seen(cache)).toEqual(gone)
      for (const cache of both()) expect([cache.get('untagged'), cache.get('c')]).toEqual([value, value])
      expect(one.size).toBe(3)
      sweep(other)
      expect(one.size).toBe(2)
      expect(one.stats().counters.expired).toBe(1)
    },
  )

  const absent: [string, (cache: Cache) => unknown, unknown][] = [
    ['setIfAbsent', (cache) => cache.setIfAbsent('key', 2), true],
    ['setIfVersion', (cache) => cache.setIfVersion('key', 2, 0), true],
    ['replace', (cache) => cache.replace('key', 2), false],
    ['swap', (cache) => cache.swap('key', 2), undefined],
    ['compareAndSwap', (cache) => cache.compareAndSwap('key', 1, 2), false],
    ['compareAndDelete', (cache) => cache.compareAndDelete('key', 1), false],
    ['getOrInsert', (cache) => cache.getOrInsert('key', 2), 2],
    ['getOrInsertComputed', (cache) => cache.getOrInsertComputed('key', () => 2), 2],
    ['update', (cache) => cache.update('key', (value) => [value]), [undefined]],
    ['delete', (cache) => cache.delete('key'), false],
    ['take', (cache) => cache.take('key'), undefined],
    ['increment', (cache) => cache.increment('key', 5), 5],
    ['increment with renew', (cache) => cache.increment('key', 5, { renew: true }), 5],
    ['increment with ifPresent', (cache) => cache.increment('key', 5, { ifPresent: true }), undefined],
    ['touch', (cache) => cache.touch('key'), false],
    ['deleteMany', (cache) => cache.deleteMany(['key']), 0],
    ['deleteWhere', (cache) => cache.deleteWhere(() => true), 0],
  ]
  test.each(absent)('%s finds no entry whose tag was invalidated', (_, call, expected) => {
    for (const [writer, invalidator] of [both(), both().reverse() as [Cache, Cache]]) {
      for (const counts of [false, true]) {
        if (counts) writer.increment('key', 1, { tags: ['a'] })
        else writer.set('key', 1, { tags: ['a'] })
        expect(invalidator.get('key')).toBe(1)
        expect(writer.get('key')).toBe(1)
        invalidator.invalidateTags(['a'])
        expect(call(writer)).toEqual(expected)
        writer.delete('key')
      }
    }
  })

  test('a version of an entry that was invalidated is one that is gone', () => {
    one.set('key', 1, { tags: ['a'] })
    const { version } = other.getEntry('key')!
    one.invalidateTags(['a'])
    expect(other.setIfVersion('key', 2, version)).toBe(false)
    expect(other.deleteIfVersion('key', version)).toBe(false)
    expect(one.setIfAbsent('key', 3)).toBe(true)
    expect(one.getEntry('key')!.version).toBeGreaterThan(version)
  })

  const keeping: [string, (cache: Cache) => unknown][] = [
    ['update', (cache) => cache.update('key', (value) => (value as number) * 2)],
    ['increment', (cache) => cache.increment('key')],
    ['increment twice', (cache) => cache.increment('key') + cache.increment('key')],
    ['increment with renew', (cache) => cache.increment('key', 1, { renew: true, ttl: 60_000 })],
    ['increment with other tags', (cache) => cache.increment('key', 1, { tags: ['z', 'y'] })],
    ['touch', (cache) => cache.touch('key', 60_000)],
  ]
  test.each(keeping)('%s keeps the tags of the entry', (_, change) => {
    for (const tags of [['a'], ['a', 'b', 'c']]) {
      one.set('key', 1, { tags, ttl: 50_000 })
      change(other)
      change(one)
      expect(other.get('key')).toBeGreaterThan(0)
      one.invalidateTags(['y', 'z'])
      expect(other.has('key')).toBe(true)
      one.invalidateTags([tags.at(-1)!])
      expect([one.get('key'), other.get('key')]).toEqual([undefined, undefined])
      one.delete('key')
    }
  })

  const starting: [string, (cache: Cache, options?: EntryOptions) => unknown][] = [
    ['set', (cache, options) => cache.set('key', 2, options)],
    ['swap', (cache, options) => cache.swap('key', 2, options)],
    ['replace', (cache, options) => cache.replace('key', 2, options)],
    ['compareAndSwap', (cache, options) => cache.compareAndSwap('key', 1, 2, options)],
    ['setIfVersion', (cache, options) => cache.setIfVersion('key', 2, cache.getEntry('key')!.version, options)],
    ['setMany', (cache, options) => cache.setMany([['key', 2]], options)],
    ['setMany with its own', (cache, options) => cache.setMany([['key', 2, options]], { tags: ['of others'] })],
  ]
  test.each(starting)('%s gives the entry the tags of the call, and no others', (name, write) => {
    one.set('key', 1, { tags: ['a'] })
    write(other, { tags: ['b', 'c'], ttl: 50_000 })
    one.invalidateTags(['a', 'of others'])
    expect([one.get('key'), other.get('key')]).toEqual([2, 2])
    one.invalidateTags(['c'])
    expect([one.get('key'), other.get('key')]).toEqual([undefined, undefined])
    one.set('key', 1, { tags: ['a'] })
    write(other)
    one.invalidateTags(name === 'setMany with its own' ? ['a', 'b', 'c'] : ['a', 'b', 'c', 'of others'])
    expect([one.get('key'), other.get('key')]).toEqual([2, 2])
  })

  const inserting: [string, (cache: Cache, options: EntryOptions) => unknown][] = [
    ['setIfAbsent', (cache, options) => cache.setIfAbsent('key', 2, options)],
    ['setIfVersion', (cache, options) => cache.setIfVersion('key', 2, 0, options)],
    ['getOrInsert', (cache, options) => cache.getOrInsert('key', 2, options)],
    ['getOrInsertComputed', (cache, options) => cache.getOrInsertComputed('key', () => 2, options)],
    ['update', (cache, options) => cache.update('key', () => 2, options)],
    ['increment', (cache, options) => cache.increment('key', 2, options)],
    ['incrementEntry', (cache, options) => cache.incrementEntry('key', 2, options)],
  ]
  test.each(inserting)('%s gives a new entry the tags of the call', (_, insert) => {
    for (const options of [{ tags: ['a', 'b'] }, { tags: new Set(['b', 'a']), ttl: 60_000 }]) {
      insert(one, options)
      expect([one.get('key'), other.get('key')]).toEqual([2, 2])
      other.invalidateTags(['b'])
      expect([one.get('key'), other.get('key')]).toEqual([undefined, undefined])
    }
  })

  test('a read that renews an entry keeps its tags', () => {
    one.set('key', 1, { slidingTtl: 1e-3 + 1e9, tags: ['a'] })
    for (const cache of both()) expect(cache.get('key')).toBe(1)
    one.invalidateTags(['a'])
    for (const cache of both()) expect(cache.get('key')).toBeUndefined()
  })

  test('a value that is computed while its tag is invalidated is absent', async () => {
    const options = { tags: ['a'] }
    one.getOrInsertComputed('computed', () => (other.invalidateTags(['a']), 1), options)
    expect([one.get('computed'), other.get('computed')]).toEqual([undefined, undefined])
    let release!: (value: number) => void
    const loaded = one.getOrLoad('loaded', async () => new Promise<number>((resolve) => (release = resolve)), options)
    const waiting = other.getOrLoad('loaded', () => 2, options)
    const before = one.getOrLoad('loaded', () => 3, options)
    other.invalidateTags(['a'])
    // Calls that come now get a value whose load begins now.
    const after = await one.getOrLoad('loaded', () => 4, options)
    expect(after).toBe(4)
    release(1)
    expect(await loaded).toBe(1)
    expect(await before).toBe(1)
    expect([2, 4]).toContain(await waiting)
    expect([one.get('loaded'), other.get('loaded')]).not.toContain(1)
    other.invalidateTags(['a'])
    expect([one.get('loaded'), other.get('loaded')]).toEqual([undefined, undefined])
  })

  test('an expired value that a load may still be served is not, once its tag was invalidated', async () => {
    for (const cache of both()) {
      await one.getOrLoad('key', () => 1, { ttl: 1, staleWhileRevalidate: 1e9, tags: ['old'] })
      while (one.has('key')) await new Promise((resolve) => setTimeout(resolve, 2))
      // A load without that tag is under way, and its lease has the value.
      let release!: (value: number) => void
      const served = one.getOrLoad('key', async () => new Promise<number>((resolve) => (release = resolve)))
      expect(await served).toBe(1)
      expect(await other.getOrLoad('key', () => 5)).toBe(1)
      cache.invalidateTags(['old'])
      expect(await other.getOrLoad('key', () => 2)).toBe(2)
      expect(await one.getOrLoad('key', () => 3)).toBe(2)
      release(4)
      await served
      expect(await one.getOrLoad('key', () => 3)).toBe(2)
      one.clear()
    }
  })

  test('a failure that is kept is forgotten with the tags of its load', async () => {
    const fail = (): never => {
      throw new Error('no')
    }
    await expect(one.getOrLoad('key', fail, { negativeTtl: 1e9, tags: ['a'] })).rejects.toThrow('no')
    await expect(other.getOrLoad('key', () => 1, { tags: ['a'] })).rejects.toThrow('no')
    one.invalidateTags(['a'])
    expect(await other.getOrLoad('key', () => 1, { tags: ['a'] })).toBe(1)
  })

  test('thousands of entries with a tag are gone at once, and those of others stay, while the cache grows', () => {
    for (let i = 0; i < 6000; i++) both()[i & 1].set(`key ${i}`, i, { tags: [`of ${i % 3}`, 'all'] })
    const left = one.size
    one.invalidateTags(['of 1'])
    for (const cache of both()) {
      expect([...cache.values()].filter((value) => (value as number) % 3 === 1)).toEqual([])
      expect(cache.snapshot().size).toBe([...cache.keys()].length)
    }
    sweep(one)
    expect(one.size).toBeLessThan(left)
    expect(one.size).toBe([...other.keys()].length)
    one.invalidateTags(['all'])
    expect([...other]).toEqual([])
    sweep(other)
    expect(one.size).toBe(0)
    sweep(one)
  })

  test('wrong tags are refused, and nothing changes', () => {
    one.set('key', 1)
    const many = Array.from({ length: 17 }, (_, i) => `tag ${i}`)
    const refusal = expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error
    for (const tags of ['text', '', 5, null, {}, [''], [5], [undefined], ['a', null], many] as Iterable<string>[]) {
      for (const cache of both()) {
        for (const [, write] of [...starting, ...inserting]) expect(() => write(cache, { tags })).toThrow(refusal)
        if (tags !== many) expect(() => cache.invalidateTags(tags)).toThrow(refusal)
      }
    }
    expect(() => one.touch('key', { tags: ['a'] } as object)).toThrow(refusal)
    expect(() => one.invalidateTags(undefined as never)).toThrow(refusal)
    expect([...other]).toEqual([['key', 1]])
    one
      .set('key', 2, { tags: many.slice(1) })
      .set('key 3', 3, { tags: [] })
      .set('key 4', 4, { tags: ['a', 'a'] })
    one.invalidateTags(many.slice(16))
    expect([one.get('key'), other.get('key')]).toEqual([undefined, undefined])
    one.invalidateTags([])
    expect([other.get('key 3'), other.get('key 4')]).toEqual([3, 4])
  })
})
