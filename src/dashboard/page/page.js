/** Puts the page together: takes what comes from the program, and shows the chosen map. */
import { Chart } from './charts.js'
import { Health } from './health.js'
import { History } from './history.js'
import { All, HotKeys, Memory, Threads, Tiles } from './panels.js'
import { keepToken, takeToken, watch } from './stream.js'
import { clock, duration, keep, make, percent, rate, short, write } from './words.js'

const byId = (id) => document.getElementById(id)
const [main, board, maps, stale, askForm, foot] = ['main', 'board', 'maps', 'stale', 'ask', 'foot'].map(byId)

let token = takeToken()
let introduction
let frame
let lastTime
let chosen
/** What is kept of each map, by its name. */
const histories = new Map()
const boards = new Map()

function say(state, text) {
  byId('status').dataset.state = state
  write(byId('status-text'), text)
}

/** The panels of one map; made when it is first shown. */
function boardOf(name) {
  let made = boards.get(name)
  if (made !== undefined) return made
  const graphs = [
    new Chart(
      'Hit ratio',
      [
        { label: 'all reads', row: 'hitRatio', colour: '--c1' },
        { label: 'near-caches', row: 'nearRatio', colour: '--c2' },
      ],
      { format: percent, most: 1, empty: 'No reads yet', fill: true },
    ),
    new Chart(
      'Calls',
      [
        { label: 'hits', row: 'hits', colour: '--c1' },
        { label: 'misses', row: 'misses', colour: '--c2' },
        { label: 'writes', row: 'writes', colour: '--c3' },
        { label: 'loads', row: 'loads', colour: '--c4' },
      ],
      { format: rate, empty: 'No calls yet' },
    ),
    new Chart(
      'Values that went',
      [
        { label: 'replaced', row: 'replaced', colour: '--c1' },
        { label: 'deleted', row: 'deleted', colour: '--c2' },
        { label: 'expired', row: 'expired', colour: '--c3' },
        { label: 'evicted', row: 'evicted', colour: '--c4' },
      ],
      { format: rate, empty: 'Nothing went yet' },
    ),
  ]
  const latency = new Chart(
    'How long loads take',
    [
      { label: 'half of them within', row: 'p50', colour: '--c1' },
      { label: '9 of 10', row: 'p90', colour: '--c2' },
      { label: '99 of 100', row: 'p99', colour: '--c4' },
    ],
    { format: duration, empty: 'No loads yet' },
  )
  const parts = { tiles: new Tiles(), memory: new Memory(), threads: new Threads(), hot: new HotKeys(), all: new All() }
  const health = new Health(name, () => token)
  const grid = make(
    'div.grid',
    {},
    ...graphs.map(({ element }) => element),
    latency.element,
    parts.memory.element,
    parts.threads.element,
    parts.hot.element,
    health.element,
    parts.all.element,
  )
  const heading = make('h2', {}, name)
  const note = make('p.notice', { hidden: true })
  made = {
    element: make('div.board', {}, heading, note, parts.tiles.element, grid),
    graphs,
    latency,
    parts,
    note,
    grid,
  }
  boards.set(name, made)
  return made
}

function showBoard() {
  const { maps: told } = frame
  const names = Object.keys(told)
  if (chosen === undefined || !(chosen in told)) chosen = names[0]
  if (chosen === undefined) {
    board.replaceChildren(make('p.notice', {}, 'The program shows no map.'))
    return
  }
  const figures = told[chosen]
  const { element, graphs, latency, parts, note, grid } = boardOf(chosen)
  if (board.firstElementChild !== element) board.replaceChildren(element)
  const isThere = figures.metrics !== undefined
  note.hidden = isThere
  parts.tiles.element.hidden = grid.hidden = !isThere
  if (!isThere) {
    write(
      note,
      figures.closed
        ? 'The thread that serves this page has closed the map.'
        : `The figures cannot be read: ${figures.failure}`,
    )
    return
  }
  const history = histories.get(chosen)
  parts.tiles.show(history, figures)
  parts.memory.show(figures)
  parts.threads.show(figures, frame.time)
  parts.hot.show(figures, introduction.keys)
  parts.all.show(figures, introduction.metrics)
  // A map has no loads.
  latency.element.hidden = figures.metrics.mapsafe_loads_total === 0
  for (const graph of [...graphs, latency]) graph.show(history)
}

/** A button for each map, with what it does at a glance. */
function showMaps() {
  const told = Object.entries(frame.maps)
  maps.hidden = told.length < 2
  keep(
    maps,
    told,
    ([name]) => name,
    ([name]) => {
      const button = make(
        'button.map',
        { type: 'button' },
        make('span.name', {}, name),
        make('b'),
        make('small'),
        make('span.track', {}, make('i')),
      )
      button.addEventListener('click', () => {
        chosen = name
        show()
      })
      return button
    },
    (button, [name, { metrics, closed }]) => {
      button.setAttribute('aria-pressed', String(name === chosen))
      const [, ratio, note, track] = button.children
      const history = histories.get(name)
      if (metrics === undefined) {
        write(ratio, closed ? 'closed' : 'no figures')
        write(note, '')
        return
      }
      const hits = history.latest('hitRatio')
      write(ratio, hits === undefined ? 'no reads' : `${percent(hits)} hits`)
      write(
        note,
        `${rate(history.latest('reads'))} read · ${rate(history.latest('writes'))} written · ${short(metrics.mapsafe_entries)} entries`,
      )
      track.firstElementChild.style.setProperty('width', `${100 * (history.latest('used') ?? 0)}%`)
    },
  )
}

function show() {
  showBoard()
  showMaps()
}

function take(name, data) {
  if (name === 'introduction') {
    introduction = data
    return
  }
  frame = data
  lastTime = Date.now()
  for (const [map, figures] of Object.entries(data.maps)) {
    let history = histories.get(map)
    if (history === undefined) histories.set(map, (history = new History()))
    if (figures.metrics === undefined) history.interrupt(data.time)
    else history.note(data.at, data.time, figures)
  }
  say('live', 'live')
  stale.hidden = true
  main.classList.remove('stale')
  write(
    foot,
    `A look every ${duration(introduction.interval / 1000)}, the last at ${clock(data.time)}. Rates are means of three seconds.`,
  )
  show()
}

function lose(reason) {
  for (const history of histories.values()) history.interrupt(Date.now())
  say('lost', 'no data, reconnecting')
  main.classList.add('stale')
  stale.hidden = false
  stale.textContent =
    lastTime === undefined
      ? `No data: ${reason}. Trying again.`
      : `No data since ${clock(lastTime)}: ${reason}. What is below is from then. Trying again.`
  if (frame !== undefined) show()
}

async function run() {
  while (token !== undefined) {
    askForm.hidden = true
    say('connecting', 'connecting')
    await watch(token, { event: take, lost: lose })
    token = undefined
    byId('ask-reason').textContent =
      'The program does not know this token. It makes a new one whenever it starts, unless it is given one.'
  }
  stale.hidden = true
  say('refused', 'token needed')
  askForm.hidden = false
}

askForm.addEventListener('submit', (event) => {
  event.preventDefault()
  token = byId('token')
    .value.replace(/^.*#token=/, '')
    .trim()
  keepToken(token)
  byId('token').value = ''
  void run()
})
void run()
