import { ConcurrentMap } from 'mapsafe'
import { HEADER_RELIEF_LIMIT, SLOTS_PER_BUCKET } from '../../src/format/layout.js'
import { neighbouringKeys } from '../../test/support/neighbouring-keys.js'
import type { Case, Findings, Run } from '../harness/case.js'
import { median, percentile, ratio } from '../harness/statistics.js'
import { count, duration, rate, times } from '../report/format.js'
import { expectCount, Incrementers, type Counters } from './increments.js'

/**
 * More than most machines here have cores: a writer that loses its core while it holds something keeps others waiting.
 */
const WORKERS = 4
const KEYS = 30

const ENGINES = ['native', 'typescript'] as const

/** How the hot keys lie. */
const SCENES = {
  'of one bucket, which was full': (map: ConcurrentMap<string, number>): string[] => {
    const [crowd, next] = neighbouringKeys(map.handle, [SLOTS_PER_BUCKET + KEYS, SLOTS_PER_BUCKET])
    for (const key of [...crowd.slice(0, SLOTS_PER_BUCKET), ...next]) map.set(key, 0)
    const hot = crowd.slice(SLOTS_PER_BUCKET)
    for (const key of hot) map.set(key, 0)
    return hot
  },
  'spread over one segment': (map: ConcurrentMap<string, number>): string[] => {
    const hot = Array.from({ length: KEYS }, (_, n) => `hot ${n}`)
    for (const key of hot) map.set(key, 0)
    return hot
  },
}
type SceneName = keyof typeof SCENES

/** Writers that crowd on few keys of one segment: with relief and without. */
export const hotShard: Case = {
  name: 'hot-shard',
  title: 'Hot shards',
  method: `${WORKERS} workers increment ${KEYS} counters, drawn by Zipf's law, without near-cache. All counters lie in one segment; where writers
get in each other's way too often, segments split (docs/internals/protocol.md, "Hot segments"). *Without relief* is a second map, in whose header
that is turned off (\`RELIEF_LIMIT\` 0); the two take turns, after a while in which relief may do its work. Keys that found
their bucket full lie in its neighbour or in the stash, so that every write of them takes the segment's mutex; once split they are at home.
Keys spread over the buckets of a segment collide little in the first place. Every 16th increment is timed.`,
  async run(run: Run): Promise<Findings> {
    const rows: string[][] = []
    for (const scene of Object.keys(SCENES) as SceneName[]) {
      for (const engine of ENGINES) {
        run.progress(`${engine}, keys ${scene}`)
        rows.push(await measure(scene, engine, run))
      }
    }
    return {
      tables: [
        {
          title: `${WORKERS} workers, ${KEYS} hot keys; with relief, without it`,
          columns: [
            '',
            'throughput',
            'without',
            'with / without',
            'p99',
            'without',
            'without / with',
            'contentions in 1,000 writes',
            'without',
            'segments',
          ],
          rows,
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

/** Results of one map in one round. */
interface Round {
  readonly rate: number
  readonly p99: number
  /** For each 1,000 writes. */
  readonly contentions: number
}

async function measure(scene: SceneName, engine: (typeof ENGINES)[number], run: Run): Promise<string[]> {
  const { rounds, milliseconds, warmup } = run.quick
    ? { rounds: 2, milliseconds: 30, warmup: 30 }
    : { rounds: 9, milliseconds: 300, warmup: 2000 }
  using relieved = new ConcurrentMap<string, number>({ engine })
  using unrelieved = new ConcurrentMap<string, number>({ engine })
  new Int32Array(unrelieved.handle.region!)[HEADER_RELIEF_LIMIT] = 0
  const maps = [relieved, unrelieved]
  const counters = maps.map((map): Counters => ({ handle: map.handle, keys: SCENES[scene](map) }))
  const team = new Incrementers(WORKERS, engine, counters, run.seed)
  const operations = [0, 0]
  const done: Round[][] = [[], []]
  const work = async (index: number, duration: number): Promise<Round> => {
    const before = maps[index].stats().contention
    const one = await team.work(index, WORKERS, duration)
    operations[index] += one.operations
    return {
      rate: one.rate,
      p99: percentile(one.latencies.sort(), 99),
      contentions: ((maps[index].stats().contention - before) / one.operations) * 1000,
    }
  }
  try {
    for (const index of maps.keys()) await work(index, warmup)
    for (let round = 0; round < rounds; round++) {
      for (const index of [round % 2, 1 - (round % 2)]) done[index].push(await work(index, milliseconds))
    }
  } finally {
    await team.stop()
  }
  for (const [index, map] of maps.entries()) expectCount(map.values(), operations[index])

  const [withRelief, without] = done
  const of = (rounds: readonly Round[], figure: keyof Round): number[] => rounds.map((round) => round[figure])
  return [
    `${engine}, keys ${scene}`,
    rate(median(of(withRelief, 'rate'))),
    rate(median(of(without, 'rate'))),
    times(ratio(of(withRelief, 'rate'), of(without, 'rate'))),
    duration(median(of(withRelief, 'p99'))),
    duration(median(of(without, 'p99'))),
    times(ratio(of(without, 'p99'), of(withRelief, 'p99'))),
    median(of(withRelief, 'contentions')).toFixed(1),
    median(of(without, 'contentions')).toFixed(1),
    count(relieved.stats().segments),
  ]
}
