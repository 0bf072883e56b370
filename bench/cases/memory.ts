import type { Case, Findings, Run } from '../harness/case.js'
import { VALUE_BYTES, type ValueKind } from '../harness/data.js'
import type { HolderName } from '../harness/holder.js'
import { atMost } from '../harness/targets.js'
import { Thread } from '../harness/thread.js'
import type { Chart } from '../report/chart.js'
import { bytes, count } from '../report/format.js'

export interface MemorySetup {
  readonly holder: HolderName
  readonly size: number
  readonly value: ValueKind
  /** Whether values are stored as the bytes that msgpackr's `pack` makes of them. */
  readonly packed: boolean
}

const HOLDERS = ['mapsafe', 'mapsafe, TypeScript', 'Map'] as const satisfies readonly HolderName[]
const KEY_BYTES = 20
const PAYLOAD = KEY_BYTES + VALUE_BYTES.string
const TARGET = 40

/** Bytes an entry. */
export const memory: Case = {
  name: 'memory',
  title: 'Memory',
  method: `1 M entries, each a key of 20 and a value of 100 one-byte characters. For mapsafe the pages of its memory in use, header,
registry and page table included, plus what this thread's JavaScript heap grew by; for \`Map\` the heap after a full garbage
collection. A \`Map\` is private: every worker that wants the data has to hold it again.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 100_000 : 1_000_000
    const perEntry = new Map<HolderName, number>()
    for (const holder of HOLDERS) {
      run.progress(holder)
      perEntry.set(holder, (await fill({ holder, size, value: 'string', packed: false })) / size)
    }
    const overhead = (holder: HolderName): number => perEntry.get(holder)! - PAYLOAD
    return {
      tables: [
        {
          title: `${count(size)} entries of ${KEY_BYTES} + ${VALUE_BYTES.string} bytes`,
          columns: ['', 'bytes an entry', 'beyond key and value', 'for 4 workers'],
          rows: HOLDERS.map((holder) => [
            holder,
            bytes(perEntry.get(holder)!),
            bytes(overhead(holder)),
            bytes(perEntry.get(holder)! * (holder === 'Map' ? 4 : 1)),
          ]),
        },
      ],
      charts: [memoryChart(overhead)],
      verdicts: [atMost('P10', 'bytes an entry beyond key and value', overhead('mapsafe'), TARGET, bytes)],
      omissions: [],
    }
  },
}

/** Returns the bytes that a thread's container of these values takes. */
export async function fill(setup: MemorySetup): Promise<number> {
  const thread = new Thread<'fill'>(new URL('memory.worker.js', import.meta.url), setup)
  try {
    return await thread.ask<number>('fill')
  } finally {
    await thread.stop()
  }
}

function memoryChart(overhead: (holder: HolderName) => number): Chart {
  const parts = ['key and value', 'overhead']
  const values = HOLDERS.flatMap((holder) => [
    { holder, part: parts[0], place: 0, bytes: PAYLOAD },
    { holder, part: parts[1], place: 1, bytes: overhead(holder) },
  ])
  return {
    name: 'memory',
    description: 'Bytes an entry, split into key and value, and overhead',
    spec: {
      title: 'Bytes an entry',
      data: { values },
      width: 480,
      height: { step: 30 },
      mark: { type: 'bar', height: 20 },
      encoding: {
        y: { field: 'holder', type: 'nominal', title: null, sort: null },
        x: { field: 'bytes', type: 'quantitative', title: 'bytes' },
        color: {
          field: 'part',
          type: 'nominal',
          title: null,
          scale: { domain: parts, range: ['#cccccc', '#0072b2'] },
          legend: { orient: 'bottom', direction: 'horizontal' },
        },
        order: { field: 'place', type: 'quantitative' },
      },
    },
  }
}
