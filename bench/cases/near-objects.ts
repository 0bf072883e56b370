import { kindOf, type ContenderName } from '../contenders/index.js'
import type { Case, Findings, Run } from '../harness/case.js'
import { compare, medianOf, roundsOf } from '../harness/comparison.js'
import { ratio } from '../harness/statistics.js'
import { atMost } from '../harness/targets.js'
import { count, duration, times } from '../report/format.js'

const NAMES: readonly ContenderName[] = [
  'map',
  'lruCache',
  'lruCacheTtl',
  'mapsafeNear',
  'mapsafeNative',
  'lmdbMsgpack',
]

/** More objects than a near-cache of old held. */
export const nearObjects: Case = {
  name: 'near-objects',
  title: 'Objects in the near-cache',
  method: `One thread, flat objects under keys drawn by Zipf's law: 95 reads, then 5 overwrites, and so on; the time of an operation. The near-cache has its default bounds.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 10_000 : 50_000
    const timings = await compare(run, { size, value: 'flat' }, NAMES, ['mixed', 'hit'])
    const over = (operation: 'mixed' | 'hit', name: ContenderName): number =>
      ratio(roundsOf(timings, operation, name), roundsOf(timings, operation, 'lruCache'))
    return {
      tables: [
        {
          title: `${count(size)} flat objects`,
          columns: ['', '95 get, 5 set', '/ lru-cache', 'get', '/ lru-cache'],
          rows: NAMES.map((name) => [
            kindOf(name).label,
            ...(['mixed', 'hit'] as const).flatMap((operation) => [
              duration(medianOf(timings, operation, name)),
              times(over(operation, name)),
            ]),
          ]),
        },
      ],
      charts: [],
      verdicts: [
        atMost('V8', `${count(size)} objects, 95:5: mapsafe / lru-cache`, over('mixed', 'mapsafeNear'), 1.8, times),
      ],
      omissions: [],
    }
  },
}
