/** What a map did in the last minutes: points for graphs, made from the counters of frames. */

/** Points kept: ten minutes of one a second. */
const MOST_POINTS = 600
/** Threads share what they counted about every second, so that rates over less jump up and down. */
const RATE_MS = 3000
const RATIO_MS = 10_000

const ROWS = [
  'hitRatio',
  'nearRatio',
  'reads',
  'hits',
  'misses',
  'writes',
  'loads',
  'failures',
  'replaced',
  'deleted',
  'expired',
  'evicted',
  'entries',
  'used',
  'p50',
  'p90',
  'p99',
]

export class History {
  /** Seconds since 1970, for each point. */
  times = []
  /** Values by their names; null where there is none. */
  rows = Object.fromEntries(ROWS.map((name) => [name, []]))
  /** Frames since the last gap, as far back as rates need. */
  #frames = []

  /** Leaves a gap in all graphs. */
  interrupt(time) {
    if (this.#frames.length === 0) return
    this.#frames = []
    this.#add(time / 1000, {})
  }

  /** @param at milliseconds of a clock that is never set */
  note(at, time, figures) {
    const last = this.#frames.at(-1)
    // Another program answers, or the map is a new one.
    if (last !== undefined && (at < last.at || isLess(figures, last.figures))) this.interrupt(time - 1)
    this.#frames.push({ at, figures })
    const oldest = this.#frames.findLastIndex((frame) => at - frame.at >= RATIO_MS)
    if (oldest > 0) this.#frames.splice(0, oldest)
    this.#add(time / 1000, this.#pointOf(at, figures))
  }

  /** The newest value of a row; undefined if there is none. */
  latest(name) {
    return this.rows[name].at(-1) ?? undefined
  }

  #pointOf(at, { metrics, writes }) {
    const then = this.#frames.findLast((frame) => at - frame.at >= RATE_MS) ?? this.#frames[0]
    const before = then.figures.metrics
    const seconds = (at - then.at) / 1000
    const rateOf = (pick) => (seconds === 0 ? null : (pick(metrics) - pick(before)) / seconds)
    const removed = (cause) => rateOf((from) => from.mapsafe_removed_total[cause])
    const hits = rateOf((from) => from.mapsafe_requests_total.hit)
    const misses = rateOf((from) => from.mapsafe_requests_total.miss)
    const { unused, spare } = metrics.mapsafe_memory_bytes
    return {
      hitRatio: this.#ratioOf('mapsafe_requests_total', metrics),
      nearRatio: this.#ratioOf('mapsafe_near_requests_total', metrics),
      reads: hits === null ? null : hits + misses,
      hits,
      misses,
      writes: seconds === 0 ? null : Math.max(0, writes - then.figures.writes) / seconds,
      loads: rateOf((from) => from.mapsafe_loads_total),
      failures: rateOf((from) => from.mapsafe_load_failures_total),
      replaced: removed('replaced'),
      deleted: removed('deleted'),
      expired: removed('expired'),
      evicted: removed('evicted'),
      entries: metrics.mapsafe_entries,
      used: 1 - (unused + spare) / metrics.mapsafe_capacity_bytes,
      ...latencies(this.#frames[0].figures.metrics.mapsafe_load_seconds, metrics.mapsafe_load_seconds),
    }
  }

  /** Hits among all requests of the last seconds; null if there were none. */
  #ratioOf(name, metrics) {
    const before = this.#frames[0].figures.metrics[name]
    const { hit, miss } = metrics[name]
    const all = hit + miss - before.hit - before.miss
    return all > 0 ? (hit - before.hit) / all : null
  }

  #add(time, point) {
    this.times.push(time)
    for (const name of ROWS) this.rows[name].push(point[name] ?? null)
    if (this.times.length <= MOST_POINTS) return
    this.times.shift()
    for (const name of ROWS) this.rows[name].shift()
  }
}

function isLess({ metrics }, { metrics: before }) {
  const sum = ({ hit, miss }) => hit + miss
  return sum(metrics.mapsafe_requests_total) < sum(before.mapsafe_requests_total)
}

/** Seconds within which a half, nine tenths and all but a hundredth of the loads between two frames ended: at most so many. */
function latencies(before, { bounds, counts }) {
  const ended = counts.map((count, i) => count - before.counts[i])
  const all = ended.reduce((sum, count) => sum + count, 0)
  if (all === 0) return {}
  const quantile = (part) => {
    let rest = part * all
    const range = ended.findIndex((count) => (rest -= count) <= 0)
    return bounds[Math.min(range, bounds.length - 1)]
  }
  return { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) }
}
