/** The entry `mapsafe/metrics`: metrics of maps as plain values, and as an endpoint for node:http. */
import { flagOf, readOptions } from '../../base/arguments.js'
import type { LoadTimes } from '../../format/load-times.js'
import { pid } from '../../platform/process.js'
import { checkJudged, checkMaps, figuresOf, judgedFiguresOf, type Measured, type NamedMaps } from './maps.js'
import { METRICS, type Figures } from './table.js'

export { METRICS, type Figures, type Histogram, type Metric, type Numbers } from './table.js'
export type { LoadTimes } from '../../format/load-times.js'
export type { Measured, NamedMaps } from './maps.js'

/**
 * The metrics of a map by name; an object by the values of its label where a metric has one, and counts by ranges where it is
 * a histogram.
 */
export type MetricValues = Readonly<Record<string, number | Readonly<Record<string, number>> | LoadTimes>>

/** Options of {@link metricsHandler}. */
export interface HandlerOptions {
  /** Whether each answer has the verdicts of `health()`: up to a second for each million entries. Default: false. */
  readonly health?: boolean | undefined
}

/** Returns the metrics of a map or cache, by the names of {@link METRICS}. */
export function metricsOf(map: Measured): MetricValues {
  const [[, checked]] = checkMaps({ map }) as [[string, Measured]]
  return valuesOf(figuresOf(checked)) ?? {}
}

function valuesOf(figures: Figures | undefined): MetricValues | undefined {
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
 * @param maps maps by name, or a list of maps with the option `name`
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything else, `ERR_MAPSAFE_NAME` for two maps of one name
 */
export function metricsHandler(
  maps: NamedMaps,
  options: HandlerOptions = {},
): (request: MetricsRequest, response: MetricsResponse) => void {
  const named = checkMaps(maps)
  const isJudging = flagOf(readOptions<HandlerOptions>(options, ['health']), 'health')
  if (isJudging) checkJudged(named)
  return ({ method }, response) => {
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' })
      response.end()
      return
    }
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
      response.end(method === 'HEAD' ? undefined : JSON.stringify(body))
    }
    const tell = (figures: readonly (Figures | undefined)[]): void => {
      const told = named.map(([name], i) => [name, valuesOf(figures[i])] as const)
      const maps = Object.fromEntries(told.filter(([, values]) => values !== undefined))
      answer(200, { pid, time: Date.now(), maps })
    }
    if (!isJudging) tell(named.map(([, map]) => figuresOf(map)))
    else {
      Promise.all(named.map(([, map]) => judgedFiguresOf(map))).then(tell, (error: unknown) => {
        answer(500, { error: String((error as Error | undefined)?.message) })
      })
    }
  }
}
