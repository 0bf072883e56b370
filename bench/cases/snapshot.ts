import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentMap, type EngineChoice, type MapHandle } from 'mapsafe'
import { mapBytes } from '../contenders/mapsafe.js'
import type { Case, Findings, Run } from '../harness/case.js'
import { keyOf, VALUE_BYTES, valueOf } from '../harness/data.js'
import { median } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { count, duration } from '../report/format.js'

export interface WriterSetup {
  readonly handle: MapHandle
  readonly engine: EngineChoice
  readonly size: number
  readonly seed: number
}

export interface WriterOrder {
  /** Writes a second; Infinity for as many as possible. */
  readonly writesPerSecond: number
  /** Grows by one when a span begins and when it ends, so it is odd during spans; STOP ends the order. */
  readonly phase: Int32Array
  /** Set by the writer: the longest write that was under way in each span, in milliseconds; 0 if there was none. */
  readonly longest: Float64Array
}

export const STOP = -1

const ENGINES = ['native', 'typescript'] as const
const RATES = [200, 10_000, Infinity]

interface Effort {
  readonly sizes: readonly number[]
  readonly snapshots: number
}
const FULL: Effort = { sizes: [100_000, 1_000_000], snapshots: 9 }
const QUICK: Effort = { sizes: [5000], snapshots: 2 }

/** How long a snapshot takes, and how long it makes a writer wait. */
export const snapshot: Case = {
  name: 'snapshot',
  title: 'Snapshots, and the pause they make for writers',
  method: `One thread overwrites 100-byte strings under 20-character keys, drawn evenly, at a given rate, without near-cache; another takes
snapshots. *Longest write*: of those under way during a snapshot, the longest; the median of the snapshots and the worst of all. The last two
columns say the same of as long a span without a snapshot, which is what the scheduler and the clock alone do to a writer.`,
  async run(run: Run): Promise<Findings> {
    const { sizes, snapshots } = run.quick ? QUICK : FULL
    const rows: string[][] = []
    for (const size of sizes) {
      for (const engine of ENGINES) {
        run.progress(`${engine}, ${count(size)} entries`)
        rows.push(...(await measure(engine, size, snapshots, run.seed)))
      }
    }
    const columns = ['', 'writes a second', 'snapshot', 'longest write', 'worst', 'without: longest write', 'worst']
    return {
      tables: [{ title: `${snapshots} snapshots a row`, columns, rows }],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

async function measure(
  engine: (typeof ENGINES)[number],
  size: number,
  snapshots: number,
  seed: number,
): Promise<string[][]> {
  using map = new ConcurrentMap<string, unknown>({ engine, maxBytes: mapBytes(size, VALUE_BYTES.string) })
  for (let n = 0; n < size; n++) map.set(keyOf(n), valueOf('string', n, 0))
  const setup: WriterSetup = { handle: map.handle, engine, size, seed }
  const writer = new Thread<WriterOrder>(new URL('snapshot.worker.js', import.meta.url), setup)
  const rows: string[][] = []
  try {
    for (const writesPerSecond of RATES) {
      const { lengths, during, without } = await observe(map, writer, writesPerSecond, snapshots)
      rows.push([
        `${engine}, ${count(size)} entries`,
        writesPerSecond === Infinity ? 'as many as can be' : count(writesPerSecond),
        milliseconds(median(lengths)),
        milliseconds(median(during)),
        milliseconds(worst(during)),
        milliseconds(median(without)),
        milliseconds(worst(without)),
      ])
    }
    return rows
  } finally {
    await writer.stop()
  }
}

/** NaN if there is none. */
const worst = (values: readonly number[]): number => (values.length === 0 ? NaN : Math.max(...values))

const milliseconds = (value: number): string => duration(value * 1e6)

/**
 * Times of snapshots, and the longest writes during them and during spans of the same length without one; all in
 * milliseconds.
 */
async function observe(
  map: ConcurrentMap<string, unknown>,
  writer: Thread<WriterOrder>,
  writesPerSecond: number,
  snapshots: number,
): Promise<{ lengths: number[]; during: number[]; without: number[] }> {
  const phase = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const longest = new Float64Array(new SharedArrayBuffer(2 * snapshots * Float64Array.BYTES_PER_ELEMENT))
  const writing = writer.ask<number>({ writesPerSecond, phase, longest })
  const lengths: number[] = []
  const { size } = map
  try {
    for (let i = 0; i < snapshots; i++) {
      await sleep(50)
      Atomics.add(phase, 0, 1)
      const began = performance.now()
      const taken = map.snapshot()
      const length = performance.now() - began
      Atomics.add(phase, 0, 1)
      lengths.push(length)
      if (taken.size !== size) throw new Error(`a snapshot of ${size} entries has ${taken.size}`)
      await sleep(50)
      Atomics.add(phase, 0, 1)
      await sleep(length)
      Atomics.add(phase, 0, 1)
    }
  } finally {
    Atomics.store(phase, 0, STOP)
  }
  await writing
  const ofSpans = (parity: number): number[] => [...longest].filter((write, span) => span % 2 === parity && write > 0)
  return { lengths, during: ofSpans(0), without: ofSpans(1) }
}
