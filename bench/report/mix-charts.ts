import { contenders } from '../contenders/index.js'
import { mixes } from '../harness/mix.js'
import type { Percentiles } from '../harness/statistics.js'
import { durationAxis, familiesOf, familyColour, POWERS_OF_TEN, type Chart, type Family } from './chart.js'

/** One contender with so many workers. */
export interface Point extends Percentiles {
  readonly label: string
  readonly family: Family
  readonly mix: string
  readonly workers: number
  readonly perSecond: number
}

const panels = Object.values(mixes).map(({ name }) => name)
const columns = { field: 'mix', type: 'nominal', sort: panels, title: null } as const

/** Shades of one blue for mapsafe; the others apart from it and from each other (Okabe and Ito's palette). */
const LINE_COLOURS: Readonly<Record<string, string>> = {
  [contenders.mapsafeNear.label]: '#004a7c',
  [contenders.mapsafeNative.label]: '#0072b2',
  [contenders.mapsafeTypescript.label]: '#56b4e9',
  [contenders.lmdbString.label]: '#e69f00',
  [contenders.sharedmap.label]: '#d55e00',
  [contenders.redis.label]: '#cc79a7',
  [contenders.lruCache.label]: '#9a9a9a',
}

/** Lines over the number of workers, a panel a mix. */
export function throughputChart(points: readonly Point[]): Chart {
  return {
    name: 'throughput',
    description: 'Operations a second of all workers together, over the number of workers, for each mix',
    spec: {
      title: 'Throughput of all workers together (logarithmic scale)',
      data: { values: [...points] },
      facet: { column: columns },
      spec: {
        width: 150,
        height: 280,
        mark: { type: 'line', point: { size: 45, filled: true }, strokeWidth: 2.5 },
        encoding: {
          x: { field: 'workers', type: 'ordinal', title: 'workers', axis: { labelAngle: 0 } },
          y: {
            field: 'perSecond',
            type: 'quantitative',
            title: 'operations a second',
            scale: { type: 'log' },
            axis: { values: POWERS_OF_TEN, format: '~s' },
          },
          color: {
            field: 'label',
            type: 'nominal',
            title: null,
            scale: { domain: Object.keys(LINE_COLOURS), range: Object.values(LINE_COLOURS) },
          },
        },
      },
    },
  }
}

/** From the median to the 99.9th percentile, a row a contender and a panel a mix. */
export function latencyChart(points: readonly Point[]): Chart {
  const x = (field: keyof Percentiles) =>
    ({ field, type: 'quantitative', title: null, scale: { type: 'log' }, axis: durationAxis }) as const
  return {
    name: 'latency',
    description: 'Median, 99th and 99.9th percentile of the latency with two workers, for each mix',
    spec: {
      title: 'Latency with two workers: median ●, 99 % ◆, 99.9 % | (logarithmic scale)',
      data: { values: [...points] },
      facet: { column: columns },
      spec: {
        width: 220,
        height: { step: 24 },
        encoding: {
          y: { field: 'label', type: 'nominal', title: null, sort: null },
          color: familyColour(familiesOf(points)),
        },
        layer: [
          { mark: { type: 'rule', strokeWidth: 2 }, encoding: { x: x('p50'), x2: { field: 'p999' } } },
          { mark: { type: 'point', filled: true, size: 80, opacity: 1 }, encoding: { x: x('p50') } },
          {
            mark: { type: 'point', filled: true, size: 60, shape: 'diamond', opacity: 1 },
            encoding: { x: x('p99') },
          },
          { mark: { type: 'tick', thickness: 3, size: 14, opacity: 1 }, encoding: { x: x('p999') } },
        ],
      },
    },
  }
}
