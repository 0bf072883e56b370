import type { AttachedThread, ThreadState } from '../../format/attached-threads.js'
import type { BreakerStats } from '../../format/breaker-word.js'
import type { Counters } from '../../format/counters.js'
import type { LoadTimes } from '../../format/load-times.js'
import type { Verdict } from '../../inspect/health.js'
import type { MemoryUse } from '../../inspect/memory.js'
import type { RegionStats } from '../../inspect/stats.js'

/** What metrics are read from: the part of `stats()` that is the same whichever thread calls it. */
export interface Figures extends Omit<RegionStats, 'threads'> {
  /** What all threads counted. */
  readonly counters: Counters
  /** The circuit breaker of a cache that has one. */
  readonly breaker: BreakerStats | undefined
  /** What the memory is used for. */
  readonly memory: MemoryUse
  /** The threads that have the map open. */
  readonly threads: readonly Pick<AttachedThread, 'state'>[]
  /** What `health()` says; undefined where it was not asked. */
  readonly verdicts?: readonly Verdict[] | undefined
}

/** What all metrics have: what they are called and mean. */
interface Described {
  /** Its name in Prometheus. */
  readonly name: string
  /** What it counts or measures, in one sentence. */
  readonly help: string
  /** How to read it. */
  readonly reading: string
  /** Whether it is told only where it is asked for: it costs a walk over the map. */
  readonly isOnRequest?: true
}

/** A metric that is a number, or several. */
export interface Numbers extends Described {
  /** A counter only grows, for as long as the map is there, whichever threads end; a gauge goes up and down. */
  readonly kind: 'counter' | 'gauge'
  /** The label, beside `cache`, that divides it; a key is never one. */
  readonly label?: string
  /** Returns its value, or one for each value of its label; undefined if the map has no such thing. */
  read(figures: Figures): number | Readonly<Record<string, number>> | undefined
}

/** A metric that is counts by ranges. They only grow, as counters do. */
export interface Histogram extends Described {
  /** Says that it is counts by ranges. */
  readonly kind: 'histogram'
  /** It has no label beside `cache`. */
  readonly label?: undefined
  /** Returns the counts of each range. */
  read(figures: Figures): LoadTimes
}

/** A metric: what it is called and means, and where it comes from. */
export type Metric = Numbers | Histogram

const THREAD_STATES: readonly ThreadState[] = ['running', 'stopped', 'dead', 'elsewhere', 'unknown']
const BREAKER_STATES: readonly BreakerStats['state'][] = ['closed', 'half-open', 'open']

/** Returns an object with a number for each name. */
function each<Name extends string>(names: readonly Name[], numberOf: (name: Name) => number): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, numberOf(name)]))
}

/**
 * The one table of metrics. Prometheus, the JSON endpoint, the page of the guide and the dashboard are made from it.
 *
 * Counters are those of the region, so every thread and process reads the same. None is a difference of two counters:
 * those are read one after the other, so that a difference could go down.
 */
export const METRICS: readonly Metric[] = [
  {
    name: 'mapsafe_requests_total',
    help: 'Reads by get, getMany, getOrLoad and their like.',
    kind: 'counter',
    label: 'result',
    reading: '`hit` found an entry, `miss` none. The hit ratio is the rate of hits by the rate of both',
    read: ({ counters: { hits, misses } }) => ({ hit: hits, miss: misses }),
  },
  {
    name: 'mapsafe_near_requests_total',
    help: 'Reads that were asked of a near-cache.',
    kind: 'counter',
    label: 'result',
    reading:
      '`hit` did not get to the engine. Few hits: the values change too often, or `nearCache.maxEntries` is too small',
    read: ({ counters: { nearHits, nearMisses } }) => ({ hit: nearHits, miss: nearMisses }),
  },
  {
    name: 'mapsafe_near_refreshed_total',
    help: 'Near misses whose value proved to be unchanged, so that nothing was decoded.',
    kind: 'counter',
    reading: 'part of the near misses',
    read: ({ counters }) => counters.nearRefreshed,
  },
  {
    name: 'mapsafe_loads_total',
    help: 'Loaders that were called.',
    kind: 'counter',
    reading: 'once for a missing key, over all threads and processes',
    read: ({ counters }) => counters.loads,
  },
  {
    name: 'mapsafe_load_failures_total',
    help: 'Loads that failed.',
    kind: 'counter',
    reading: 'part of the loads',
    read: ({ counters }) => counters.loadFailures,
  },
  {
    name: 'mapsafe_load_seconds',
    help: 'Time from the call of a loader until its value was stored, or it failed or was given up.',
    kind: 'histogram',
    reading: 'what a miss costs; a wait for the load of another thread is not in it',
    read: ({ loadTimes }) => loadTimes,
  },
  {
    name: 'mapsafe_loads_refused_total',
    help: 'Loads that the circuit breaker refused.',
    kind: 'counter',
    reading: 'above 0 while what is loaded from fails',
    read: ({ counters }) => counters.loadsRefused,
  },
  {
    name: 'mapsafe_stale_on_error_total',
    help: 'Calls that got an older value because a load failed.',
    kind: 'counter',
    reading: 'failures that no caller saw',
    read: ({ counters }) => counters.staleOnError,
  },
  {
    name: 'mapsafe_breaker_opened_total',
    help: 'Times that the circuit breaker opened.',
    kind: 'counter',
    reading: 'also after each probe that failed',
    read: ({ breaker }) => breaker?.opened,
  },
  {
    name: 'mapsafe_breaker_state',
    help: 'State of the circuit breaker: 1 for the state that it is in, 0 for the others.',
    kind: 'gauge',
    label: 'state',
    reading: '`open` at 1: loads are refused',
    read: ({ breaker }) => breaker && each(BREAKER_STATES, (state) => (breaker.state === state ? 1 : 0)),
  },
  {
    name: 'mapsafe_removed_total',
    help: 'Values that went, by cause.',
    kind: 'counter',
    label: 'cause',
    reading: 'many `evicted` beside few `expired`: the cache is too small',
    read: ({ counters: { replaced, deleted, expired, evicted } }) => ({ replaced, deleted, expired, evicted }),
  },
  {
    name: 'mapsafe_admissions_total',
    help: 'New keys that a full cache took in or turned away.',
    kind: 'counter',
    label: 'result',
    reading: '`rejected`: the entry that would have gone is used more often',
    read: ({ counters: { admitted, rejected } }) => ({ admitted, rejected }),
  },
  {
    name: 'mapsafe_lost_updates_total',
    help: 'Writes that overwrote what their thread had not seen.',
    kind: 'counter',
    reading: 'only with the option `lostUpdates`; anything above 0 is a mistake in the program',
    read: ({ counters }) => counters.lostUpdates,
  },
  {
    name: 'mapsafe_lock_waits_total',
    help: 'Waits for another thread that lasted so long that the thread slept.',
    kind: 'counter',
    reading: 'many beside few writes: writers collide; `stats().threads` says who waits for whom',
    read: ({ counters }) => counters.lockWaits,
  },
  {
    name: 'mapsafe_takeovers_total',
    help: 'Threads that ended without closing the map, from which others took over.',
    kind: 'counter',
    reading: 'killed processes, terminated workers, crashes',
    read: ({ counters }) => counters.takeovers,
  },
  {
    name: 'mapsafe_entries',
    help: 'Live entries.',
    kind: 'gauge',
    reading: 'includes entries that have expired and are not swept yet',
    read: ({ entries }) => entries,
  },
  {
    name: 'mapsafe_tombstones',
    help: 'Slots of deleted entries that are not cleaned up yet.',
    kind: 'gauge',
    reading: 'stays far below the entries; `health()` judges it',
    read: ({ tombstones }) => tombstones,
  },
  {
    name: 'mapsafe_segments',
    help: 'Pieces of the table, with a lock each.',
    kind: 'gauge',
    reading: 'grows with the entries, and where writers collide',
    read: ({ segments }) => segments,
  },
  {
    name: 'mapsafe_memory_bytes',
    help: 'Bytes of the map, by use.',
    kind: 'gauge',
    label: 'use',
    reading: 'the uses add up to the capacity; a map with little `unused` and `spare` is nearly full',
    read: ({ memory }) => ({ ...memory }),
  },
  {
    name: 'mapsafe_capacity_bytes',
    help: 'Bytes that the map has.',
    kind: 'gauge',
    reading: '`maxBytes`',
    read: ({ bytesTotal }) => bytesTotal,
  },
  {
    name: 'mapsafe_threads',
    help: 'Threads that have the map open, by state.',
    kind: 'gauge',
    label: 'state',
    reading: '`stopped` for long: others may wait for it',
    read: ({ threads }) => each(THREAD_STATES, (state) => threads.filter((thread) => thread.state === state).length),
  },
  {
    name: 'mapsafe_health_ok',
    help: 'Verdicts of health(): 1 for well, 0 for not.',
    kind: 'gauge',
    label: 'verdict',
    isOnRequest: true,
    reading: 'only with the option `health`; 0 for long: `health()` has the advice',
    read: ({ verdicts }) => verdicts && Object.fromEntries(verdicts.map(({ name, ok }) => [name, ok ? 1 : 0])),
  },
]
