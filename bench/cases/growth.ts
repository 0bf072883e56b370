import type { Case, Findings, Run } from '../harness/case.js'
import type { HolderName } from '../harness/holder.js'
import { median, ratio } from '../harness/statistics.js'
import { atLeast } from '../harness/targets.js'
import { Thread } from '../harness/thread.js'
import { durationAxis, type Chart } from '../report/chart.js'
import { count, duration, times } from '../report/format.js'

export interface GrowthSetup {
  readonly holder: HolderName
  readonly size: number
  /** The growth is cut into so many equal parts. */
  readonly slices: number
}

export interface Growth {
  readonly seconds: number
  /** Longest operation of each slice, in nanoseconds. */
  readonly worst: Float64Array
}

const HOLDERS = ['Map', 'mapsafe', 'mapsafe, TypeScript'] as const satisfies readonly HolderName[]
const SIZE = 8_000_000
const QUICK_SIZE = 200_000
const ROUNDS = 3
const SLICES = 80
const TARGET = 100

/** Single operations while a map grows. */
export const growth: Case = {
  name: 'growth',
  title: 'Growing to 8 million entries',
  method: `Inserts keys of 20 characters with numbers as values into an empty map, and times each insert by itself. What is
interesting is the longest: a \`Map\` copies itself to a table of twice the size and its garbage is collected, all within one
\`set\`, while mapsafe splits segments of some hundred entries. Each map grows in a thread of its own; the garbage that the building of keys
makes is collected in both.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? QUICK_SIZE : SIZE
    const rounds = run.quick ? 1 : ROUNDS
    const growths = new Map<HolderName, Growth[]>(HOLDERS.map((holder) => [holder, []]))
    for (let round = 0; round < rounds; round++) {
      for (const holder of HOLDERS) {
        run.progress(`${holder}, round ${round + 1} of ${rounds}`)
        growths.get(holder)!.push(await grow({ holder, size, slices: SLICES }))
      }
    }
    const worst = (holder: HolderName): number[] => growths.get(holder)!.map((one) => Math.max(...one.worst))
    return {
      tables: [
        {
          title: `${count(size)} inserts`,
          columns: ['', 'longest insert', 'Map / this', 'all inserts'],
          rows: HOLDERS.map((holder) => [
            holder,
            duration(median(worst(holder))),
            times(ratio(worst('Map'), worst(holder))),
            duration(median(growths.get(holder)!.map(({ seconds }) => seconds)) * 1e9),
          ]),
        },
      ],
      charts: [growthChart(size, growths)],
      verdicts: [
        atLeast('P8', 'longest Map.set / longest mapsafe set', ratio(worst('Map'), worst('mapsafe')), TARGET, times),
      ],
      omissions: [],
    }
  },
}

async function grow(setup: GrowthSetup): Promise<Growth> {
  const thread = new Thread<'grow'>(new URL('growth.worker.js', import.meta.url), setup)
  try {
    return await thread.ask<Growth>('grow')
  } finally {
    await thread.stop()
  }
}

/** The longest insert of each slice, over the entries. */
function growthChart(size: number, growths: ReadonlyMap<HolderName, readonly Growth[]>): Chart {
  const values = HOLDERS.flatMap((holder) =>
    Array.from({ length: SLICES }, (_, slice) => ({
      holder,
      entries: ((slice + 1) / SLICES) * size,
      nanoseconds: median(growths.get(holder)!.map(({ worst }) => worst[slice])),
    })),
  )
  return {
    name: 'growth',
    description: `The longest single insert while a map grows to ${count(size)} entries`,
    spec: {
      title: 'Longest single insert on the way (logarithmic scale)',
      data: { values },
      width: 640,
      height: 300,
      mark: { type: 'line', interpolate: 'step-before', strokeWidth: 1.8 },
      encoding: {
        x: { field: 'entries', type: 'quantitative', title: 'entries', axis: { format: '~s' } },
        y: { field: 'nanoseconds', type: 'quantitative', title: null, scale: { type: 'log' }, axis: durationAxis },
        color: {
          field: 'holder',
          type: 'nominal',
          title: null,
          scale: { domain: [...HOLDERS], range: ['#9a9a9a', '#0072b2', '#56b4e9'] },
          legend: { orient: 'bottom', direction: 'horizontal', symbolType: 'stroke', symbolStrokeWidth: 3 },
        },
      },
    },
  }
}
