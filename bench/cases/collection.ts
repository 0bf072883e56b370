import type { Case, Findings, Run } from '../harness/case.js'
import type { HolderName } from '../harness/holder.js'
import { median, spread } from '../harness/statistics.js'
import { atMost, type Verdict } from '../harness/targets.js'
import { Thread } from '../harness/thread.js'
import { barChart, type Bar } from '../report/chart.js'
import { count, duration } from '../report/format.js'

export interface CollectionSetup {
  readonly holder: HolderName
  /** Entries held. */
  readonly size: number
  /** Units of work that make garbage. */
  readonly requests: number
}

export type CollectionOrder = 'fill' | 'work' | 'collect' | 'close'

/** Garbage collections during one round of work; times in nanoseconds. */
export interface Pauses {
  readonly total: number
  readonly longest: number
  readonly collections: number
}

interface Observed {
  readonly holder: HolderName
  readonly pauses: Pauses[]
  /** How long a full collection takes, in nanoseconds. */
  readonly full: number[]
}

const HOLDERS = ['nothing', 'mapsafe', 'Map'] as const satisfies readonly HolderName[]

/** Garbage collection in a thread that holds many entries. */
export const collection: Case = {
  name: 'collection',
  title: 'Garbage collection with 10 million entries held',
  method: `Three threads do the same garbage-making work, in turns: one holds nothing, one a mapsafe of 10 million entries (20-character keys,
numbers), one a \`Map\` of them. The pauses are those that \`perf_hooks\` reports for the thread. *Full collection* is how long one takes
that is asked for, after each round of work. For mapsafe, *not measurable* means: more than the thread that holds nothing by no
more than that thread's own rounds differ (between their quartiles).`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 100_000 : 10_000_000
    const requests = run.quick ? 100_000 : 1_000_000
    const observed = await observe(run, size, requests, run.quick ? 3 : 7)
    return {
      tables: [
        {
          title: `${count(size)} entries, ${count(requests)} requests a round`,
          columns: ['holds', 'GC time a round', 'longest pause', 'collections a round', 'full collection'],
          rows: observed.map(({ holder, pauses, full }) => [
            holder,
            duration(median(pauses.map(({ total }) => total))),
            duration(median(pauses.map(({ longest }) => longest))),
            count(median(pauses.map(({ collections }) => collections))),
            duration(median(full)),
          ]),
        },
      ],
      charts: [
        barChart(
          'collection',
          'Garbage collection (logarithmic scale)',
          'Time of garbage collection in a round of work, and of one full collection, by what the thread holds',
          observed.flatMap(({ holder, pauses, full }) => [
            bar(holder, 'in a round of work', median(pauses.map(({ total }) => total))),
            bar(holder, 'one full collection', median(full)),
          ]),
        ),
      ],
      verdicts: verdicts(observed),
      omissions: [],
    }
  },
}

const bar = (holder: HolderName, panel: string, value: number): Bar => ({
  label: holder,
  family: holder === 'mapsafe' ? 'mapsafe' : 'private to a thread',
  panel,
  value,
  text: duration(value),
})

async function observe(run: Run, size: number, requests: number, rounds: number): Promise<Observed[]> {
  const threads = HOLDERS.map((holder) => {
    const setup: CollectionSetup = { holder, size, requests }
    return new Thread<CollectionOrder>(new URL('collection.worker.js', import.meta.url), setup)
  })
  const observed = HOLDERS.map((holder): Observed => ({ holder, pauses: [], full: [] }))
  try {
    for (const [index, thread] of threads.entries()) {
      run.progress(`filling ${HOLDERS[index]}`)
      await thread.ask('fill')
      await thread.ask('work') // compiles the code and lets the heap find its size
    }
    for (let round = 0; round < rounds; round++) {
      run.progress(`round ${round + 1} of ${rounds}`)
      for (let turn = 0; turn < threads.length; turn++) {
        const index = (round + turn) % threads.length
        observed[index].pauses.push(await threads[index].ask('work'))
        observed[index].full.push(await threads[index].ask('collect'))
      }
    }
    for (const thread of threads) await thread.ask('close')
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()))
  }
  return observed
}

function verdicts(observed: readonly Observed[]): Verdict[] {
  const nothing = observed.find(({ holder }) => holder === 'nothing')!
  const mapsafe = observed.find(({ holder }) => holder === 'mapsafe')!
  const extra = (what: string, select: (observed: Observed) => number[]): Verdict => {
    const difference = median(select(mapsafe)) - median(select(nothing))
    const noise = spread(select(nothing))
    return atMost('P9', `${what}, mapsafe less nothing held`, difference, noise, signedDuration)
  }
  return [
    extra('GC time a round', ({ pauses }) => pauses.map(({ total }) => total)),
    extra('full collection', ({ full }) => full),
  ]
}

const signedDuration = (nanoseconds: number): string =>
  nanoseconds < 0 ? `-${duration(-nanoseconds)}` : duration(nanoseconds)
