import { describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { DONE, FULL, PUT_ALWAYS, RESULT_STATUS } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { VALUE_NUMBER } from '../../src/format/layout.js'
import { lineups } from '../support/run.js'
import { expectSound } from '../support/sound.js'

/** Races that an operation loses before it holds its key. */
const TRIES = 16
const KEY = 'key'

describe.each(lineups)('a call that loses every race for its key ($name)', (lineup) => {
  test('a condition on a key that others deleted, in a full map, is answered, not refused for want of room', () => {
    using map = new ConcurrentMap<string | number, number | string>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    // A map object would be refused to write while this thread decides about a write.
    const other = openEngine(map.handle.region!, lineup.engineOf(1))
    const set = (key: string, value: number): boolean => {
      other.put(key, VALUE_NUMBER, value, PUT_ALWAYS)
      return other.result[RESULT_STATUS] === DONE
    }
    const fill = (): void => {
      for (let i = 0; set(`filler ${i}`, i); i++);
      expect(other.result[RESULT_STATUS]).toBe(FULL)
    }
    map.set(KEY, 0)
    let asked = 0
    const deleted = map.deleteWhere((_, key) => {
      if (key !== KEY) return false
      // The last time, another key takes the place.
      if (++asked < TRIES) set(KEY, asked)
      else if (asked === TRIES) {
        other.remove(KEY, PUT_ALWAYS)
        fill()
      }
      return true
    })
    expect(asked).toBe(TRIES)
    expect(deleted).toBe(0)
    expect(map.compareAndDelete(KEY, 1)).toBe(false)
    other.close()
    expectSound(map)
  })
})
