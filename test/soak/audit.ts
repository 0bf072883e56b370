import { isDeepStrictEqual } from 'node:util'
import { ConcurrentCache, ConcurrentMap, type EngineChoice, type Key } from '../../src/index.js'
import { faultOf, tellingValue } from '../support/telling-value.js'
import type { Ledger } from './ledger.js'
import {
  counterKey,
  COUNTERS,
  LASTING,
  LOADED,
  LOADED_FOR_GOOD,
  loadKey,
  MOST_ENTRIES,
  OWN,
  ownKey,
  pairKey,
  type Places,
} from './plan.js'

/** As the two engines say it. */
const LOST_BLOCK = /^(block|large run at (page|block)) \d+( of class \d+)?(: leaked| is lost)$/

/** What an audit found. */
export interface Audit {
  readonly violations: readonly string[]
  /** Bytes in use of the map, once everything was repaired and nobody else had it open; undefined if others had. */
  readonly mapBytes: number | undefined
  /** Bytes that nothing led to, of all of them. */
  readonly bytesLeaked: number
}

/**
 * Looks at the maps while everybody pauses.
 *
 * @param alone whether all members have closed their maps, so that leaks can be found
 * @param mayLeak whether somebody was ended since leaks were looked for: blocks may be lost until they are looked for
 *   again
 */
export function audit(
  places: Places,
  ledger: Ledger,
  engine: EngineChoice,
  { alone, mayLeak }: { readonly alone: boolean; readonly mayLeak: boolean },
): Audit {
  using map = new ConcurrentMap<Key, unknown>({ file: places.map, engine })
  using cache = new ConcurrentCache<Key, unknown>({ file: places.cache, engine })
  using bounded = new ConcurrentCache<Key, unknown>({ file: places.bounded, engine })
  using loads = new ConcurrentCache<Key, unknown>({ file: places.loads, engine })
  const violations: string[] = []
  let bytesLeaked = 0
  for (const [name, one] of Object.entries<SoakedMap>({ map, cache, bounded, loads })) {
    const report = one.repair()
    bytesLeaked += report.bytesFreed
    if (alone && !report.hasLookedForLeaks) violations.push(`${name}: somebody is attached who should not be`)
    for (const problem of one.verify().problems) {
      if (!alone && mayLeak && LOST_BLOCK.test(problem)) continue
      violations.push(`${name}: verify: ${problem}`)
    }
    const entries = [...one.keys()].length
    // A cache's size counts the expired as well.
    if (one === map ? one.size !== entries : one.size < entries) {
      violations.push(`${name}: size ${one.size}, but ${entries} keys`)
    }
    if (one === bounded && one.size > MOST_ENTRIES) violations.push(`${name}: size ${one.size} is above the bound`)
    const open = one.stats().threads.length
    // Each member opens the cache for loads twice.
    const most = ledger.slots * (one === loads ? 2 : 1) + 1
    if (open > (alone ? 1 : most)) violations.push(`${name}: ${open} thread records are taken`)
  }
  violations.push(...faultsOfNumbers(map), ...faultsOfCounters(map, ledger), ...faultsOfMembers(map, ledger))
  violations.push(...faultsOfLoads(ledger))
  return { violations, mapBytes: alone ? map.stats().bytesInUse : undefined, bytesLeaked }
}

type SoakedMap = ConcurrentMap<Key, unknown>

function* faultsOfNumbers(map: SoakedMap): Iterable<string> {
  for (let key = 0; key < LASTING; key++) {
    if (!map.has(key)) yield `lasting key ${key} is absent`
  }
  for (const [key, value] of map) {
    const fault = typeof key === 'number' ? faultOf(key, value) : undefined
    if (fault !== undefined) yield fault
  }
}

function* faultsOfCounters(map: SoakedMap, ledger: Ledger): Iterable<string> {
  for (let counter = 0; counter < COUNTERS; counter++) {
    const sum = (map.get(counterKey(counter)) as number | undefined) ?? 0
    const [least, most] = [ledger.addedTo(counter), ledger.addedAtMostTo(counter)]
    if (sum < least || sum > most) yield `counter ${counter} is ${sum}; acknowledged ${least}, begun ${most}`
  }
}

/** Own keys are as written last; the halves of a pair are equal, or the first is ahead by one. */
function* faultsOfMembers(map: SoakedMap, ledger: Ledger): Iterable<string> {
  for (let slot = 0; slot < ledger.slots; slot++) {
    for (let index = 0; index < OWN; index++) {
      const at = slot * OWN + index
      const number = ledger.ownWritten[at]
      const expected = number === 0 ? undefined : tellingValue(at, number)
      if (!isDeepStrictEqual(map.get(ownKey(slot, index)), expected)) {
        yield `own key ${index} of member ${slot} is not number ${number}, as written`
      }
    }
    const [first, second] = ([0, 1] as const).map((half) => (map.get(pairKey(slot, half)) as number | undefined) ?? 0)
    if (first !== second && first !== second + 1) yield `pair of member ${slot} is ${first} and ${second}`
  }
}

/** A value that does not expire is loaded once, and once more after each deletion, failure and death of a loader. */
function* faultsOfLoads(ledger: Ledger): Iterable<string> {
  for (let index = 0; index < LOADED_FOR_GOOD; index++) {
    const most = 1 + ledger.generation[index] + ledger.lostLoads[index]
    // A loader that was killed is known to be lost only when the next one begins.
    const known = ledger.storer[index] !== 0 && ledger.isGone(ledger.storer[index]) ? 1 : 0
    if (ledger.loads[index] > most + known) {
      const reasons = `${ledger.generation[index]} deletions, ${ledger.lostLoads[index] + known} loads lost`
      yield `${loadKey(index)} was loaded ${ledger.loads[index]} times; expected ${most + known} at most: ${reasons}`
    }
  }
  for (let index = 0; index < LOADED; index++) {
    const loader = ledger.loader[index]
    if (loader !== 0 && !ledger.isGone(loader)) yield `a loader of ${loadKey(index)} goes on though its member pauses`
  }
}
