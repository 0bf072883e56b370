import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { advanceClock, ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { HEADER_SECRET_0, HEADER_SECRET_1 } from '../../src/format/layout.js'
import { lineups } from '../support/run.js'

describe.each(lineups)('what console.log shows ($name)', (lineup) => {
  const engine = lineup.engineOf(1)

  test('of a map is what it is, its size and its memory', () => {
    using map = new ConcurrentMap<string, number>({ engine, maxBytes: 2 ** 20 })
    map.set('key', 1)
    const shown = inspect(map, { breakLength: Infinity })
    const { bytesInUse } = map.stats()
    const figures = `engine: '${engine}', size: 1, bytesInUse: ${bytesInUse}, bytesTotal: 1048576`
    expect(shown).toBe(`ConcurrentMap { ${figures}, entries: { 'key' => 1 } }`)
    expect(inspect({ a: { b: { c: map } } })).toBe('{ a: { b: { c: [ConcurrentMap] } } }')
    class Sessions extends ConcurrentMap<string, number> {}
    using sessions = new Sessions({ engine, maxBytes: 2 ** 20 })
    expect(inspect(sessions)).toMatch(/^Sessions \{/)
  })

  test('is a few entries, whatever there is, and no byte of a value', () => {
    using map = new ConcurrentMap<Key, unknown>({ engine, maxBytes: 16 * 2 ** 20, ...lineup.attach })
    const entries = (): string => /entries: (\{[^]*\})\s\}$/.exec(inspect(map, { breakLength: Infinity }))![1]
    expect(entries()).toBe('{}')
    map.set('bytes', Buffer.from('a secret'))
    expect(entries()).toBe("{ 'bytes' => Uint8Array of 8 bytes }")
    map.clear()
    map.set(Uint8Array.of(7, 7), { bytes: new ArrayBuffer(8), nested: { secret: 'nested' }, list: [1] })
    expect(entries()).toBe('{ Uint8Array of 2 bytes => { bytes: [ArrayBuffer], nested: [Object], list: [Array] } }')
    map.clear()
    map.set('k'.repeat(500_000), 'v'.repeat(500_000)).set('list', Array.from({ length: 1000 }, String))
    expect(entries().length).toBeLessThan(500)
    for (let i = 0; i < 10_000; i++) map.set(`key ${i}`, { i, text: 'x'.repeat(100) })
    expect(entries()).toMatch(/^\{ ([^]+ => [^]+, ){3}\.\.\. 9999 more \}$/)
    expect(entries().length).toBeLessThan(1000)
    const reads = map.stats().counters
    entries()
    expect(map.stats().counters).toEqual(reads)
  })

  test('is no entry that has expired, and is shown from inside a function that decides on a write', () => {
    using cache = new ConcurrentCache<string, number>({ engine, maxBytes: 2 ** 20, ttl: 1000 })
    cache.set('gone', 1)
    advanceClock(cache, 2000)
    cache.set('here', 2)
    expect(inspect(cache)).toContain("{ 'here' => 2")
    expect(inspect(cache)).not.toContain('gone')
    cache.update('here', (value = 0) => {
      expect(inspect(cache)).toContain("'here' => 2")
      return value + 1
    })
    expect(cache.get('here')).toBe(3)
  })

  test('of a cache has its options, too', () => {
    using cache = new ConcurrentCache({ engine, maxBytes: 2 ** 20, ttl: 5000 })
    expect(inspect(cache)).toMatch(/^ConcurrentCache \{[^]* ttl: 5000,\s+maxEntries: undefined,\s+entries: \{\}\s+\}$/)
    using bounded = new ConcurrentCache({ engine, maxBytes: 2 ** 20, maxEntries: 10 })
    expect(inspect(bounded)).toMatch(/ ttl: Infinity,\s+maxEntries: 10,\s+entries: \{\}\s+\}$/)
  })

  test('of one that was closed says so, and nothing throws for what is no map', () => {
    const map = new ConcurrentMap({ engine, maxBytes: 2 ** 20 })
    map.close()
    expect(inspect(map)).toBe('ConcurrentMap { closed }')
    expect(inspect(ConcurrentMap.prototype)).toContain('ConcurrentMap')
    expect(inspect(ConcurrentCache.prototype)).toContain('ConcurrentCache')
    expect(() => inspect(Object.create(map))).not.toThrow()
  })

  test('is never a byte of the memory, which has the secret of the hash in it', () => {
    using map = new ConcurrentMap({ engine, maxBytes: 2 ** 20 })
    using attached = ConcurrentMap.attach(structuredClone(map.handle), { engine })
    const shown = [map, map.handle, [map.handle], { handle: attached.handle }, map.snapshot(), map.stats(), map.keys()]
    for (const each of shown) {
      for (const options of [{}, { depth: null, showHidden: true }]) {
        expect(inspect(each, options)).not.toMatch(/Uint8Contents|<[0-9a-f]{2} /)
      }
    }
    expect(inspect(map.handle)).toBe("{ kind: 'mapsafe.map', region: SharedArrayBuffer of 1048576 bytes }")
    expect(inspect(map.handle.region)).toBe('SharedArrayBuffer of 1048576 bytes')
    expect(Object.keys(map.handle)).toEqual(['kind', 'region'])
  })

  test('of a handle that was received has neither the secret nor an entry, and no byte once it was used', () => {
    using map = new ConcurrentMap<string, string>({ engine, maxBytes: 2 ** 20 })
    map.set('a key', 'a value')
    const words = new Int32Array(map.handle.region!)
    const bytes = Buffer.from(map.handle.region!)
    const secret = [
      words.subarray(HEADER_SECRET_0, HEADER_SECRET_0 + 1),
      words.subarray(HEADER_SECRET_1, HEADER_SECRET_1 + 1),
    ]
    const spaced = (part: Uint8Array | Int32Array): string =>
      Buffer.from(part.buffer, part.byteOffset, part.byteLength)
        .toString('hex')
        .replace(/..(?=.)/g, '$& ')
    const received = structuredClone(map.handle)
    const shown = inspect(received)
    expect(shown).toContain(spaced(bytes.subarray(0, 16)))
    for (const part of secret) expect(shown).not.toContain(spaced(part))
    expect(shown).not.toContain(spaced(Buffer.from('a key')))
    Object.freeze(received)
    using attached = ConcurrentMap.attach<string, string>(received, { engine })
    expect(inspect(received)).toBe("{ kind: 'mapsafe.map', region: SharedArrayBuffer of 1048576 bytes }")
    expect(attached.get('a key')).toBe('a value')

    const frozen = structuredClone(map.handle)
    Object.freeze(frozen.region)
    ConcurrentMap.attach(frozen, { engine }).close()
  })

  test('and JSON tells no byte either, nor do errors and what else the library hands out', async () => {
    using cache = new ConcurrentCache<string, unknown>({ engine, maxBytes: 2 ** 20 })
    cache.set('a key', { list: ['a value'] })
    const failure = (run: () => unknown): unknown => {
      try {
        return run()
      } catch (error) {
        return error
      }
    }
    const errors = [
      failure(() => cache.set('a', Buffer.alloc(2 ** 21))),
      failure(() => cache.increment('a key')),
      failure(() => ConcurrentMap.attach(cache.handle)),
      failure(() => ConcurrentCache.attach({ ...cache.handle, region: new SharedArrayBuffer(2 ** 20) })),
      await cache.getOrLoad('b', () => Promise.reject(new Error('no'))).catch((error: unknown) => error),
    ]
    expect(errors.map((error) => error instanceof Error)).toEqual(errors.map(() => true))
    const handed = [
      cache,
      cache.handle,
      cache.snapshot(),
      cache.stats(),
      cache.health(),
      cache.verify(),
      cache.entries(),
    ]
    for (const each of [...handed, ...errors, { error: errors[0], cache }]) {
      for (const options of [{}, { depth: null, showHidden: true, maxArrayLength: null }]) {
        expect(inspect(each, options)).not.toMatch(/Uint8Contents|<[0-9a-f]{2} |Int32Array|ArrayBuffer \{|a value/)
      }
    }
    const { bytesInUse } = cache.stats()
    const summary = { class: 'ConcurrentCache', size: 1, bytesInUse, bytesTotal: 2 ** 20 }
    expect(JSON.parse(JSON.stringify({ cache }))).toEqual({ cache: summary })
    const closed = ConcurrentCache.attach(cache.handle, { engine })
    closed.close()
    expect(JSON.stringify(closed)).toBe('{"class":"ConcurrentCache","closed":true}')
    expect(JSON.stringify(cache.handle)).toBe('{"kind":"mapsafe.cache","region":{}}')
    expect(JSON.stringify(cache.snapshot())).toBe('{"size":1}')
  })
})
