import { createRequire } from 'node:module'
import type { PrometheusClient, PrometheusRegistry } from '../../src/observe/metrics/prometheus.js'

interface Registry extends PrometheusRegistry {
  readonly contentType: string
  metrics(): Promise<string>
  getMetricsAsJSON(): Promise<object[]>
}

/** The real prom-client, as far as tests need it. */
export const client = createRequire(import.meta.url)('prom-client') as PrometheusClient & {
  readonly register: Registry
  readonly Registry: new () => Registry
  readonly AggregatorRegistry: { aggregate(metrics: object[][]): Registry }
}

/** A sample's name with its labels, as the text format has them, and its value. */
export type Samples = ReadonlyMap<string, number>

const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"`
const SAMPLE = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(\{${LABEL}(?:,${LABEL})*\})? (\S+)$`)

/** Reads Prometheus's text format, and throws for any line that is not in it. */
export function parse(text: string): { readonly samples: Samples; readonly types: ReadonlyMap<string, string> } {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  const helped = new Set<string>()
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  for (const line of text.split('\n')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (line === '') continue
    else if (keyword === 'HELP') helped.add(name)
    else if (keyword === 'TYPE') types.set(name, rest)
    else {
      const match = SAMPLE.exec(line)
      if (match === null) throw new Error(`no sample: ${line}`)
      const [, metric, , value] = match
      const labels = (match[2] as string | undefined) ?? ''
      const described = types.has(metric) ? metric : metric.replace(/_(bucket|sum|count)$/, '')
      if (!types.has(described) || !helped.has(described)) throw new Error(`nothing was said of ${metric} before`)
      if (samples.has(metric + labels)) throw new Error(`twice: ${line}`)
      if (!Number.isFinite(Number(value))) throw new Error(`no number: ${line}`)
      samples.set(metric + labels, Number(value))
    }
  }
  return { samples, types }
}
