import { describe, expect, test, vi } from 'vitest'
import type * as Package from '../../src/index.js'
import { lineups } from '../support/run.js'

/** The package as a module of its own, as a test runner or a cleared cache of modules loads it. */
async function load(): Promise<typeof Package> {
  vi.resetModules()
  return import('../../src/index.js')
}

describe.each(lineups)('the package loaded twice in one thread ($name)', (lineup) => {
  test('has one guard of the maps that must not be written', async () => {
    const [first, again] = [await load(), await load()]
    expect(again.ConcurrentMap).not.toBe(first.ConcurrentMap)
    const a = new first.ConcurrentMap<string, number>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    const b = again.ConcurrentMap.attach<string, number>(a.handle, { engine: lineup.engineOf(1) })
    a.set('key', 1)
    const write = (): unknown => a.update('key', () => (b.set('key', 2), 3))
    expect(write).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_REENTRANT' }))
    expect(b.get('key')).toBe(1)
    for (const map of [a, b]) map.close()
  })
})
