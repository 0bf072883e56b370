import { expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { lineups } from '../support/run.js'

// Each prefix that was ever used keeps its place; a map must not make do with less, as a cache does.
test.each(lineups)(
  'a map that can tell no more namespaces apart refuses a write and loses nothing ($name)',
  (lineup) => {
    using map = new ConcurrentMap<string, number>({ maxBytes: 4 * 2 ** 20, engine: lineup.engineOf(0) })
    const names: string[] = []
    let refused: unknown
    while (refused === undefined && names.length < 20_000) {
      const name = `${names.length}:`
      try {
        map.namespace(name).set('key', names.length)
        names.push(name)
      } catch (error) {
        refused = error
      }
    }
    // What the guide says of it: some 1,200 for each MiB.
    expect(names.length / 4).toBeGreaterThan(1200)
    expect(refused).toMatchObject({
      code: 'ERR_MAPSAFE_FULL',
      message: expect.stringMatching(/namespaces apart/) as string,
    })
    // Every second one is cleared; the others keep what they have.
    names.forEach((name, i) => i % 2 === 1 && map.namespace(name).clear())
    expect(names.filter((name, i) => map.namespace(name).get('key') !== (i % 2 === 1 ? undefined : i))).toEqual([])
    map.namespace(names[1]).set('key', 1)
    expect(map.get(`${names[1]}key`)).toBe(1)
  },
)
