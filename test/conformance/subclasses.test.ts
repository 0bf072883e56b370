import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type ConcurrentMapOptions } from '../../src/index.js'
import { nearAndFarLineups } from '../support/run.js'

describe.each(nearAndFarLineups)('a subclass ($name)', (lineup) => {
  const engine = lineup.engineOf(1)
  const options = { engine, maxBytes: 2 ** 20, ...lineup.attach }

  class Sessions extends ConcurrentMap<string, number> {
    readonly label = 'sessions'
    twice(key: string): number {
      return (this.get(key) ?? 0) * 2
    }
  }
  class Pages extends ConcurrentCache<string, number> {
    readonly pages = new Set<string>()
  }

  test('is what its attach gives, with its fields and methods', () => {
    using made = new Sessions(options)
    made.set('a', 21)
    using attached = Sessions.attach(made.handle, { engine: lineup.engineOf(0), ...lineup.attach })
    expect(attached).toBeInstanceOf(Sessions)
    expect([attached.twice('a'), attached.label]).toEqual([42, 'sessions'])
    expect(attached.stats().threads.map((thread) => thread.engine)).toContain(lineup.engineOf(0))
    using cache = new Pages({ ...options, ttl: 60_000 })
    cache.set('a', 1)
    using again = Pages.attach(cache.handle, { engine })
    expect(again).toBeInstanceOf(Pages)
    expect([again.get('a'), again.pages.size]).toEqual([1, 0])
    using plain = ConcurrentCache.attach<string, number>(cache.handle, { engine })
    expect(plain).not.toBeInstanceOf(Pages)
  })

  test('may be called without the class, as before', () => {
    using map = new ConcurrentMap<string, number>(options)
    const { attach } = ConcurrentMap
    using attached = attach<string, number>(map.handle, { engine })
    expect(attached.set('a', 1)).toBeInstanceOf(ConcurrentMap)
    expect(map.get('a')).toBe(1)
    using cache = new ConcurrentCache<string, number>(options)
    using again = Reflect.apply(ConcurrentCache.attach, {}, [cache.handle, { engine }]) as typeof cache
    expect(again).toBeInstanceOf(ConcurrentCache)
  })

  test('has options of its own where its constructor passes on those it is given', () => {
    class Configured extends ConcurrentMap<string, number> {
      constructor(given?: ConcurrentMapOptions) {
        super(given ?? options)
      }
    }
    using made = new Configured()
    using attached = Configured.attach(made.set('a', 1).handle, { engine })
    expect(attached.get('a')).toBe(1)
  })

  test('whose constructor opens another map is refused, and that map is closed', () => {
    const opened: ConcurrentMap<string, number>[] = []
    class Own extends ConcurrentMap<string, number> {
      constructor(given?: ConcurrentMapOptions) {
        super({ ...given, ...options })
        opened.push(this)
      }
    }
    using made = new Own()
    const refusal = expect.objectContaining({
      code: 'ERR_MAPSAFE_OPTIONS',
      message: expect.stringMatching(/^The constructor of Own opened another map .* super\(options\)\.$/) as string,
    }) as Error
    expect(() => Own.attach(made.handle)).toThrow(refusal)
    expect(opened).toHaveLength(2)
    expect(() => opened[1].size).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error)
    expect(made.stats().threads).toHaveLength(1)
  })
})
