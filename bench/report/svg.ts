import { parse, View } from 'vega'
import { compile, type Config } from 'vega-lite'
import type { Chart } from './chart.js'

const FONT = 'Helvetica, Arial, sans-serif'

/** White behind, so that the plots can be read on a dark page; no frame and few lines, so that the data stands out. */
const config: Config = {
  background: 'white',
  padding: 16,
  font: FONT,
  title: { fontSize: 15, fontWeight: 600, anchor: 'start', offset: 14, color: '#222' },
  header: { labelFontSize: 12, labelFontWeight: 600, labelColor: '#444', labelAnchor: 'start' },
  axis: {
    labelFontSize: 11,
    labelColor: '#333',
    labelLimit: 0,
    titleFontSize: 11,
    titleFontWeight: 400,
    titleColor: '#666',
    domainColor: '#bbb',
    tickColor: '#bbb',
    gridColor: '#eee',
  },
  legend: { labelFontSize: 11, labelColor: '#333', labelLimit: 0, symbolType: 'circle' },
  text: { fontSize: 11, color: '#333' },
  view: { stroke: null },
}

/** Draws a chart. */
export async function renderSvg({ spec }: Chart): Promise<string> {
  const view = new View(parse(compile(spec, { config }).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}
