// The change feed with figures: what watchers are told of four writers, how soon, and what it costs those who write.
import { percentile, median, ratio } from '../../bench/harness/statistics.js'
import { ConcurrentMap, type EngineChoice } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import type { Lineup } from '../support/run.js'
import type * as tasks from './changes.tasks.js'
import type { Pace, Watched, Written } from './changes.tasks.js'

const WRITERS = 4
const WATCHERS = 2
const KEYS = 1000
const TICKS = 300
const MAX_BYTES = 64 * 2 ** 20
const PACES: Readonly<Record<string, Pace>> = {
  'some rest': { changes: 20, rest: 1 },
  'full speed': { changes: 100, rest: 0 },
}
/** Of the cost: writes in each turn, and turns of each map. */
const WRITES = 5000
const ROUNDS = 201

const micro = (nanoseconds: number): string => `${(nanoseconds / 1000).toFixed(0)} µs`

/** Prints what watchers met, for each pace half of the seconds; returns the number of violations. */
export async function changes(lineup: Lineup, kind: string, seconds: number): Promise<number> {
  const crew = new Crew<typeof tasks>(new URL('changes.tasks.ts', import.meta.url), WRITERS + WATCHERS)
  let violated = 0
  for (const [name, pace] of Object.entries(PACES)) {
    using map = crew.open<string, number>(lineup, { maxBytes: MAX_BYTES })
    const run = { lineup, handle: map.handle }
    const all = await crew.run(run, 'writeOrWatch', WRITERS, pace, seconds / 2, KEYS)
    const written = (all.slice(0, WRITERS) as Written[]).reduce((sum, each) => sum + each.changes, 0)
    for (const watched of all.slice(WRITERS) as Watched[]) {
      const { told, coalesced, read, givenUp, timesMissed, violations } = watched
      const lost = timesMissed === 0 && read < written ? [`${written - read} changes were lost without a word`] : []
      const problems = [...violations, ...lost, ...map.verify().problems]
      const delays = watched.delays.toSorted((one, other) => one - other)
      console.log(
        `${kind}, ${lineup.name}, ${name}: ${written} changes by ${WRITERS} writers in ${seconds / 2} s; told ${told}, ` +
          `coalesced ${coalesced}, missed ${written - read + givenUp} and told so ${timesMissed} times; ` +
          `violations ${problems.length}; delay p50 ${micro(percentile(delays, 50))}, p99 ${micro(percentile(delays, 99))}`,
      )
      for (const problem of problems) console.log(`    ${problem}`)
      violated += problems.length
    }
  }
  using map = crew.open<string, number>(lineup, { maxBytes: MAX_BYTES })
  const heard = await crew.run({ lineup, handle: map.handle, workers: 1 + WATCHERS }, 'tickOrHear', TICKS)
  const delays = heard.flat().toSorted((one, other) => one - other)
  console.log(
    `${kind}, ${lineup.name}, one change every few milliseconds: ${delays.length} told; ` +
      `delay p50 ${micro(percentile(delays, 50))}, p99 ${micro(percentile(delays, 99))}`,
  )
  await crew.dismiss()
  return violated
}

/** Prints what a write costs before anybody watches, after, and while somebody does: in turns, one thread. */
export function costs(engine: EngineChoice): void {
  const open = (): ConcurrentMap<string, number> => new ConcurrentMap({ engine, maxBytes: MAX_BYTES, nearCache: false })
  const [never, left, watched] = [open(), open(), open()]
  const before = never.stats().memory.index
  left.watch('key 0', () => undefined).stop()
  const watching = watched.watch('another', () => undefined)
  const maps = { never, left, watched }
  const keys = Array.from({ length: KEYS }, (_, i) => `key ${i}`)
  const spent = { never: [] as number[], left: [] as number[], watched: [] as number[] }
  for (let round = -2; round < ROUNDS; round++) {
    const names = Object.keys(maps) as (keyof typeof maps)[]
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      const map = maps[name]
      const began = process.hrtime.bigint()
      for (let i = 0; i < WRITES; i++) map.set(keys[i % KEYS], i)
      if (round >= 0) spent[name].push(Number(process.hrtime.bigint() - began) / WRITES)
    }
  }
  const line = (name: keyof typeof maps): string =>
    `${median(spent[name]).toFixed(0)} ns (${ratio(spent[name], spent.never).toFixed(3)})`
  console.log(
    `${engine}: a write of a map that nobody ever watched ${line('never')}, of one that nobody watches any more ${line('left')}, ` +
      `of one that is watched ${line('watched')}`,
  )
  console.log(
    `    memory for the feed: ${before} bytes of index before, ${left.stats().memory.index} after the first watcher`,
  )
  watching.stop()
  for (const map of Object.values(maps)) map.close()
}
