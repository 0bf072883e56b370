import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { DONE, FULL, PUT_ALWAYS, RESULT_STATUS, type Engine } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { VALUE_NUMBER } from '../../src/format/layout.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { lineups } from '../support/run.js'
import { expectSound } from '../support/sound.js'

/** Races that an operation loses before it holds its key. */
const TRIES = 16
const KEY = 'key'

/** Has `run` called after each read by an engine, as if another thread were faster than the write that follows. */
function afterReads(engine: Engine, run: () => void): void {
  const get = engine.get.bind(engine)
  engine.get = (key) => {
    const value = get(key)
    run()
    return value
  }
}

/** Has `run` called before an engine holds a key. */
function beforeHolds(engine: Engine, run: () => void): void {
  const hold = engine.hold.bind(engine)
  engine.hold = (key) => {
    run()
    return hold(key)
  }
}

/** Notes which statuses writes of a held key end with. */
function endsOfHolds(engine: Engine): number[] {
  const ends: number[] = []
  const putHeld = engine.putHeld.bind(engine)
  engine.putHeld = (...given) => {
    putHeld(...given)
    ends.push(engine.result[RESULT_STATUS])
  }
  return ends
}

describe.each(lineups)('a call that loses every race for its key ($name)', (lineup) => {
  test('touch holds the key, and where that leaves no room for the entry, evicts', () => {
    using cache = new ConcurrentCache<string | number, string>({ maxBytes: 2 ** 22, engine: lineup.engineOf(0) })
    using other = ConcurrentCache.attach<string | number, string>(cache.handle, {
      engine: lineup.engineOf(1),
      nearCache: false,
    })
    // Of the size class of all others, so that what one frees another takes.
    const value = 'v'.repeat(20_000)
    const engine = storeOf(cache).open()
    let toLose = 0
    let filler = 0
    const fill = (): void => {
      other.set(filler++, 'x'.repeat(value.length))
      other.get(KEY) // so that it is not the next to be evicted
    }
    afterReads(engine, () => {
      if (toLose === 0) return
      toLose--
      other.set(KEY, value)
    })
    // What the lost writes gave back is taken by others before the key is held.
    beforeHolds(engine, () => {
      for (let i = 0; i < 20; i++) fill()
    })
    const ends = endsOfHolds(engine)
    while (filler < 500) fill()
    let touched = 0
    for (let round = 0; round < 30; round++) {
      other.set(KEY, value)
      toLose = TRIES
      // False if the key was evicted all the same.
      if (!cache.touch(KEY, 60_000)) continue
      touched++
      expect(toLose).toBe(0)
      expect(cache.get(KEY)).toBe(value)
    }
    expect(touched).toBeGreaterThan(0)
    expect(ends).toContain(FULL)
    expectSound(cache)
  })

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
