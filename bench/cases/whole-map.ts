import { advanceClock, ConcurrentCache, ConcurrentMap, type Snapshot } from 'mapsafe'
import { mapBytes } from '../contenders/mapsafe.js'
import type { Case, Findings, Run } from '../harness/case.js'
import { keyOf, VALUE_BYTES, VALUE_NAMES, valueOf } from '../harness/data.js'
import { processorTimeOf, turnsOf } from '../harness/processor-time.js'
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

/** Calls that go in slices, in this order: those that change the map come last. */
const SLICED: readonly [name: string, call: (map: Subject) => Promise<unknown>][] = [
  ['healthAsync()', (map) => map.healthAsync()],
  ['verifyAsync()', (map) => map.verifyAsync()],
  ['snapshotAsync()', (map) => map.snapshotAsync()],
  ['deleteWhereAsync(), nothing deleted', (map) => map.deleteWhereAsync(() => false)],
  ['deleteWhereAsync(), every second entry', (map) => map.deleteWhereAsync(everySecond())],
  ['clearAsync()', (map) => map.clearAsync()],
]
const TTL = 1_000_000_000

let taken: Snapshot<string, unknown> | undefined

/** How long calls over a whole map block a thread. */
export const wholeMap: Case = {
  name: 'whole-map',
  title: 'Calls over a whole map',
  method: `One map with 20-character keys, without near-cache, which no other thread uses. Processor time of the calling thread, whose event
loop stands still meanwhile, for each million entries of the map; each call is made once. For the forms in slices, the longest turn of the event loop and
the sum of all, in processor time too; *all expire at once*: a cache's sweeping in the background after the lifetime of every entry has ended.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 20_000 : 1_000_000
    const columns = KINDS.flatMap((kind) => ENGINES.map((engine) => ({ kind, engine })))
    const measured = columns.map(({ kind, engine }) => {
      run.progress(`${engine}, ${VALUE_NAMES[kind]}`)
      return measure(engine, kind, size)
    })
    const sliced: [string, string][][] = []
    for (const { kind, engine } of columns) {
      run.progress(`${engine}, ${VALUE_NAMES[kind]}, in slices`)
      sliced.push(await measureSlices(engine, kind, size))
    }
    return {
      tables: [
        {
          title: `${count(size)} entries`,
          columns: [
            'for each million entries',
            ...columns.map(({ kind, engine }) => `${engine}, ${VALUE_NAMES[kind]}`),
          ],
          rows: CALLS.map(([name], call) => [name, ...measured.map((times) => duration(times[call] * 1e6))]),
        },
        {
          title: `${count(size)} entries, in slices: the longest turn, and all`,
          columns: ['', ...columns.map(({ kind, engine }) => `${engine}, ${VALUE_NAMES[kind]}`)],
          rows: sliced[0].map(([name], call) => [name, ...sliced.map((cells) => cells[call][1])]),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

async function measureSlices(
  engine: (typeof ENGINES)[number],
  kind: (typeof KINDS)[number],
  size: number,
): Promise<[string, string][]> {
  const cells: [string, string][] = []
  const note = (name: string, { longest, total }: { longest: number; total: number }): void =>
    void cells.push([name, `${duration(longest * 1e6)}, ${duration(total * 1e6)}`])
  const options = { engine, nearCache: false as const, maxBytes: mapBytes(size, VALUE_BYTES[kind]) }
  {
    using map: Subject = new ConcurrentMap(options)
    for (let n = 0; n < size; n++) map.set(keyOf(n), valueOf(kind, n, 0))
    for (const [name, call] of SLICED) note(name, await turnsOf(call(map)))
    if (map.size !== 0) throw new Error(`${map.size} entries are left`)
  }
  using cache = new ConcurrentCache<string, unknown>({ ...options, maxBytes: 2 * options.maxBytes, ttl: TTL })
  for (let n = 0; n < size; n++) cache.set(keyOf(n), valueOf(kind, n, 0))
  advanceClock(cache, TTL)
  note('all expire at once', await turnsOf(emptied(cache)))
  return cells
}

async function emptied(cache: ConcurrentCache<string, unknown>): Promise<void> {
  while (cache.size > 0) await new Promise((resolve) => setImmediate(resolve))
}

function everySecond(): () => boolean {
  let met = 0
  return () => met++ % 2 === 0
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
