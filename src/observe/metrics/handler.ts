/** The entry `mapsafe/metrics`: metrics of maps as plain values, and as an endpoint for node:http. */
import { pid } from '../../platform/process.js'
import { checkMaps, figuresOf, type Measured, type NamedMaps } from './maps.js'
import { METRICS } from './table.js'

export { METRICS, type Figures, type Metric } from './table.js'
export type { Measured, NamedMaps } from './maps.js'

/** The metrics of a map by name; an object by the values of its label where a metric has one. */
export type MetricValues = Readonly<Record<string, number | Readonly<Record<string, number>>>>

/** Returns the metrics of a map or cache, by the names of {@link METRICS}. */
export function metricsOf(map: Measured): MetricValues {
  const [[, checked]] = checkMaps({ map }) as [[string, Measured]]
  return valuesOf(checked) ?? {}
}

function valuesOf(map: Measured): MetricValues | undefined {
  const figures = figuresOf(map)
  if (figures === undefined) return undefined
  const values = METRICS.map((metric) => [metric.name, metric.read(figures)] as const)
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as MetricValues
}

/** A request of node:http, as far as it is needed. */
export interface MetricsRequest {
  /** Its method. */
  readonly method?: string | undefined
}

/** A response of node:http, as far as it is needed. */
export interface MetricsResponse {
  /** Begins the answer. */
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown
  /** Ends the answer. */
  end(body?: string): unknown
}

/**
 * Returns a handler for node:http, express and their like that answers with the metrics of maps as JSON: `{ pid, time,
 * maps: { NAME: { METRIC: VALUE } } }`. It answers GET and HEAD alone, and every path: mount it where only monitors
 * get to. No key and no value of the maps is in the answer. A map that this thread has closed is left out.
 *
 * @param maps maps by name
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything but an object of maps
 */
export function metricsHandler(maps: NamedMaps): (request: MetricsRequest, response: MetricsResponse) => void {
  const named = checkMaps(maps)
  return ({ method }, response) => {
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' })
      response.end()
      return
    }
    const told = named.map(([name, map]) => [name, valuesOf(map)] as const)
    const open = Object.fromEntries(told.filter(([, values]) => values !== undefined))
    const body = JSON.stringify({ pid, time: Date.now(), maps: open })
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    response.end(method === 'HEAD' ? undefined : body)
  }
}
