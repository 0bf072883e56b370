import type { Case, Findings, Run } from '../harness/case.js'
import { drawKeys } from '../harness/draws.js'
import { median, ratio } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { duration, times } from '../report/format.js'

/** How a read makes sure that what it found in a private `Map` is current. */
export const WAYS = {
  unchecked: 'Map.get',
  atomic: 'and Atomics.load of a version, compared',
  plain: 'and a plain load instead',
  epoch: 'and the epoch, loaded plainly and compared',
  mapsafe: 'mapsafe: a near hit',
} as const
export type Way = keyof typeof WAYS

export interface NearHitsSetup {
  readonly way: Way
  readonly size: number
  readonly draws: Uint32Array
}

export interface NearHitsOrder {
  readonly milliseconds: number
}

const SIZE = 4096

/** The steps that make a near hit cost more than `Map.get`. */
export const nearHits: Case = {
  name: 'near-hits',
  title: 'What a near hit is made of',
  method: `${SIZE} keys of 20 characters, drawn by Zipf's law, with numbers as values. The first four ways are a \`Map\` of objects like those of the
near-cache, and in shared memory a line for each key; each does what the one above it does and a step more, but for the plain load, which stands for
the atomic one. The figures behind the decisions
[near entries compare epochs](decisions/2026-11-20-near-entries-compare-epochs.md) and
[near hits load plainly](decisions/2026-11-20-near-hits-load-plainly.md).`,
  async run(run: Run): Promise<Findings> {
    const { rounds, milliseconds, warmup } = run.quick
      ? { rounds: 2, milliseconds: 5, warmup: 20 }
      : { rounds: 21, milliseconds: 40, warmup: 150 }
    const draws = drawKeys(SIZE, 2 ** 16, run.seed)
    const threads = new Map(
      (Object.keys(WAYS) as Way[]).map((way) => {
        const setup: NearHitsSetup = { way, size: SIZE, draws }
        return [way, new Thread<NearHitsOrder>(new URL('near-hits.worker.js', import.meta.url), setup)]
      }),
    )
    const measured = new Map<Way, number[]>()
    try {
      for (const thread of threads.values()) await thread.ask({ milliseconds: warmup })
      for (let round = 0; round < rounds; round++) {
        run.progress(`round ${round + 1} of ${rounds}`)
        for (const [way, thread] of threads) {
          measured.set(way, [...(measured.get(way) ?? []), await thread.ask<number>({ milliseconds })])
        }
      }
    } finally {
      await Promise.all([...threads.values()].map((thread) => thread.stop()))
    }
    return {
      tables: [
        {
          title: 'One read',
          columns: ['', 'time', '/ Map.get'],
          rows: [...measured].map(([way, rounds]) => [
            WAYS[way],
            duration(median(rounds)),
            times(ratio(rounds, measured.get('unchecked')!)),
          ]),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}
