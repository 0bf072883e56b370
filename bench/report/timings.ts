import { contenderNames, kindOf, type ContenderName } from '../contenders/index.js'
import type { Table } from '../harness/case.js'
import { medianOf, roundsOf, type Timings } from '../harness/comparison.js'
import type { Operation } from '../harness/stage.js'
import { ratio } from '../harness/statistics.js'
import { familyOf, type Bar } from './chart.js'
import { duration, times } from './format.js'

const OPERATION_NAMES: Readonly<Record<Operation, string>> = {
  hit: 'get, hit',
  hitFreshKey: 'get, hit, key built for the call',
  miss: 'get, miss',
  set: 'set',
  mixed: '95 get, 5 set',
  getMany: 'getMany, a key',
}

const measured = (timings: Timings): ContenderName[] =>
  contenderNames.filter((name) => [...timings.values()].some((ofContender) => ofContender.has(name)))

/** A row a contender; for each operation its time and how it compares with `Map`. */
export function timingsTable(title: string, timings: Timings): Table {
  const operations = [...timings.keys()]
  return {
    title,
    columns: ['', ...operations.flatMap((operation) => [OPERATION_NAMES[operation], '/ Map'])],
    rows: measured(timings).map((name) => [
      kindOf(name).label,
      ...operations.flatMap((operation) => [
        duration(medianOf(timings, operation, name)),
        times(ratio(roundsOf(timings, operation, name), roundsOf(timings, operation, 'map'))),
      ]),
    ]),
  }
}

/** A bar a contender. */
export function timingsBars(panel: string, timings: Timings, operation: Operation): Bar[] {
  return measured(timings).map((name) => {
    const value = medianOf(timings, operation, name)
    return { label: kindOf(name).label, family: familyOf(name), panel, value, text: duration(value) }
  })
}
