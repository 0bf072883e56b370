import type { Table } from '../harness/case.js'
import { targets, type Verdict } from '../harness/targets.js'

/** A table for the terminal: the first column to the left, figures to the right. */
export function textTable({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index].length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[index]) : cell.padStart(widths[index])))
      .join('  ')
      .trimEnd()
  return [`  ${title}`, ...[columns, ...rows].map((cells) => `    ${line(cells)}`)].join('\n')
}

/** The table of targets: each figure, its bound, and whether it is met. */
export function targetTable(verdicts: readonly Verdict[]): Table {
  return {
    title: 'Targets',
    columns: ['', 'figure', 'bound', ''],
    rows: inOrder(verdicts).map(({ target, what, figure, bound, met }) => [
      `${target}  ${what}`,
      figure,
      bound,
      met === undefined ? '' : met ? 'met' : 'MISSED',
    ]),
  }
}

function inOrder(verdicts: readonly Verdict[]): Verdict[] {
  const names = Object.keys(targets)
  return verdicts.toSorted((one, other) => names.indexOf(one.target) - names.indexOf(other.target))
}

/** Why a quick run says of no target whether it is met. */
export const NO_VERDICTS =
  'No verdicts: this was a quick run, with small sizes and few, short rounds, so that its figures are mostly noise. ' +
  'A full run judges them'

/** How many targets are met: a target is, if all its figures are. */
export function summary(verdicts: readonly Verdict[]): string {
  const names = [...new Set(inOrder(verdicts).map(({ target }) => target))]
  const missed = names.filter((name) => verdicts.some(({ target, met }) => target === name && met === false))
  const unknown = names.filter(
    (name) => !missed.includes(name) && verdicts.some(({ target, met }) => target === name && met === undefined),
  )
  const met = names.length - missed.length - unknown.length
  const parts = [`${met} of ${names.length} targets met`]
  if (missed.length > 0) parts.push(`missed: ${missed.join(', ')}`)
  if (unknown.length > 0) parts.push(`not fully measured: ${unknown.join(', ')}`)
  return parts.join('; ')
}
