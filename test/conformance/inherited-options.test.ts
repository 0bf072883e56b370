import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type CacheHandle } from '../../src/index.js'
import { Scratch } from '../support/scratch.js'

const polluted = Object.prototype as Record<string, unknown>
const names: string[] = []

/** Puts a property where every object inherits it. */
function pollute(name: string, value: unknown): void {
  names.push(name)
  Object.defineProperty(polluted, name, { value, writable: true, enumerable: true, configurable: true })
}

afterEach(() => {
  for (const name of names.splice(0)) Reflect.deleteProperty(polluted, name)
})

describe('what stands in Object.prototype is no option', () => {
  test('of a new map', () => {
    const scratch = new Scratch()
    const file = scratch.file()
    pollute('file', file)
    pollute('maxBytes', 5)
    pollute('engine', 'none')
    pollute('nearCache', 5)
    pollute('freeze', 'no')
    pollute('cache', { ttl: 1, maxEntries: 1 })
    pollute('ttl', -1)
    pollute('maxEntries', -1)
    for (const options of [undefined, {}, { nearCache: {} }]) {
      const map = new ConcurrentMap<string, number>(options)
      const cache = new ConcurrentCache<string, number>(options)
      expect(Object.hasOwn(map.handle, 'file')).toBe(false)
      expect([map.handle.kind, cache.handle.kind]).toEqual(['mapsafe.map', 'mapsafe.cache'])
      ConcurrentMap.attach(map.handle).close()
      ConcurrentCache.attach(cache.handle, {}).close()
      cache.set('a', 1)
      expect(cache.getEntry('a')?.expiresAt).toBeUndefined()
      map.close()
      cache.close()
    }
    expect(existsSync(file)).toBe(false)
    scratch[Symbol.dispose]()
  })

  test('of a write, a load or a scan', async () => {
    const cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
    pollute('ttl', 1)
    pollute('expiresAt', 1)
    pollute('count', 0)
    pollute('part', 7)
    pollute('parts', 0)
    pollute('timeout', -1)
    pollute('negativeTtl', -1)
    pollute('signal', 5)
    cache.set('a', 1, {}).setMany([['b', 2]], {})
    expect(cache.touch('a', 10_000)).toBe(true)
    expect(cache.get('b')).toBe(2)
    expect(cache.getEntry('b')?.expiresAt).toBeUndefined()
    expect(cache.scan(0, {}).entries).toHaveLength(2)
    expect(cache.scan().entries).toHaveLength(2)
    await expect(cache.getOrLoad('c', () => 3, {})).resolves.toBe(3)
    await expect(cache.getOrLoad('d', () => 4)).resolves.toBe(4)
    cache.close()
  })

  test('of a handle', () => {
    const map = new ConcurrentMap({ maxBytes: 2 ** 20 })
    pollute('region', map.handle.region)
    pollute('kind', 'mapsafe.map')
    expect(() => ConcurrentCache.attach({} as CacheHandle)).toThrow(/The handle is an object/)
    expect(() => ConcurrentMap.attach({} as CacheHandle)).toThrow(/The handle is an object/)
    map.close()
  })
})

test('what a class or other options hand down is an option', () => {
  class Short {
    // eslint-disable-next-line @typescript-eslint/class-literal-property-style -- the case
    get ttl(): number {
      return 5000
    }
  }
  const cache = new ConcurrentCache<string, number>(Object.create({ maxBytes: 2 ** 20, ttl: 60_000 }) as object)
  const now = Date.now()
  cache.set('a', 1)
  expect(cache.getEntry('a')?.expiresAt).toBeGreaterThan(now + 50_000)
  cache.set('b', 1, new Short())
  expect(cache.getEntry('b')?.expiresAt).toBeLessThan(now + 50_000)
  cache.close()
})
