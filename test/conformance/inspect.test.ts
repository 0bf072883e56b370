import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { lineups } from '../support/run.js'

describe.each(lineups)('what console.log shows ($name)', (lineup) => {
  const engine = lineup.engineOf(1)

  test('of a map is what it is, its size and its memory', () => {
    using map = new ConcurrentMap<string, number>({ engine, maxBytes: 2 ** 20 })
    map.set('secret', 1)
    const shown = inspect(map, { breakLength: Infinity })
    const { bytesInUse } = map.stats()
    expect(shown).toBe(`ConcurrentMap { engine: '${engine}', size: 1, bytesInUse: ${bytesInUse}, bytesTotal: 1048576 }`)
    expect(inspect({ a: { b: { c: map } } })).toBe('{ a: { b: { c: [ConcurrentMap] } } }')
    class Sessions extends ConcurrentMap<string, number> {}
    using sessions = new Sessions({ engine, maxBytes: 2 ** 20 })
    expect(inspect(sessions)).toMatch(/^Sessions \{/)
  })

  test('of a cache has its options, too', () => {
    using cache = new ConcurrentCache({ engine, maxBytes: 2 ** 20, ttl: 5000 })
    expect(inspect(cache)).toMatch(/^ConcurrentCache \{[^]* ttl: 5000,\s+maxEntries: undefined\s+\}$/)
    using bounded = new ConcurrentCache({ engine, maxBytes: 2 ** 20, maxEntries: 10 })
    expect(inspect(bounded)).toMatch(/ ttl: Infinity,\s+maxEntries: 10\s+\}$/)
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
    expect(Object.keys(map.handle)).toEqual(['kind', 'region'])
  })
})
