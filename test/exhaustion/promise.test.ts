import { describe, expect, test } from 'vitest'
import { histories, type History } from '../../bench/histories/index.js'
import { KEY_BYTES, mixOf } from '../../bench/histories/mixes.js'
import { ALL, CLEAR, Planner } from '../../bench/histories/planner.js'
import { advanceClock, ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { randomNumbers } from '../../bench/harness/draws.js'
import { lineups, seed, type Lineup } from '../support/run.js'

// What docs/guide/10-memory-and-limits.md promises after any history, of a small map.
const MAX_BYTES = 8 * 2 ** 20
/**
 * Of the share that the mix promises, what histories fill, and what is filled afterwards before the first refusal. Less
 * with two attachments: each keeps blocks of its own for its next writes, which it gives back in its next call only.
 */
const LIVE = 0.85
const LIVE_OF_TWO = 0.75
const AFTER_ANY_HISTORY = 0.8
/** Longer entries need more pages in a row than there may be. */
const LONGEST = MAX_BYTES / 128
const MOST_LONG_REFUSALS = 50
const TTL = 1_000_000_000

type Subject = ConcurrentMap<string, Uint8Array>

const bytes = new Uint8Array(2 ** 20).fill(120)
const keyOf = (key: number): string => `k${key.toString(36).padStart(KEY_BYTES - 1, '0')}`

/** One map for each engine of the lineup, on one region; operations take turns. */
function open(lineup: Lineup, isCache: boolean): Subject[] {
  const options = { maxBytes: MAX_BYTES, nearCache: false as const, engine: lineup.engineOf(0) }
  const first: Subject = isCache
    ? new ConcurrentCache<string, Uint8Array>({ ...options, ttl: TTL })
    : new ConcurrentMap<string, Uint8Array>(options)
  if (lineup.engineOf(0) === lineup.engineOf(1)) return [first]
  const attached = { nearCache: false as const, engine: lineup.engineOf(1) }
  const second: Subject =
    first instanceof ConcurrentCache
      ? ConcurrentCache.attach<string, Uint8Array>(first.handle, attached)
      : ConcurrentMap.attach<string, Uint8Array>(first.handle, attached)
  return [first, second]
}

function isRefused(map: Subject, key: number, size: number): boolean {
  try {
    map.set(keyOf(key), bytes.subarray(0, size))
    return false
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
    return true
  }
}

/** Does what the history says. Returns the sets that were refused. */
function live(maps: readonly Subject[], operations: Uint32Array): string[] {
  const refusals: string[] = []
  for (let at = 0; at < operations.length; at += 2) {
    const map = maps[(at / 2) % maps.length]
    const [key, what] = [operations[at], operations[at + 1]]
    if (key === ALL) {
      if (what === CLEAR) map.clear()
      else if (map instanceof ConcurrentCache) advanceClock(map, TTL)
    } else if (what === 0) map.delete(keyOf(key))
    else if (isRefused(map, key, what - 1) && what <= LONGEST) refusals.push(`${what - 1} bytes in operation ${at / 2}`)
  }
  return refusals
}

function shareOf(map: Subject): number {
  let sum = 0
  for (const value of map.values()) sum += value.length + KEY_BYTES
  return sum / MAX_BYTES
}

/**
 * Fills the maps until a set is refused that is not too long, or many that are. Returns the share of all bytes that is
 * keys and values.
 */
function fill(maps: readonly Subject[], { last }: History): number {
  const random = randomNumbers(seed)
  const mix = mixOf(last)
  for (let n = 2 ** 31, left = MOST_LONG_REFUSALS; left > 0; n++) {
    const size = mix.size(random)
    if (isRefused(maps[n % maps.length], n, size)) left -= size <= LONGEST ? left : 1
  }
  return shareOf(maps[0])
}

describe.each(lineups)('what a map promises ($name)', (lineup) => {
  test.each(histories.map((history, index) => ({ ...history, index })))('holds after: $name', (history) => {
    const part = lineup.engineOf(0) === lineup.engineOf(1) ? LIVE : LIVE_OF_TWO
    const planner = new Planner(Math.floor(part * MAX_BYTES), seed + history.index)
    history.plan(planner)
    const { isCache = false } = history
    const maps = open(lineup, isCache)
    expect(live(maps, planner.operations), `MAPSAFE_SEED=${seed}`).toEqual([])
    if (!isCache) {
      const share = fill(maps, history)
      expect(share, `MAPSAFE_SEED=${seed}`).toBeGreaterThanOrEqual(AFTER_ANY_HISTORY * mixOf(history.last).promise)
    }
    expect(maps[0].verify().problems).toEqual([])
    for (const map of maps) map.close()
  })
})
