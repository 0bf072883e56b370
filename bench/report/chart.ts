import type { TopLevelSpec } from 'vega-lite'
import { kindOf, type ContenderName } from '../contenders/index.js'

/** A plot. */
export interface Chart {
  /** Name of its file, without the ending. */
  readonly name: string
  /** Text for readers who cannot see the chart. */
  readonly description: string
  readonly spec: TopLevelSpec
}

/** The owner of a bar or line, and its colour. */
export type Family = 'mapsafe' | 'shared between threads' | 'private to a thread'

// Two colours that readers who see no red or no green can distinguish, and a grey (Okabe and Ito's palette).
const familyColours: Readonly<Record<Family, string>> = {
  mapsafe: '#0072b2',
  'shared between threads': '#e69f00',
  'private to a thread': '#9a9a9a',
}

export function familyOf(name: ContenderName): Family {
  if (name.startsWith('mapsafe')) return 'mapsafe'
  return kindOf(name).shared ? 'shared between threads' : 'private to a thread'
}

/** Colours a mark by its field `family`, with a legend of the families given. */
export const familyColour = (domain: Family[]) =>
  ({
    field: 'family',
    type: 'nominal',
    title: null,
    scale: { domain, range: domain.map((family) => familyColours[family]) },
    legend: { orient: 'bottom', direction: 'horizontal' },
  }) as const

/** The families that occur, in the order of the legend. */
export function familiesOf(marks: readonly { readonly family: Family }[]): Family[] {
  return (Object.keys(familyColours) as Family[]).filter((family) => marks.some((mark) => mark.family === family))
}

/** Heading of one of several plots side by side. */
export const panelTitle = (text: string) => ({ text, fontSize: 12, color: '#444' }) as const

/** Where a logarithmic axis has its marks. */
export const POWERS_OF_TEN = Array.from({ length: 12 }, (_, power) => 10 ** power)

/** Labels nanoseconds on a logarithmic axis. */
export const durationAxis = {
  values: POWERS_OF_TEN,
  labelExpr:
    "datum.value < 1e3 ? datum.value + ' ns' : datum.value < 1e6 ? datum.value / 1e3 + ' µs' : " +
    "datum.value < 1e9 ? datum.value / 1e6 + ' ms' : datum.value / 1e9 + ' s'",
} as const

export interface Bar {
  readonly label: string
  readonly family: Family
  /** Heading of the panel it stands in. */
  readonly panel: string
  readonly value: number
  /** The value as it is written beside the bar. */
  readonly text: string
}

/**
 * Panels side by side, each with one horizontal bar a label, shortest first. The scale is logarithmic, and begins at a
 * power of ten below all values.
 */
export function barChart(name: string, title: string, description: string, bars: readonly Bar[]): Chart {
  const panels = [...new Set(bars.map(({ panel }) => panel))]
  const least = Math.min(...bars.map(({ value }) => value))
  const from = 10 ** Math.floor(Math.log10(Math.max(least, 1) / 1.5))
  const most = Math.max(...bars.map(({ value }) => value))
  // Room for the text beside the longest bar.
  const domain = [from, most * (most / from) ** 0.25]
  const x = { field: 'value', type: 'quantitative', axis: null, scale: { type: 'log', domain } } as const
  const color = familyColour(familiesOf(bars))
  return {
    name,
    description,
    spec: {
      title,
      hconcat: panels.map((panel) => ({
        title: panelTitle(panel),
        data: { values: bars.filter((bar) => bar.panel === panel) },
        width: 280,
        height: { step: 22 },
        encoding: { y: { field: 'label', type: 'nominal', title: null, sort: { field: 'value', op: 'min' } } },
        layer: [
          {
            mark: { type: 'bar', cornerRadiusEnd: 3, height: 15 },
            encoding: { x, x2: { datum: from }, color },
          },
          {
            mark: { type: 'text', align: 'left', dx: 5 },
            encoding: { x, text: { field: 'text', type: 'nominal' } },
          },
        ],
      })),
    },
  }
}
