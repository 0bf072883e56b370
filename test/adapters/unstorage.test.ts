import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createStorage } from 'unstorage'
import { beforeEach, describe, expect, test } from 'vitest'
import unstorage, { unstorageDriver } from '../../src/adapters/unstorage.js'
import { advanceClock, ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

const { path, execArgv } = processCode(new URL('unstorage.program.ts', import.meta.url))

describe.each(lineups)('a driver of unstorage ($name)', (lineup) => {
  let cache: ConcurrentCache<string, unknown>
  let other: ConcurrentCache<string, unknown>
  beforeEach(() => {
    cache = new ConcurrentCache({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    other = ConcurrentCache.attach(cache.handle, { engine: lineup.engineOf(1) })
  })
  const open = (base?: string): ReturnType<typeof createStorage>[] =>
    [cache, other].map((each) => createStorage({ driver: unstorageDriver({ cache: each, base }) }))

  test('stores, finds, lists and removes items of any kind', async () => {
    const [a, b] = open()
    expect(await a.getItem('none')).toBe(null)
    for (const value of ['text', 0, '', false, null, { deep: [1, 'x'] }]) {
      await a.setItem('some:key', value)
      expect(await b.getItem('some:key')).toEqual(value)
      expect(await b.hasItem('some:key')).toBe(true)
    }
    await b.setItem('some/other/key', 1)
    expect((await a.getKeys('some')).sort()).toEqual(['some:key', 'some:other:key'])
    await b.removeItem('some:key')
    expect(await a.hasItem('some:key')).toBe(false)
    expect(await a.getItem('some:key')).toBe(null)
    await a.setItems([
      { key: 'x', value: '1' },
      { key: 'y', value: 'z' },
    ])
    expect(await b.getItems(['x', 'y', 'none'])).toEqual([
      { key: 'x', value: 1 },
      { key: 'y', value: 'z' },
      { key: 'none', value: null },
    ])
  })

  test('keeps bytes and dates as they are if they are stored raw', async () => {
    const [a, b] = open()
    for (const value of [new Uint8Array([0, 255]), new Date(5), { at: new Date(6) }]) {
      await a.setItemRaw('raw', value)
      expect(await b.getItemRaw('raw')).toEqual(value)
    }
  })

  test('lets items live as long as was said: of each, of all, of the driver, for ever', async () => {
    const [a, b] = open()
    const short = createStorage({ driver: unstorageDriver({ cache, base: 'short', ttl: 5 }) })
    await a.setItem('ten', 1, { ttl: 10 })
    await a.setItem('ever', 1)
    await a.setItems(
      [
        { key: 'twenty', value: '1', options: { ttl: 20 } },
        { key: 'thirty', value: '1' },
      ],
      { ttl: 30 },
    )
    await short.setItem('five', 1)
    expect((await b.getMeta('ten')).ttl).toBeGreaterThan(9)
    expect((await b.getMeta('ever')).ttl).toBe(undefined)
    const there = async (): Promise<string[]> => (await b.getKeys()).sort()
    expect(await there()).toEqual(['ever', 'short:five', 'ten', 'thirty', 'twenty'])
    advanceClock(cache, 6_000)
    expect(await there()).toEqual(['ever', 'ten', 'thirty', 'twenty'])
    advanceClock(cache, 6_000)
    expect(await there()).toEqual(['ever', 'thirty', 'twenty'])
    advanceClock(cache, 20_000)
    expect(await there()).toEqual(['ever'])
  })

  test('leaves what is not below its base alone', async () => {
    const [a] = open('a')
    const [, b] = open('b')
    cache.set('mine', 1)
    await a.setItem('key', 1)
    await b.setItem('key', 2)
    await b.setItem('deep:key', 3)
    expect([...cache.keys()].sort()).toEqual(['a:key', 'b:deep:key', 'b:key', 'mine'])
    expect(await a.getKeys()).toEqual(['key'])
    unstorageDriver({ cache: other, base: 'b' }).clear('deep:') // a storage itself asks only what is mounted below
    expect(await b.getKeys()).toEqual(['key'])
    await b.clear()
    expect([...cache.keys()].sort()).toEqual(['a:key', 'mine'])
    await a.dispose()
    expect(cache.get('mine')).toBe(1)
  })

  test('shares items with another process, which may be killed', async () => {
    using scratch = new Scratch()
    const file = scratch.file()
    const child = fork(path, [file, lineup.engineOf(0)], { execArgv })
    await once(child, 'message')
    const storage = createStorage({ driver: unstorage({ name: file, file, engine: lineup.engineOf(1) }) })
    expect(await storage.getItem('from the child')).toEqual({ pid: child.pid })
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await storage.getItem('from the child')).toEqual({ pid: child.pid })
    unstorage({ name: file, file, engine: lineup.engineOf(1) })
      .getInstance()
      .close()
  })
})

test.each([
  { cache: new Map() },
  { base: 1 },
  { ttl: 0 },
  { ttl: 'x' },
  { cache: new ConcurrentCache(), maxBytes: 2 ** 20 },
  { nonsense: 1 },
])('refuses %o', (options) => {
  expect(() => unstorageDriver(options as never)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
})
