import { DELETE, type DeleteMarker, type ConcurrentMap, type Key, type MapEntry } from '../../src/index.js'
import type { Shift } from '../support/crew.js'
import type { Random } from '../support/random.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import type { Operation } from './checker.js'
import type { MapCall, SnapshotCall } from './map-model.js'

/** How much is recorded, by all workers together. */
export interface Extent {
  readonly histories: number
  /** Calls in each history, more or less. */
  readonly calls: number
  /** Keys that the workers fight over during one history. No other history has them. */
  readonly keys: number
}

/** What a worker last saw of each key, for calls on condition of that. */
export type Sightings = Map<number, { value: number; version: number }>

const NOT_SEEN = { value: 0, version: 0 }

/** Values of different calls differ by more than the increments of one key come to. */
export const VALUE_STEP = 1000

/**
 * Passing keys of this worker, whose inserts and deletions make segments split and clean up under the recorded keys.
 */
const PASSING_KEYS = 400

/**
 * Makes random calls and stamps them before and after with one clock, a shared word that each stamp increments. The
 * clock also tells which history it is time for, and so which keys: whoever runs at all is in the middle of the fight.
 *
 * Why the stamps serve: `Atomics.add` is one step in an order that all threads agree on, and that order keeps each
 * thread's program order. So if the stamp after call A is below the stamp before call B, then A returned before B
 * began. A recorded call thus lasts at least as long as the real one: calls that overlapped never seem ordered, and a
 * correct map is never accused. The price is that a fault within the few nanoseconds added may be missed.
 *
 * @param change changes the map around the keys that are recorded, now and then; default: lets some others come and go
 */
export function recordCalls<Call>(
  shift: Shift<number>,
  clock: SharedMemory,
  extent: Extent,
  choose: Choose<Call>,
  change: (history: number) => void = () => disturb(shift),
): Operation<Call>[] {
  const { map, worker, workers, random } = shift
  const { histories, calls, keys } = extent
  const stamps = new Int32Array(openMemory(clock))
  const sightings: Sightings = new Map()
  const operations: Operation<Call>[] = []
  for (;;) {
    const history = Math.floor(Atomics.load(stamps, 0) / (2 * calls))
    if (history >= histories) return operations
    if (random.chance(0.3)) change(history)
    const key = history * keys + random.below(keys)
    const value = (operations.length * workers + worker + 1) * VALUE_STEP
    const make = choose(random)
    const invoked = Atomics.add(stamps, 0, 1)
    const call = make(map, key, value, random, sightings)
    const returned = Atomics.add(stamps, 0, 1)
    operations.push({ worker, invoked, returned, call })
  }
}

export function disturb({ map, worker, random }: Shift<number>): void {
  const key = `passing ${worker} ${random.below(PASSING_KEYS)}`
  if (random.chance(0.6)) map.set(key, 0)
  else map.delete(key)
}

export type Make<Call = MapCall> = (
  map: ConcurrentMap<Key, number>,
  key: number,
  value: number,
  random: Random,
  sightings: Sightings,
) => Call
type Choose<Call> = (random: Random) => Make<Call>

const get: Make = (map, key) => ({ key, name: 'get', result: map.get(key) })
const has: Make = (map, key) => ({ key, name: 'has', result: map.has(key) })
const seeEntry =
  (read: (map: ConcurrentMap<Key, number>, key: number) => MapEntry<number> | undefined): Make =>
  (map, key, _, __, sightings) => {
    const entry = read(map, key)
    if (entry === undefined) return { key, name: 'getEntry', result: undefined }
    const { value, version } = entry
    sightings.set(key, { value, version })
    return { key, name: 'getEntry', result: { value, version } }
  }
const getEntry = seeEntry((map, key) => map.getEntry(key))
const peekEntry = seeEntry((map, key) => map.peekEntry(key))
const getEntries = seeEntry((map, key) => map.getEntries([key])[0])
const set: Make = (map, key, value) => {
  map.set(key, value)
  return { key, name: 'set', value }
}
const setIfAbsent: Make = (map, key, value) => {
  return { key, name: 'setIfAbsent', value, result: map.setIfAbsent(key, value) }
}
const getOrInsert: Make = (map, key, value) => {
  return { key, name: 'getOrInsert', value, result: map.getOrInsert(key, value) }
}
const swap: Make = (map, key, value) => ({ key, name: 'swap', value, result: map.swap(key, value) })
const take: Make = (map, key) => ({ key, name: 'take', result: map.take(key) })
const remove: Make = (map, key) => ({ key, name: 'delete', result: map.delete(key) })
const replace: Make = (map, key, value) => ({ key, name: 'replace', value, result: map.replace(key, value) })
export const getOrInsertComputed: Make = (map, key, value) => {
  return { key, name: 'getOrInsertComputed', value, result: map.getOrInsertComputed(key, () => value) }
}
const setIfVersion: Make = (map, key, value, _, sightings) => {
  const { version } = sightings.get(key) ?? NOT_SEEN
  return { key, name: 'setIfVersion', value, version, result: map.setIfVersion(key, value, version) }
}
const deleteIfVersion: Make = (map, key, _, __, sightings) => {
  const { version } = sightings.get(key) ?? NOT_SEEN
  return { key, name: 'deleteIfVersion', version, result: map.deleteIfVersion(key, version) }
}
const compareAndSwap: Make = (map, key, value, _, sightings) => {
  const { value: expected } = sightings.get(key) ?? NOT_SEEN
  return { key, name: 'compareAndSwap', expected, value, result: map.compareAndSwap(key, expected, value) }
}
const compareAndDelete: Make = (map, key, _, __, sightings) => {
  const { value: expected } = sightings.get(key) ?? NOT_SEEN
  return { key, name: 'compareAndDelete', expected, result: map.compareAndDelete(key, expected) }
}
const increment: Make = (map, key, _, random) => {
  const by = 1 + random.below(9)
  return { key, name: 'increment', by, result: map.increment(key, by) }
}
const incrementIfPresent: Make = (map, key, _, random) => {
  const by = 1 + random.below(9)
  return { key, name: 'incrementIfPresent', by, result: map.increment(key, by, { ifPresent: true }) }
}
const incrementEntry: Make = (map, key, _, random, sightings) => {
  const by = 1 + random.below(9)
  const { value, version } = map.incrementEntry(key, by)
  sightings.set(key, { value, version })
  return { key, name: 'incrementEntry', by, result: { value, version } }
}
/** Deletes an odd value. */
const updateToDelete: Make = (map, key, _, random) => {
  const by = 1 + random.below(9)
  const compute = (value = 0): number | DeleteMarker => (value % 2 === 1 ? DELETE : value + by)
  return { key, name: 'updateToDelete', by, result: map.update(key, compute) }
}
// Other ways to make the same calls.
const peek: Make = (map, key) => ({ key, name: 'get', result: map.peek(key) })
const hasMany: Make = (map, key) => ({ key, name: 'has', result: map.hasMany([key])[0] })
const deleteMany: Make = (map, key) => ({ key, name: 'delete', result: map.deleteMany([key], { which: true })[0] })
const update: Make = (map, key, _, random) => {
  const by = 1 + random.below(9)
  return { key, name: 'update', by, result: map.update(key, (value) => (value ?? 0) + by) }
}

const READS: readonly Make[] = [get, has, getEntry, peek, hasMany, peekEntry, getEntries]

/** Reads are the most frequent, since they are what tells a fault. */
export const CALLS: readonly Make[] = [
  ...[get, get, get, get, has, getEntry, getEntry, getEntry],
  ...[set, set, setIfAbsent, replace, getOrInsert, getOrInsertComputed, swap, increment, increment, update],
  ...[incrementIfPresent, incrementEntry, updateToDelete],
  ...[peek, hasMany, peekEntry, getEntries, deleteMany],
  ...[setIfVersion, setIfVersion, compareAndSwap, compareAndSwap],
  ...[take, remove, remove, deleteIfVersion, compareAndDelete],
]

/** Three reads in four: whoever writes where keys are moved waits until that is over, and sees nothing of it. */
export const pickRead = (random: Random): Make => random.pick(random.chance(0.6) ? READS : CALLS)

/** Records calls on one key each. */
export function record(shift: Shift<number>, clock: SharedMemory, extent: Extent): Operation<MapCall>[] {
  return recordCalls(shift, clock, extent, (random) => random.pick(CALLS))
}

/** Records snapshots among such calls. */
export function recordWithSnapshots(
  shift: Shift<number>,
  clock: SharedMemory,
  extent: Extent,
): Operation<MapCall | SnapshotCall>[] {
  const { keys } = extent
  const snapshot: Make<SnapshotCall> = (map, key) => {
    const first = key - (key % keys)
    const found = new Map(map.snapshot())
    return { name: 'snapshot', key: first, values: Array.from({ length: keys }, (_, i) => found.get(first + i)) }
  }
  return recordCalls<MapCall | SnapshotCall>(shift, clock, extent, (random) => {
    return random.chance(0.2) ? snapshot : random.pick(CALLS)
  })
}

/** Calls of one thread that give values the same names: enough for it to meet them again, and few, so that names go on. */
const CALLS_PER_SHAPE = 6

/** An object that stands for a number. Its names are those of the moment, which all workers meet at once. */
type Shaped = Readonly<Record<string, unknown>>

function shaped(value: number, workers: number): Shaped {
  const shape = Math.floor(value / VALUE_STEP / workers / CALLS_PER_SHAPE)
  return { kind: 'shaped', [`outer ${shape >> 2}`]: { [`inner ${shape}`]: 'text', value, [`last ${shape % 3}`]: true } }
}

function numberOf(object: Shaped | undefined): number | undefined {
  if (object === undefined) return undefined
  const [kind, inner] = Object.values(object) as [string, Readonly<Record<string, unknown>>]
  const [text, value, last] = Object.values(inner)
  const shape = /^inner (\d+)$/.exec(Object.keys(inner)[0])?.[1]
  const isWhole = kind === 'shaped' && text === 'text' && last === true && Object.keys(object)[0] === 'kind'
  const isOfItsNames = Object.keys(object)[1] === `outer ${Number(shape) >> 2}` && Object.keys(inner)[1] === 'value'
  if (!isWhole || !isOfItsNames) throw new Error(`a value is none that was stored: ${JSON.stringify(object)}`)
  return value as number
}

/** Records calls whose values are objects with names that come and go, so that all workers add shapes all the time. */
export function recordShapes(shift: Shift<number>, clock: SharedMemory, extent: Extent): Operation<MapCall>[] {
  const { workers } = shift
  const objects = shift.map as unknown as ConcurrentMap<Key, Shaped>
  const made = (value: number): Shaped => shaped(value, workers)
  const calls: readonly Make[] = [
    (_, key) => ({ key, name: 'get', result: numberOf(objects.get(key)) }),
    (_, key) => ({ key, name: 'get', result: numberOf(objects.getMany([key])[0]) }),
    (_, key, __, ___, sightings) => {
      const entry = objects.getEntry(key)
      if (entry === undefined) return { key, name: 'getEntry', result: undefined }
      const result = { value: numberOf(entry.value)!, version: entry.version }
      sightings.set(key, result)
      return { key, name: 'getEntry', result }
    },
    (_, key, value) => {
      objects.set(key, made(value))
      return { key, name: 'set', value }
    },
    (_, key, value) => {
      objects.setMany([[key, made(value)]])
      return { key, name: 'set', value }
    },
    (_, key, value) => ({ key, name: 'setIfAbsent', value, result: objects.setIfAbsent(key, made(value)) }),
    (_, key, value) => ({ key, name: 'replace', value, result: objects.replace(key, made(value)) }),
    (_, key, value) => ({ key, name: 'swap', value, result: numberOf(objects.swap(key, made(value))) }),
    (_, key, value, __, sightings) => {
      const { version } = sightings.get(key) ?? NOT_SEEN
      return { key, name: 'setIfVersion', value, version, result: objects.setIfVersion(key, made(value), version) }
    },
    (_, key) => ({ key, name: 'take', result: numberOf(objects.take(key)) }),
  ]
  return recordCalls(shift, clock, extent, (random) => random.pick(calls))
}
