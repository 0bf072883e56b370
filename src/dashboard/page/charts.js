/** Graphs over time, drawn by uPlot. Each line has a colour, a pattern of dashes and a label with its value: none needs the colour. */
/* global uPlot */
import { make, NOTHING, write } from './words.js'

const HEIGHT = 190
const SHORTEST_SECONDS = 60
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]]

const charts = new Set()
const dark = matchMedia('(prefers-color-scheme: dark)')
dark.addEventListener('change', () => {
  for (const chart of charts) chart.build()
})

const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

export class Chart {
  #plot
  #data
  #lines
  #area = make('div.plot')
  #empty = make('p.empty', {}, 'Collecting figures …')
  #values = []
  #shown

  /**
   * @param lines `{ label, row, colour }` each
   * @param options `format` of values; `most`, the upper end if it is fixed; `empty`, what is said without values; `fill`, whether the
   * first line has a shade below
   */
  constructor(heading, lines, options) {
    this.#lines = lines
    this.options = options
    const legend = make('ul.legend')
    for (const [i, { label, colour }] of lines.entries()) {
      const value = make('b', {}, NOTHING)
      this.#values.push(value)
      legend.append(make('li', {}, sample(colour, DASHES[i % DASHES.length]), make('span', {}, label), value))
    }
    this.#area.append(this.#empty)
    this.#area.setAttribute('role', 'img')
    this.#area.setAttribute(
      'aria-label',
      `${heading}: a graph over the last minutes; its newest values are in the list below`,
    )
    this.element = make('section.panel.graph', {}, make('h3', {}, heading), this.#area, legend)
    new ResizeObserver(([{ contentRect }]) => {
      const width = Math.floor(contentRect.width)
      if (width > 0) this.#plot ? this.#plot.setSize({ width, height: HEIGHT }) : this.build()
    }).observe(this.#area)
    charts.add(this)
  }

  /** Shows the points of a history. */
  show(history) {
    this.#data = [history.times, ...this.#lines.map(({ row }) => history.rows[row])]
    const hasValues = this.#data.slice(1).some((values) => values.some((value) => value !== null))
    this.#empty.hidden = hasValues
    if (!hasValues) write(this.#empty, history.times.length < 4 ? 'Collecting figures …' : this.options.empty)
    this.#plot?.setData(this.#data)
    if (this.#shown === undefined) this.#tell(history.times.length - 1)
  }

  /** Draws it anew, in the colours of the moment. */
  build() {
    this.#plot?.destroy()
    this.#plot = undefined
    const width = Math.floor(this.#area.clientWidth)
    if (width === 0 || this.#data === undefined) return
    const { format, most } = this.options
    const axis = {
      stroke: colourOf('--muted'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: colourOf('--line'), width: 1 },
      ticks: { show: false },
    }
    this.#plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 24, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        hooks: { setCursor: [(plot) => this.#look(plot.cursor.idx)] },
        scales: {
          x: { time: true, range: (_, least, greatest) => [Math.min(least, greatest - SHORTEST_SECONDS), greatest] },
          y: { range: (_, __, greatest) => [0, most ?? Math.max(1, (greatest ?? 0) * 1.15)] },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 26, space: 90, values: '{HH}:{mm}:{ss}' },
          { ...axis, size: 56, space: 36, values: (_, splits) => splits.map(format) },
        ],
        series: [
          {},
          ...this.#lines.map(({ label, colour }, i) => ({
            label,
            stroke: colourOf(colour),
            width: 2,
            dash: DASHES[i % DASHES.length],
            points: { show: false },
            ...(this.options.fill && i === 0 && { fill: `${colourOf(colour)}22` }),
          })),
        ],
      },
      this.#data,
      this.#area,
    )
  }

  /** Tells the values where the pointer is, or else the newest. */
  #look(index) {
    this.#shown = index ?? undefined
    this.#tell(index ?? this.#data[0].length - 1)
  }

  #tell(index) {
    for (const [i, element] of this.#values.entries()) write(element, this.options.format(this.#data[i + 1][index]))
  }
}

const SVG = 'http://www.w3.org/2000/svg'

/** A piece of a line as the graph draws it. */
function sample(colour, dash) {
  const svg = document.createElementNS(SVG, 'svg')
  const line = document.createElementNS(SVG, 'line')
  for (const [name, value] of Object.entries({
    viewBox: '0 0 26 8',
    'aria-hidden': 'true',
    class: `sample ${colour.slice(2)}`,
  })) {
    svg.setAttribute(name, value)
  }
  for (const [name, value] of Object.entries({ x1: 1, x2: 25, y1: 4, y2: 4, 'stroke-dasharray': dash.join(' ') })) {
    line.setAttribute(name, value)
  }
  svg.append(line)
  return svg
}

const POINTS = 60

/** A small line without axes, for a tile. */
export function spark() {
  const svg = document.createElementNS(SVG, 'svg')
  const path = document.createElementNS(SVG, 'path')
  svg.setAttribute('viewBox', `0 0 ${POINTS - 1} 20`)
  svg.setAttribute('preserveAspectRatio', 'none')
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('class', 'spark')
  svg.append(path)
  return svg
}

/** @param most the value at the upper edge; the greatest one if it is not given */
export function drawSpark(svg, values, most) {
  const last = values.slice(-POINTS)
  const top = most ?? Math.max(...last.map((value) => value ?? 0), 1e-9)
  let [text, isDown] = ['', false]
  for (const [i, value] of last.entries()) {
    if (value !== null)
      text += `${isDown ? 'L' : 'M'}${i + POINTS - last.length} ${(19 - (18 * value) / top).toFixed(2)}`
    isDown = value !== null
  }
  svg.firstElementChild.setAttribute('d', text)
}
