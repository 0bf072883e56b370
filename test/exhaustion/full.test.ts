import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled, seed } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './full.tasks.js'

const MIB = 2 ** 20
const crew = new Crew<typeof tasks>(new URL('full.tasks.ts', import.meta.url), 3)
afterAll(() => crew.dismiss())

describe.each(lineups)('a map that several workers fill to the brim ($name)', (lineup) => {
  test('refuses what has no room, loses nothing, and has room after deletions', async () => {
    using map = crew.open<number, unknown>(lineup, { maxBytes: 3 * MIB })
    const filled = await crew.run({ lineup, handle: map.handle }, 'fillAndEmpty', scaled(2))
    expect(
      filled.flatMap(({ faults }) => faults),
      `MAPSAFE_SEED=${seed}`,
    ).toEqual([])
    for (const { refusals } of filled) expect(refusals).toEqual(['ERR_MAPSAFE_FULL'])
    expect(map.size).toBe(filled.reduce((sum, { stored }) => sum + stored, 0))
    expectSound(map)

    // Too large for any map of this size is another matter than too large for now, however full it is.
    const [[key, value]] = map
    const tooLarge = expect.objectContaining({ code: 'ERR_MAPSAFE_ENTRY_TOO_LARGE' }) as Error
    expect(() => map.set(key, 'x'.repeat(4 * MIB))).toThrow(tooLarge)
    expect(map.get(key)).toEqual(value)

    map.clear()
    expect(map.repair()).toMatchObject({ hasLookedForLeaks: true, blocksFreed: 0, sizeCorrection: 0 })
    // What filled two thirds of the region when it was new has room again in one piece.
    map.set(key, 'x'.repeat(2 * MIB))
    expectSound(map)
  })
})
