import { ConcurrentMap, type Snapshot } from 'mapsafe'
import { mapBytes } from '../contenders/mapsafe.js'
import type { Case, Findings, Run } from '../harness/case.js'
import { keyOf, VALUE_BYTES, VALUE_NAMES, valueOf } from '../harness/data.js'
import { processorTimeOf } from '../harness/processor-time.js'
import { count, duration } from '../report/format.js'

const ENGINES = ['native', 'typescript'] as const
const KINDS = ['string', 'object'] as const

type Subject = ConcurrentMap<string, unknown>

/** Calls to time, in this order: those that change the map come last. */
const CALLS: readonly [name: string, call: (map: Subject) => void][] = [
  ['stats()', (map) => void map.stats()],
  ['health()', (map) => void map.health()],
  ['verify()', (map) => void map.verify()],
  ['for (const key of keys())', (map) => walk(map.keys())],
  ['for (const [key, value] of map)', (map) => walk(map)],
  ['scan() to the end', scanAll],
  ['snapshot()', (map) => void (taken = map.snapshot())],
  ['for (const key of snapshot.keys())', () => walk(taken!.keys())],
  ['for (const [key, value] of snapshot)', () => walk(taken!)],
  ['deleteWhere(), nothing deleted', (map) => void map.deleteWhere(() => false)],
  ['deleteWhere(), every second entry', deleteHalf],
  ['clear() of the other half', (map) => map.clear()],
]

let taken: Snapshot<string, unknown> | undefined

/** How long calls over a whole map block a thread. */
export const wholeMap: Case = {
  name: 'whole-map',
  title: 'Calls over a whole map',
  method: `One map with 20-character keys, without near-cache, which no other thread uses. Processor time of the calling thread, whose event
loop stands still meanwhile, for each million entries of the map; each call is made once.`,
  run(run: Run): Promise<Findings> {
    const size = run.quick ? 20_000 : 1_000_000
    const columns = KINDS.flatMap((kind) => ENGINES.map((engine) => ({ kind, engine })))
    const measured = columns.map(({ kind, engine }) => {
      run.progress(`${engine}, ${VALUE_NAMES[kind]}`)
      return measure(engine, kind, size)
    })
    return Promise.resolve({
      tables: [
        {
          title: `${count(size)} entries`,
          columns: [
            'for each million entries',
            ...columns.map(({ kind, engine }) => `${engine}, ${VALUE_NAMES[kind]}`),
          ],
          rows: CALLS.map(([name], call) => [name, ...measured.map((times) => duration(times[call] * 1e6))]),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    })
  },
}

/** Milliseconds of each call for a million entries. */
function measure(engine: (typeof ENGINES)[number], kind: (typeof KINDS)[number], size: number): number[] {
  using map: Subject = new ConcurrentMap({ engine, nearCache: false, maxBytes: mapBytes(size, VALUE_BYTES[kind]) })
  for (let n = 0; n < size; n++) map.set(keyOf(n), valueOf(kind, n, 0))
  const times = CALLS.map(([, call]) => (processorTimeOf(() => call(map)) * 1e6) / size)
  if (map.size !== 0) throw new Error(`${map.size} entries are left`)
  taken = undefined
  return times
}

function walk(entries: Iterable<unknown>): void {
  let met = 0
  for (const entry of entries) if (entry !== undefined) met++
  if (met === 0) throw new Error('the walk met nothing')
}

function scanAll(map: Subject): void {
  for (let cursor: number | undefined = 0; cursor !== undefined;) cursor = map.scan(cursor).cursor
}

function deleteHalf(map: Subject): void {
  let met = 0
  map.deleteWhere(() => met++ % 2 === 0)
}
