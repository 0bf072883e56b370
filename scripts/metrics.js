// Writes what is made from the table of metrics (--write), or fails if it is not current (--check): the table of the guide's
// page, and a dashboard for Grafana.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import prettier from 'prettier'
import { tsImport } from 'tsx/esm/api'
import { root } from './tools.js'

const { METRICS } = await tsImport('../src/observe/metrics/table.ts', import.meta.url)
const [mode] = process.argv.slice(2)
if (mode !== '--write' && mode !== '--check') throw new Error('usage: metrics.js --write | --check')

const page = join(root, 'docs', 'guide', '25-metrics.md')
const dashboard = join(root, 'docs', 'grafana.json')
const BEGIN = '<!-- metrics -->\n'
const END = '\n<!-- end of metrics -->'

function table() {
  const rows = METRICS.map(({ name, kind, label, help, reading }) => {
    const labels = ['cache', ...(label === undefined ? [] : [label])].map((each) => `\`${each}\``).join(', ')
    return `| \`${name}\` | ${kind} | ${labels} | ${help} | ${reading} |`
  })
  return ['| metric | kind | labels | what | how to read it |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}

const rateOf = (name) => `rate(${name}{cache=~"$cache"}[$__rate_interval])`

/** A graph of a metric: a counter's rate, a gauge as it is, or the longest of most times. */
function panel({ name, help, kind, label }, i) {
  const by = label === undefined ? 'cache' : `cache, ${label}`
  // Every worker that is scraped has the same totals.
  const of = {
    counter: `max by (${by}) (${rateOf(name)})`,
    gauge: `max by (${by}) (${name}{cache=~"$cache"})`,
    histogram: `histogram_quantile(0.95, max by (cache, le) (${rateOf(`${name}_bucket`)}))`,
  }[kind]
  const unit = name.endsWith('_bytes') ? 'bytes' : { counter: 'ops', gauge: 'short', histogram: 's' }[kind]
  return {
    id: i + 1,
    type: 'timeseries',
    title: `${help.replace(/\.$/, '')}${kind === 'histogram' ? ' (95 %)' : ''}`,
    datasource: { type: 'prometheus', uid: '${datasource}' },
    gridPos: { x: 8 * (i % 3), y: 8 * Math.floor(i / 3), w: 8, h: 8 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: [{ refId: 'A', expr: of, legendFormat: label === undefined ? '{{cache}}' : `{{cache}} {{${label}}}` }],
  }
}

function grafana() {
  const variables = [
    { name: 'datasource', type: 'datasource', query: 'prometheus' },
    {
      name: 'cache',
      type: 'query',
      datasource: { type: 'prometheus', uid: '${datasource}' },
      query: 'label_values(mapsafe_entries, cache)',
      refresh: 2,
      multi: true,
      includeAll: true,
    },
  ]
  const panels = METRICS.map(panel)
  return { title: 'mapsafe', uid: 'mapsafe', schemaVersion: 39, timezone: '', templating: { list: variables }, panels }
}

const written = readFileSync(page, 'utf8')
const [head, tail] = [written.indexOf(BEGIN) + BEGIN.length, written.indexOf(END)]
const formatted = async (text, filepath) =>
  prettier.format(text, { ...(await prettier.resolveConfig(filepath)), filepath })
const made = [
  [page, await formatted(`${written.slice(0, head)}\n${table()}\n${written.slice(tail)}`, page)],
  [dashboard, await formatted(JSON.stringify(grafana()), dashboard)],
]
for (const [path, text] of made) {
  if (mode === '--write') writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is not current: npm run metrics`)
    process.exitCode = 1
  }
}
