import { kindOf, type ContenderName } from '../contenders/index.js'
import type { Case, Findings, Run } from '../harness/case.js'
import { compareEach, medianOf, roundsOf } from '../harness/comparison.js'
import { drawKeys } from '../harness/draws.js'
import { MANY } from '../harness/stage.js'
import { ratio } from '../harness/statistics.js'
import { atMost } from '../harness/targets.js'
import { count, duration, times } from '../report/format.js'

const NAMES: readonly ContenderName[] = ['mapsafeNative', 'mapsafeTypescript']
const DRAWS = 2 ** 18
const EVENLY = 0

/** Many reads by one call beside as many calls. */
export const manyReads: Case = {
  name: 'get-many',
  title: `Reads of ${MANY} keys by one call`,
  method: `One thread reads 100-byte strings under keys that are drawn evenly, so that most are in none of the processor's caches: by \`get\`, and ${MANY} by each \`getMany\`.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 20_000 : 1_000_000
    const draws = drawKeys(size, DRAWS, run.seed, EVENLY)
    const entrants = NAMES.map((name) => ({ as: name, name, setup: { size, value: 'string' as const }, draws }))
    const rounds = await compareEach(run, entrants, ['hit', 'getMany'])
    const over = (name: ContenderName): number =>
      ratio(roundsOf(rounds, 'getMany', name), roundsOf(rounds, 'hit', name))
    return {
      tables: [
        {
          title: `${count(size)} keys`,
          columns: ['', 'get', 'getMany, a key', '/ get'],
          rows: NAMES.map((name) => [
            kindOf(name).label,
            duration(medianOf(rounds, 'hit', name)),
            duration(medianOf(rounds, 'getMany', name)),
            times(over(name)),
          ]),
        },
      ],
      charts: [],
      verdicts: [atMost('V10', `native getMany of ${MANY}, a key / get`, over('mapsafeNative'), 0.5, times)],
      omissions: [],
    }
  },
}
