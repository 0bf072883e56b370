import { expect } from 'vitest'
import { seed } from '../support/run.js'
import { checkLinearizable, type Model, type Operation } from './checker.js'

/** Calls that began while another was under way. */
export function overlapsIn(operations: readonly Operation<unknown>[]): number {
  const sorted = operations.toSorted((a, b) => a.invoked - b.invoked)
  return sorted.filter(({ invoked }, i) => sorted.slice(0, i).some(({ returned }) => returned > invoked)).length
}

/** Fails with the history, if no order explains it. */
export function expectLinearizable<State, Call>(
  operations: readonly Operation<Call>[],
  model: Model<State, Call>,
): void {
  const { isLinearizable, order } = checkLinearizable(operations, model)
  if (isLinearizable) return
  const line = ({ worker, invoked, returned, call }: Operation<Call>): string =>
    `  worker ${worker}  [${invoked}, ${returned}]  ${JSON.stringify(call)}`
  const sorted = operations.toSorted((a, b) => a.invoked - b.invoked)
  const report = [
    `Not linearizable (MAPSAFE_SEED=${seed}):`,
    ...sorted.map(line),
    `The longest order that explains a part of it has ${order.length} of ${operations.length} calls:`,
    ...order.map(line),
  ]
  expect.fail(report.join('\n'))
}
