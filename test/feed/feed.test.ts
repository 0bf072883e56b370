import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { HASH_END, NO_LIMIT } from '../../src/engine/engine.js'
import { FEED_PART, HEADER_FEED, HEADER_FEED_WATCHED, MIN_FEED_BYTES } from '../../src/format/layout.js'
import { ConcurrentCache, ConcurrentMap, advanceClock, type Change, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { until } from '../support/patience.js'
import { nearAndFarLineups } from '../support/run.js'
import { expectSound } from '../support/sound.js'

/** Types and keys. */
function brief(changes: readonly Change<Key>[]): string[] {
  return changes.map((change) => {
    if (change.type === 'missed') return 'missed'
    return `${change.type} ${change.type === 'invalidated' ? change.tag : String(change.key)}`
  })
}

describe.each(nearAndFarLineups)('the change feed ($name)', (lineup) => {
  const options = { engine: lineup.engineOf(0), maxBytes: 2 ** 20, ...lineup.attach } as const
  const open = (): { map: ConcurrentMap<Key, unknown>; other: ConcurrentMap<Key, unknown> } => {
    const map = new ConcurrentMap<Key, unknown>(options)
    return { map, other: ConcurrentMap.attach(map.handle, { ...lineup.attach, engine: lineup.engineOf(1) }) }
  }
  const isWatched = (map: ConcurrentMap<Key, unknown>): boolean =>
    (storeOf(map).open().words[HEADER_FEED_WATCHED] & 1) !== 0

  /** Reads up to `count` changes. */
  async function read(changes: AsyncIterator<Change<Key>>, count: number): Promise<Change<Key>[]> {
    const all: Change<Key>[] = []
    while (all.length < count) {
      const { done, value } = await changes.next()
      if (done === true) break
      all.push(value)
    }
    return all
  }

  test('tells of each key why it changed, with the version', async () => {
    const { map, other } = open()
    const changes = map.changes()
    other.set('a', 1)
    const version = other.getEntry('a')!.version
    map.increment('n')
    other.set('gone', 1)
    other.delete('gone')
    const [first, ...rest] = await read(changes, 3)
    expect(first).toEqual({ type: 'set', key: 'a', version })
    expect(brief(rest)).toEqual(['set n', 'deleted gone'])
    map.clear()
    expect(brief(await read(changes, 2)).sort()).toEqual(['cleared a', 'cleared n'])
    await changes.return()
    expect(isWatched(map)).toBe(false)
    for (const each of [map, other]) expectSound(each)
    other.close()
    map.close()
  })

  test('tells the last of several changes of a key', async () => {
    const { map, other } = open()
    const changes = map.changes({ keys: ['a', 'b'] })
    for (let i = 0; i < 100; i++) other.set('a', i)
    other.set('c', 1)
    other.delete('a')
    other.set('b', 1)
    expect(brief(await read(changes, 2))).toEqual(['deleted a', 'set b'])
    other.set('a', 7)
    const [change] = await read(changes, 1)
    expect(change).toEqual({ type: 'set', key: 'a', version: other.getEntry('a')!.version })
    other.close()
    map.close()
  })

  test('tells of keys of every kind, by value', async () => {
    const { map, other } = open()
    const keys: Key[] = [
      'text',
      '\0btext',
      'snow \u2603',
      '',
      5,
      NaN,
      10n ** 30n,
      true,
      new Uint8Array([1, 2]),
      'x'.repeat(5000),
    ]
    const changes = map.changes({ keys })
    const heard: Change<Key>[] = []
    for (const key of keys) map.watch(key, (change) => heard.push(change))
    for (const key of keys) other.set(key, 1)
    other.set('other', 1)
    other.set('y'.repeat(5000), 1)
    const told = await read(changes, keys.length)
    expect(told.map((change) => (change as { key: Key }).key)).toEqual(keys)
    expect(heard.map((change) => (change as { key: Key }).key).length).toBe(keys.length)
    other.close()
    map.close()
  })

  test('tells of prefixes, and of keys too long for it that some were missed', async () => {
    const { map, other } = open()
    const changes = map.changes({ prefix: 'user:' })
    const all = map.changes()
    other.set('user:1', 1)
    other.set('other', 1)
    other.set(5, 1)
    other.set('x'.repeat(3000), 1)
    other.set('user:2', 1)
    expect(brief(await read(changes, 2))).toEqual(['set user:1', 'set user:2'])
    expect(brief(await read(all, 2))).toEqual(['missed', 'set user:2'])
    other.set(`user:${'x'.repeat(3000)}`, 1)
    expect(brief(await read(changes, 1))).toEqual(['missed'])
    other.close()
    map.close()
  })

  test('says that some were missed when there were more than it takes', async () => {
    const { map, other } = open()
    const changes = map.changes()
    for (let i = 0; i < MIN_FEED_BYTES / 16; i++) other.set(`key ${i % 100}`, i)
    expect(brief(await read(changes, 1))).toEqual(['missed'])
    other.set('later', 1)
    expect(brief(await read(changes, 1))).toEqual(['set later'])
    other.close()
    map.close()
  })

  test('never lets who was told read an older value', async () => {
    const { map, other } = open()
    map.get('a')
    map.get('a')
    const changes = map.changes({ keys: ['a'] })
    for (let i = 1; i <= 50; i++) {
      other.set('a', i)
      await read(changes, 1)
      expect(map.get('a')).toBe(i)
    }
    other.close()
    map.close()
  })

  test('calls a listener until it is stopped, and others although one throws', async () => {
    const { map, other } = open()
    const heard: string[] = []
    const thrown: unknown[] = []
    const failing = (error: unknown): void => void thrown.push(error)
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', failing)
    try {
      const stopsItself = map.watch('a', () => {
        heard.push('stops')
        stopsItself.stop()
      })
      map.watch('a', () => {
        throw new Error('mine')
      })
      const last = map.watch('a', (change) => heard.push(change.type))
      other.set('a', 1)
      await until('the listeners were called', () => heard.length === 2 && thrown.length === 1)
      other.delete('a')
      await until('it was called again', () => heard.length === 3 && thrown.length === 2)
      last[Symbol.dispose]()
      last.stop()
      other.set('a', 2)
      await until('the other was called', () => thrown.length === 3)
      expect(heard).toEqual(['stops', 'set', 'deleted'])
    } finally {
      process.off('uncaughtException', failing)
      for (const listener of before) process.on('uncaughtException', listener)
    }
    other.close()
    map.close()
  })

  test('ends with break, with the map, and with the reason of an abort', async () => {
    const { map, other } = open()
    const broken = map.changes()
    other.set('a', 1)
    for await (const change of broken) {
      expect(change.type).toBe('set')
      break
    }
    expect(await broken.next()).toEqual({ done: true, value: undefined })
    expect(isWatched(map)).toBe(false)

    const abort = new AbortController()
    const aborted = map.changes({ signal: abort.signal })
    const pending = aborted.next()
    const reason = new Error('mine')
    abort.abort(reason)
    await expect(pending).rejects.toBe(reason)
    expect(await aborted.next()).toEqual({ done: true, value: undefined })
    await expect(map.changes({ signal: abort.signal }).next()).rejects.toBe(reason)
    expect(isWatched(map)).toBe(false)

    const closed = map.changes()
    const waiting = closed.next()
    const listener = vi.fn()
    map.watch('a', listener)
    other.set('a', 2)
    map.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await closed.next()).toEqual({ done: true, value: undefined })
    await turn()
    expect(listener).not.toHaveBeenCalled()
    expect(isWatched(other)).toBe(false)
    expect(() => map.changes()).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }))
    expect(() => map.watch('a', listener)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }))
    expectSound(other)
    other.close()
  })

  test('a listener may close the map', async () => {
    const { map, other } = open()
    const heard: string[] = []
    map.watch('a', () => {
      heard.push('a')
      map.close()
    })
    map.watch('a', () => heard.push('b'))
    other.set('a', 1)
    await until('it was called', () => heard.length > 0)
    await turn()
    expect(heard).toEqual(['a'])
    expect(isWatched(other)).toBe(false)
    other.close()
  })

  test('refuses what is wrong, and takes no memory for it', () => {
    const { map, other } = open()
    const wrong: unknown[] = [
      ...[5, null, [], { which: 1 }, { keys: 5 }, { keys: 'text' }, { keys: [] }, { keys: new Uint8Array(2) }],
      ...[{ prefix: '' }, { prefix: 5 }, { keys: ['a'], prefix: 'a' }, { signal: 5 }],
    ]
    for (const options of wrong) {
      expect(() => map.changes(options as never)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
    }
    expect(() => map.watch('a', 5 as never)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
    const badKeys = [{}, undefined, Symbol('s'), () => 1]
    for (const key of badKeys) {
      expect(() => map.watch(key as never, () => 1)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_KEY_TYPE' }))
      expect(() => map.changes({ keys: ['a', key as never] })).toThrow(
        expect.objectContaining({ code: 'ERR_MAPSAFE_KEY_TYPE' }),
      )
    }
    expect(() => map.update('a', () => map.watch('a', () => 1))).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_REENTRANT' }),
    )
    expect(storeOf(map).open().words[HEADER_FEED]).toBe(0)
    expect(isWatched(map)).toBe(false)
    other.close()
    map.close()
  })

  test('of a cache tells what expires and what is evicted, and no touch', async () => {
    const cache = new ConcurrentCache<string, number>({ ...options, maxEntries: 100 })
    const other = ConcurrentCache.attach<string, number>(cache.handle, { ...lineup.attach, engine: lineup.engineOf(1) })
    other.set('old', 1, { ttl: 1000 })
    const changes = cache.changes()
    other.touch('old', { ttl: 2000 })
    advanceClock(other, 5000)
    other.set('new', 1)
    expect(brief(await read(changes, 2)).sort()).toEqual(['expired old', 'set new'])
    const there = new Set(['new'])
    const seen: string[] = []
    for (let i = 0; i < 300; i++) other.set(`key ${i}`, i)
    other.set('end', 1)
    for await (const change of changes) {
      if (!('key' in change)) throw new Error(change.type)
      seen.push(change.type)
      if (change.type === 'set') there.add(change.key)
      else there.delete(change.key)
      if (change.key === 'end') break
    }
    expect(seen).toContain('evicted')
    expect([...there].sort()).toEqual([...other.keys()].sort())
    other.close()
    cache.close()
  })

  test('of a cache tells which tags are invalidated, at once, and then which keys that took', async () => {
    const cache = new ConcurrentCache<string, number>(options)
    const other = ConcurrentCache.attach<string, number>(cache.handle, { ...lineup.attach, engine: lineup.engineOf(1) })
    other
      .set('a', 1, { tags: ['group', 'snow \u2603'] })
      .set('b', 2, { tags: ['group'] })
      .set('c', 3)
    const all = cache.changes()
    const some = cache.changes({ prefix: 'c' })
    const concerned = cache.changes({ keys: ['a', 'c'] })
    const unconcerned = cache.changes({ keys: ['c'] })
    const heard: string[] = []
    const listeners = ['b', 'c'].map((key) => cache.watch(key, (change) => heard.push(`${key}: ${change.type}`)))
    other.invalidateTags(['unknown', 'group', 'unknown', 'snow \u2603'])
    const told = ['invalidated unknown', 'invalidated group', 'invalidated snow \u2603']
    for (const changes of [all, some, concerned]) {
      expect(brief(await read(changes, 3))).toEqual(told)
      expect(cache.has('a')).toBe(false)
    }
    expect(heard).toEqual(told.map(() => 'b: invalidated'))
    other.set('c', 4)
    expect(brief(await read(unconcerned, 1))).toEqual(['set c'])
    // Coalesced by tag, and without a key of that name.
    for (let i = 0; i < 10; i++) other.invalidateTags(['group'])
    other.set('group', 1)
    const rest = brief(await read(all, 3))
    expect(rest).toEqual(['set c', 'invalidated group', 'set group'])
    for (let from = 0; from < HASH_END;) from = storeOf(other).open().sweep(from, NO_LIMIT)
    expect(brief(await read(all, 2)).sort()).toEqual(['expired a', 'expired b'])
    // The ring has no room for it.
    other.invalidateTags(['x'.repeat(1000)])
    expect(brief(await read(all, 1))).toEqual(['missed'])
    for (const listener of listeners) listener.stop()
    for (const changes of [all, some, concerned, unconcerned]) await changes.return()
    other.invalidateTags(['group'])
    expectSound(cache)
    other.close()
    cache.close()
  })
})

test('the ring takes a small part of the memory, when the first one watches', () => {
  using map = new ConcurrentMap<string, number>({ maxBytes: 16 * 2 ** 20 })
  const { used } = { used: map.stats().memory.index }
  map.watch('a', () => 1).stop()
  expect(map.stats().memory.index - used).toBe((16 * 2 ** 20) / FEED_PART)
  expectSound(map)
})

test.each(['native', 'typescript'] as const)('repair keeps the ring (%s)', (engine) => {
  using map = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20, engine, nearCache: false })
  using watching = map.watch('a', () => 1)
  expect(map.repair()).toMatchObject({ blocksFreed: 0, hasLookedForLeaks: true })
  watching.stop()
  expectSound(map)
})

test('watching keeps a cache that is full of entries going', () => {
  using cache = new ConcurrentCache<number, string>({ maxBytes: 16 * 2 ** 20 })
  for (let i = 0; i < 100_000; i++) cache.set(i, 'x'.repeat(200))
  const watching = cache.watch(1, () => 1)
  for (let i = 0; i < 1000; i++) cache.set(i, 'y')
  watching.stop()
  expectSound(cache)
})
