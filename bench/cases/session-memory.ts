import type { Case, Findings, Run } from '../harness/case.js'
import { atMost } from '../harness/targets.js'
import { bytes, count, times } from '../report/format.js'
import { fill, type MemorySetup } from './memory.js'

const WAYS: readonly [name: string, setup: Pick<MemorySetup, 'holder' | 'packed'>][] = [
  ['mapsafe', { holder: 'mapsafe', packed: false }],
  ['mapsafe of bytes, msgpackr', { holder: 'mapsafe', packed: true }],
  ['Map', { holder: 'Map', packed: false }],
]

/** Bytes of sessions. */
export const sessionMemory: Case = {
  name: 'session-memory',
  title: 'Memory of sessions',
  method: `Sessions of seven objects and arrays under keys of 20 characters, counted as the case *memory* does. *mapsafe of bytes* holds them as msgpackr's \`pack\` writes them, with
their names, as every value was before names had a table.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 20_000 : 1_000_000
    const perEntry: number[] = []
    for (const [name, setup] of WAYS) {
      run.progress(name)
      perEntry.push((await fill({ ...setup, size, value: 'session' })) / size)
    }
    const over = (way: number): number => perEntry[way] / perEntry[1]
    return {
      tables: [
        {
          title: `${count(size)} sessions`,
          columns: ['', 'bytes an entry', '/ mapsafe of bytes'],
          rows: WAYS.map(([name], way) => [name, bytes(perEntry[way]), times(over(way))]),
        },
      ],
      charts: [],
      verdicts: [atMost('V5', 'bytes an entry / with names in every value', over(0), 0.75, times)],
      omissions: [],
    }
  },
}
