import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { markdown, type Report } from './markdown.js'
import { renderSvg } from './svg.js'

/**
 * Writes the report and, into a folder of its name beside it, the plots. Plots of an earlier report are removed.
 *
 * @param file ends in .md
 */
export async function writeReport(file: string, report: Report): Promise<void> {
  const plots = join(dirname(file), basename(file, '.md'))
  rmSync(plots, { recursive: true, force: true })
  mkdirSync(plots, { recursive: true })
  writeFileSync(file, markdown(report, basename(plots)))
  for (const { findings } of report.outcomes) {
    if (typeof findings === 'string') continue
    for (const chart of findings.charts) writeFileSync(join(plots, `${chart.name}.svg`), await renderSvg(chart))
  }
}
