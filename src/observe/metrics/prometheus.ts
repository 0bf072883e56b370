/**
 * The entry `mapsafe/prometheus`: metrics of maps for prom-client. Counters are those of the map's memory, so each thread
 * and process that has the map open answers a scrape with the same totals, and they outlive threads and processes.
 */
import { describe } from '../../base/describe.js'
import { MapsafeError, MapsafeTypeError } from '../../base/errors.js'
import { flagOf, optionOf, readOptions } from '../../base/arguments.js'
import { checkJudged, checkMaps, figuresOf, judgedFiguresOf, type Measured, type NamedMaps } from './maps.js'
import { METRICS, type Figures, type Histogram, type Numbers } from './table.js'

export type { Measured, NamedMaps } from './maps.js'
export type { Figures } from './table.js'

/** A registry of prom-client, as far as it is needed. */
export interface PrometheusRegistry {
  /** Returns the metric of a name, if there is one. */
  getSingleMetric(name: string): unknown
  /** Takes a metric in. */
  registerMetric(metric: never): void
  /** Takes a metric out. */
  removeSingleMetric(name: string): void
}

/** A class of prom-client: makes a metric from its configuration. */
export type MetricClass = new (configuration: never) => unknown

/** The module prom-client 15, as far as it is needed: `import client from 'prom-client'`. */
export interface PrometheusClient {
  /** Its class of counters. */
  readonly Counter: MetricClass
  /** Its class of gauges. */
  readonly Gauge: MetricClass
  /** Its usual registry. */
  readonly register: PrometheusRegistry
}

/** Options of {@link exposeMaps}. */
export interface PrometheusOptions {
  /** The registry that the metrics are added to. Default: `client.register`. */
  readonly registry?: PrometheusRegistry | undefined
  /** Whether each scrape judges the maps, for `mapsafe_health_ok`: up to a second for each million entries. Default: false. */
  readonly health?: boolean | undefined
}

/** The metrics of maps in a registry. */
export interface Exposed extends Disposable {
  /** Takes the metrics out of the registry again. Calling it again does nothing. */
  stop(): void
}

/** Returns the figures of all maps that are open, by name. */
type Look = () => ReadonlyMap<string, Figures> | Promise<ReadonlyMap<string, Figures>>

type Labels = Readonly<Record<string, string>>

/** A counter or gauge, as far as it is filled here. */
interface Sink {
  reset(): void
  inc(labels: Labels, by: number): void
  set(labels: Labels, value: number): void
}

/**
 * Adds the metrics of maps to a registry of prom-client; they are read when the registry is. A map that this thread has
 * closed is left out from then on. Each worker or process that answers scrapes calls it for itself. Under
 * `AggregatorRegistry` of prom-client, which adds up what cluster workers have, the metrics are taken from one worker.
 *
 * @param client the module prom-client
 * @param maps maps by the name that their label `cache` gets, or a list of maps with the option `name`
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for other arguments, or if the registry has metrics of maps already: all
 * maps of a registry go into one call; `ERR_MAPSAFE_NAME` for two maps of one name
 */
export function exposeMaps(client: PrometheusClient, maps: NamedMaps, options: PrometheusOptions = {}): Exposed {
  checkClient(client)
  const named = checkMaps(maps)
  const read = readOptions<PrometheusOptions>(options, ['registry', 'health'])
  const given = optionOf(read, 'registry')
  const isJudging = flagOf(read, 'health')
  if (isJudging) checkJudged(named)
  const registry = (given ?? client.register) as PrometheusRegistry
  if (typeof (registry as Partial<PrometheusRegistry> | null)?.getSingleMetric !== 'function') {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option registry is ${describe(given)}; expected a Registry of prom-client.`,
    )
  }
  const taken = METRICS.find(({ name }) => registry.getSingleMetric(name) !== undefined)
  if (taken !== undefined) {
    throw new MapsafeError(
      'ERR_MAPSAFE_OPTIONS',
      `The registry has the metric ${taken.name} already. Give all its maps to one call of exposeMaps, or each call a registry of its own.`,
    )
  }
  const look = oncePerTurn(named)
  for (const metric of METRICS) {
    if (metric.kind === 'histogram') registry.registerMetric(histogramOf(metric, look) as never)
    else if (metric.isOnRequest !== true) addNumbers(client, registry, metric, look)
    else if (isJudging) addNumbers(client, registry, metric, () => judged(named))
  }
  const stop = (): void => {
    for (const { name } of METRICS) registry.removeSingleMetric(name)
  }
  return { stop, [Symbol.dispose]: stop }
}

function checkClient(client: unknown): void {
  const { Counter, Gauge, register } = (client ?? {}) as Partial<Record<keyof PrometheusClient, unknown>>
  if (typeof Counter === 'function' && typeof Gauge === 'function' && typeof register === 'object') return
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `Argument client is ${describe(client)}; expected the module prom-client: import client from 'prom-client'.`,
  )
}

/** Returns what reads the figures of all maps, once for all metrics of a scrape: they are collected in one turn. */
function oncePerTurn(named: readonly [string, Measured][]): () => ReadonlyMap<string, Figures> {
  let seen: ReadonlyMap<string, Figures> | undefined
  return () => {
    if (seen === undefined) {
      seen = openOf(named.map(([name, map]) => [name, figuresOf(map)] as const))
      queueMicrotask(() => (seen = undefined))
    }
    return seen
  }
}

async function judged(named: readonly [string, Measured][]): Promise<ReadonlyMap<string, Figures>> {
  return openOf(await Promise.all(named.map(async ([name, map]) => [name, await judgedFiguresOf(map)] as const)))
}

function openOf(figures: readonly (readonly [string, Figures | undefined])[]): ReadonlyMap<string, Figures> {
  return new Map(figures.filter((each): each is readonly [string, Figures] => each[1] !== undefined))
}

/** Returns a metric in the form that a registry takes: prom-client's own histogram takes no counts that were made elsewhere. */
function histogramOf(metric: Histogram, look: Look): object {
  const { name, help } = metric
  const get = async (): Promise<object> => {
    const values: object[] = []
    for (const [cache, figures] of await look()) {
      const { bounds, counts, sum } = metric.read(figures)
      let total = 0
      for (const [i, count] of counts.entries()) {
        total += count
        const le = i < bounds.length ? bounds[i] : '+Inf'
        values.push({ metricName: `${name}_bucket`, labels: { cache, le }, value: total })
      }
      values.push({ metricName: `${name}_sum`, labels: { cache }, value: sum })
      values.push({ metricName: `${name}_count`, labels: { cache }, value: total })
    }
    return { name, help, type: 'histogram', values, aggregator: 'first' }
  }
  return { name, help, type: 'histogram', aggregator: 'first', get, reset: () => undefined }
}

function addNumbers(client: PrometheusClient, registry: PrometheusRegistry, metric: Numbers, look: Look): void {
  const { name, help, kind, label } = metric
  const configuration = {
    name,
    help,
    labelNames: label === undefined ? ['cache'] : ['cache', label],
    registers: [registry],
    // Each cluster worker has the totals of all.
    aggregator: 'first',
    async collect(this: Sink) {
      const seen = await look()
      this.reset()
      for (const [cache, figures] of seen) {
        const read = metric.read(figures)
        const values = typeof read === 'object' ? Object.entries(read) : read === undefined ? [] : [['', read] as const]
        for (const [part, value] of values) {
          const labels = label === undefined ? { cache } : { cache, [label]: part }
          if (kind === 'counter') this.inc(labels, value)
          else this.set(labels, value)
        }
      }
    },
  }
  new (kind === 'counter' ? client.Counter : client.Gauge)(configuration as never)
}
