import assert from 'node:assert/strict'
import { setWaitBound } from '../../src/engine/typescript/threads/wait-budget.js'
import { ConcurrentCache, ConcurrentMap, MapsafeError, type Key, type MapsafeErrorCode } from '../../src/index.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { MIN_REGION_BYTES, THREAD_WORDS } from '../../src/format/layout.js'
import type { Random } from '../support/random.js'
import { Damage } from './damage.js'
import { expectSoundPrototypes } from './prototypes.js'
import { KEYS, VALUES } from './samples.js'

type Subject = ConcurrentMap<Key, unknown>

/** What an operation on a damaged map may end with. */
const EXPECTED: readonly (MapsafeErrorCode | undefined)[] = [
  'ERR_MAPSAFE_CORRUPT',
  'ERR_MAPSAFE_TIMEOUT',
  'ERR_MAPSAFE_FULL',
  'ERR_MAPSAFE_FORMAT',
  'ERR_MAPSAFE_ENTRY_TOO_LARGE',
  'ERR_MAPSAFE_COUNTER',
  'ERR_MAPSAFE_THREADS',
]

const images = { map: makeImage(false), cache: makeImage(true) }

function makeImage(isCache: boolean): Int32Array {
  const options = { maxBytes: MIN_REGION_BYTES, engine: 'typescript' } as const
  const map: Subject = isCache ? new ConcurrentCache({ ...options, ttl: 60_000 }) : new ConcurrentMap(options)
  KEYS.forEach((key, i) => map.set(key, VALUES[i % VALUES.length]))
  map.set(true, 'x'.repeat(5000))
  const words = regionOf(map).slice()
  map.close()
  return words
}

function regionOf(map: Subject): Int32Array {
  const { region } = map.handle as unknown as { readonly region: SharedArrayBuffer }
  return new Int32Array(region)
}

/**
 * One map, damaged and worked on by turns. Throws if an operation throws anything but the errors of this package for a
 * damaged map, or if a prototype was changed.
 */
export function runMapRound(random: Random): void {
  setWaitBound(0)
  const isCache = random.chance(0.5)
  const options = {
    maxBytes: MIN_REGION_BYTES,
    engine: 'typescript',
    nearCache: random.chance(0.5) ? undefined : false,
    freeze: random.chance(0.5),
  } as const
  const map: Subject = isCache ? new ConcurrentCache(options) : new ConcurrentMap(options)
  const words = regionOf(map)
  const record = threadRecordAt(0)
  const own = words.slice(record, record + THREAD_WORDS)
  words.set(isCache ? images.cache : images.map)
  words.set(own, record) // the map stays attached
  const damage = new Damage(words, random)
  for (let step = 0; step < 60; step++) {
    if (random.chance(0.3)) damage.strike()
    else attempt(() => operate(map, random))
  }
  attempt(() => {
    map.close()
  })
  expectSoundPrototypes()
}

function attempt(action: () => void): void {
  try {
    action()
  } catch (error) {
    if (error instanceof MapsafeError && EXPECTED.includes(error.code)) return
    throw error
  }
}

type Operation = (map: Subject, random: Random, key: Key, value: unknown) => void

const OPERATIONS: readonly Operation[] = [
  (map, _, key) => map.get(key),
  (map, _, key) => map.get(key), // what most calls are
  (map, _, key) => map.has(key),
  (map, _, key) => map.getEntry(key),
  (map, _, key, value) => map.set(key, value),
  (map, _, key, value) => map.setIfAbsent(key, value),
  (map, random, key, value) => map.setIfVersion(key, value, random.below(5)),
  (map, _, key, value) => map.swap(key, value),
  (map, _, key, value) => map.getOrInsert(key, value),
  (map, _, key) => map.delete(key),
  (map, _, key, value) => map.update(key, () => value),
  (map, _, key, value) => map.compareAndSwap(key, value, 1),
  (map, _, key) => map.increment(key, 1),
  (map, random, key) => map.incrementEntry(key, -1, { ifPresent: random.chance(0.5) }),
  (map, _, key) => map instanceof ConcurrentCache && map.increment(key, 1, { renew: true, ttl: 50 }),
  (map) => map.getMany(KEYS),
  (map, _, __, value) => map.setMany(KEYS.slice(0, 20).map((each) => [each, value])),
  (map) => {
    for (const [each] of map) expectKey(each)
  },
  (map) => {
    for (const [each] of map.snapshot()) expectKey(each)
  },
  (map) => {
    for (const [each] of map.scan(undefined, { count: 50 }).entries) expectKey(each)
  },
  (map, random, key) => {
    if (map instanceof ConcurrentCache) map.touch(key, 1 + random.below(1000))
    map.stats()
    map.verify()
  },
  (map, random) => {
    if (random.chance(0.2)) map.clear()
    else map.deleteMany(KEYS.slice(0, 30))
  },
]

function operate(map: Subject, random: Random): void {
  random.pick(OPERATIONS)(map, random, random.pick(KEYS), random.pick(VALUES))
}

function expectKey(key: unknown): void {
  const isKey = ['string', 'number', 'bigint', 'boolean'].includes(typeof key) || key instanceof Uint8Array
  assert.ok(isKey, 'a key of no key type')
}
