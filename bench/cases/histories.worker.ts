// Lets one map live through one history, in a process of its own, and prints what came of it as JSON.
import { readFileSync } from 'node:fs'
import { advanceClock, ConcurrentCache, ConcurrentMap, type EngineChoice } from 'mapsafe'
import { randomNumbers } from '../harness/draws.js'
import { median } from '../harness/statistics.js'
import { KEY_BYTES, mixOf, type MixName } from '../histories/mixes.js'
import { ALL, CLEAR } from '../histories/planner.js'

export interface HistorySetup {
  readonly engine: EngineChoice
  readonly isCache: boolean
  readonly maxBytes: number
  /** File with the operations. */
  readonly file: string
  readonly last: MixName
  readonly seed: number
  /** Times that the history is lived through: a call is as long as the shortest of its times. */
  readonly times: number
}

export interface HistoryOutcome {
  readonly sets: number
  /** Sets that were refused; in a cache, entries that were evicted. */
  readonly failed: number
  /** Least bytes of keys and values that were there when a set was refused, of an entry of up to a 128th; null if none was. */
  readonly least: number | null
  /** Milliseconds of the longest call, and how many took more than five. */
  readonly longest: number
  readonly long: number
  /** Operations a millisecond. */
  readonly rate: number
  /** Resident bytes that came with the map. */
  readonly resident: number
  /** Bytes of keys and values at the end. */
  readonly live: number
  /** Share of the map's bytes that is keys and values when it is full for the first time: after the history, and of a fresh map. */
  readonly usable: number
  readonly usableFresh: number
  /** How many times as fast overwriting and reading is as in a fresh map with the same entries. */
  readonly speed: number | null
}

const TTL = 1_000_000_000
const PROBES = 20_000
const ROUNDS = 7

const setup = JSON.parse(process.argv[2]) as HistorySetup
const { isCache, maxBytes, engine } = setup
const content = readFileSync(setup.file)
const operations = new Uint32Array(content.buffer, content.byteOffset, content.length / 4)
const bytes = new Uint8Array(2 ** 20).fill(120)

type Subject = ConcurrentMap<string, Uint8Array>

const open = (): Subject =>
  isCache
    ? new ConcurrentCache<string, Uint8Array>({ engine, maxBytes, nearCache: false, ttl: TTL })
    : new ConcurrentMap<string, Uint8Array>({ engine, maxBytes, nearCache: false })

const keyOf = (key: number): string => `k${key.toString(36).padStart(KEY_BYTES - 1, '0')}`

function isFull(error: unknown): boolean {
  if ((error as { code?: string }).code !== 'ERR_MAPSAFE_FULL') throw error
  return true
}

/** @param times filled with the milliseconds of each operation, where that is less than what is there */
function live(map: Subject, times: Float64Array): Pick<HistoryOutcome, 'sets' | 'failed' | 'least'> {
  const sizes = new Map<number, number>()
  let sets = 0
  let failed = 0
  let held = 0
  let least = Infinity
  for (let at = 0; at < operations.length; at += 2) {
    const key = operations[at]
    const what = operations[at + 1]
    if (key === ALL) {
      sizes.clear()
      held = 0
      const start = performance.now()
      if (what === CLEAR) map.clear()
      else advanceClock(map as unknown as ConcurrentCache<string, unknown>, TTL)
      if (what === CLEAR) continue // says what it costs; see clearAsync
      times[at / 2] = Math.min(times[at / 2], performance.now() - start)
      continue
    }
    const name = keyOf(key)
    const value = bytes.subarray(0, Math.max(0, what - 1))
    const start = performance.now()
    let isRefused = false
    if (what === 0) map.delete(name)
    else {
      sets++
      try {
        map.set(name, value)
      } catch (error) {
        isRefused = isFull(error)
      }
    }
    times[at / 2] = Math.min(times[at / 2], performance.now() - start)
    if (isRefused) {
      failed++
      if (what <= maxBytes / 128) least = Math.min(least, held)
      continue
    }
    held -= sizes.get(key) ?? 0
    if (what === 0) sizes.delete(key)
    else {
      sizes.set(key, what - 1 + KEY_BYTES)
      held += what - 1 + KEY_BYTES
    }
  }
  return {
    sets,
    failed: isCache ? map.stats().counters.evicted : failed,
    least: isCache || least === Infinity ? null : least,
  }
}

function payload(map: Subject): number {
  let sum = 0
  for (const value of map.values()) sum += value.length + KEY_BYTES
  return sum
}

/** Inserts until the map is full. Returns the share of its bytes that is keys and values. */
function usable(map: Subject): number {
  const mix = mixOf(setup.last)
  const random = randomNumbers(setup.seed)
  const evicted = map.stats().counters.evicted
  for (let n = 2 ** 31; ; n++) {
    try {
      map.set(keyOf(n), bytes.subarray(0, mix.size(random)))
    } catch (error) {
      if (isFull(error)) break
    }
    if (isCache && n % 16 === 0 && map.stats().counters.evicted > evicted) break
  }
  return payload(map) / maxBytes
}

/** Milliseconds of overwriting and reading what is there. */
function probe(map: Subject, keys: readonly string[], sizes: readonly number[]): number {
  const start = performance.now()
  for (let i = 0; i < keys.length; i++) {
    try {
      map.set(keys[i], bytes.subarray(0, sizes[i]))
    } catch (error) {
      isFull(error)
    }
    map.get(keys[i])
  }
  return performance.now() - start
}

function compareWithFresh(aged: Subject): number | null {
  const fresh = open()
  const keys: string[] = []
  const sizes: number[] = []
  for (const [key, value] of aged) {
    try {
      fresh.set(key, value)
    } catch (error) {
      isFull(error)
    }
    if (keys.length < PROBES) {
      keys.push(key)
      sizes.push(value.length)
    }
  }
  if (keys.length === 0) return null
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = round % 2 === 0 ? [aged, fresh] : [fresh, aged]
    const times = [probe(first, keys, sizes), probe(second, keys, sizes)]
    ratios.push(round % 2 === 0 ? times[1] / times[0] : times[0] / times[1])
  }
  fresh.close()
  return median(ratios)
}

const collect = (globalThis as { gc?: () => void }).gc ?? ((): void => undefined)

function main(): HistoryOutcome {
  const times = new Float64Array(operations.length / 2).fill(Infinity)
  const small = open()
  small.set('warm', bytes.subarray(0, 100))
  small.close()
  collect()
  const before = process.memoryUsage().rss
  let map = open()
  let counts = live(map, times)
  collect()
  const resident = process.memoryUsage().rss - before
  for (let again = 1; again < setup.times; again++) {
    map.close()
    map = open()
    counts = live(map, times)
  }
  let longest = 0
  let long = 0
  let total = 0
  for (const time of times) {
    if (time === Infinity) continue
    longest = Math.max(longest, time)
    if (time > 5) long++
    total += time
  }
  const speed = compareWithFresh(map)
  const liveBytes = payload(map)
  const usableAfter = usable(map)
  map.close()
  const fresh = open()
  const usableFresh = usable(fresh)
  fresh.close()
  return {
    ...{ ...counts, longest, long, rate: operations.length / 2 / total, resident, live: liveBytes },
    ...{ usable: usableAfter, usableFresh, speed },
  }
}

console.log(JSON.stringify(main()))
