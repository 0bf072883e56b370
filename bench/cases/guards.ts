import type { Case, Findings, Run } from '../harness/case.js'
import { drawKeys } from '../harness/draws.js'
import { median, ratio } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { duration, times } from '../report/format.js'

/** What watches the map. */
export const WATCHES = {
  off: 'nothing',
  thresholds: 'guard',
  bare: 'lostUpdates without stacks',
  stacks: 'lostUpdates',
} as const
export type Watch = keyof typeof WATCHES

/** What is done to a key. */
export const ACTS = { near: 'get, near', far: 'get, far', write: 'set', both: 'get, then set' } as const
export type Act = keyof typeof ACTS

export interface GuardsSetup {
  readonly watch: Watch
  readonly size: number
  readonly draws: Uint32Array
}

export interface GuardsOrder {
  readonly act: Act
  readonly milliseconds: number
}

const SIZE = 4096

/** What the probe for lost updates and the thresholds cost, and what a map pays that has neither. */
export const guards: Case = {
  name: 'guards',
  title: 'What guards cost',
  method: `One thread, the native engine, ${SIZE} keys of 20 characters, drawn by Zipf's law, with numbers as values. Each map object is in a thread of its own;
*far* is without a near-cache. *get, then set* is of one key, so that each \`set\` finds the note of a read. The two rows of a map that nothing watches show
how far equal maps differ.`,
  async run(run: Run): Promise<Findings> {
    const { rounds, milliseconds } = run.quick ? { rounds: 2, milliseconds: 5 } : { rounds: 15, milliseconds: 30 }
    const draws = drawKeys(SIZE, 2 ** 16, run.seed)
    const rows = [
      ['off', WATCHES.off],
      ['off', `${WATCHES.off}, again`],
      ['thresholds', WATCHES.thresholds],
      ['bare', WATCHES.bare],
      ['stacks', WATCHES.stacks],
    ] as const
    const threads = rows.map(([watch]) => {
      const setup: GuardsSetup = { watch, size: SIZE, draws }
      return new Thread<GuardsOrder>(new URL('guards.worker.js', import.meta.url), setup)
    })
    const acts = Object.keys(ACTS) as Act[]
    const measured = rows.map(() => new Map(acts.map((act) => [act, [] as number[]])))
    try {
      for (let round = -1; round < rounds; round++) {
        run.progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`)
        for (const act of acts) {
          for (const [i, thread] of threads.entries()) {
            const time = await thread.ask<number>({ act, milliseconds: round < 0 ? 5 * milliseconds : milliseconds })
            if (round >= 0) measured[i].get(act)!.push(time)
          }
        }
      }
    } finally {
      await Promise.all(threads.map((thread) => thread.stop()))
    }
    return {
      tables: [
        {
          title: 'One call, beside a map that nothing watches',
          columns: ['what watches', ...acts.map((act) => ACTS[act])],
          rows: rows.map(([, label], i) => [
            label,
            ...acts.map((act) => {
              const [own, base] = [measured[i].get(act)!, measured[0].get(act)!]
              return `${duration(median(own))}${i === 0 ? '' : ` (${times(ratio(own, base))})`}`
            }),
          ]),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}
