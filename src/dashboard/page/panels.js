/** The parts of the page about one map that are not graphs over time. */
import { drawSpark, spark } from './charts.js'
import { bytes, count, duration, keep, make, NOTHING, percent, rate, short, title, write } from './words.js'

const panel = (heading, name, ...content) =>
  make('section.panel', { id: `panel-${name}` }, make('h3', {}, heading), ...content)

/** The figures at the top: the newest value, what it means, and its last minute. */
export class Tiles {
  element = make('div.tiles')
  #parts = new Map()

  constructor() {
    for (const [name, heading] of [
      ['hitRatio', 'Hit ratio'],
      ['reads', 'Reads'],
      ['writes', 'Writes'],
      ['loads', 'Loads'],
      ['entries', 'Entries'],
      ['used', 'Memory in use'],
    ]) {
      const parts = { value: make('b', {}, NOTHING), note: make('small', {}, ''), line: spark() }
      this.#parts.set(name, parts)
      this.element.append(
        make('div.tile', { id: `tile-${name}` }, make('span', {}, heading), parts.value, parts.note, parts.line),
      )
    }
  }

  show(history, { metrics, contention }) {
    const { hit, miss } = metrics.mapsafe_requests_total
    const told = {
      hitRatio: [
        percent(history.latest('hitRatio')),
        hit + miss === 0 ? 'no reads yet' : `${percent(hit / (hit + miss))} since the start`,
        1,
      ],
      reads: [rate(history.latest('reads')), `${short(hit + miss)} in all`],
      writes: [rate(history.latest('writes')), `${short(contention)} met another write`],
      loads: [
        rate(history.latest('loads')),
        `${count(metrics.mapsafe_load_failures_total)} failed of ${short(metrics.mapsafe_loads_total)}`,
      ],
      entries: [count(metrics.mapsafe_entries), `${short(metrics.mapsafe_segments)} segments`],
      used: [percent(history.latest('used')), `of ${bytes(metrics.mapsafe_capacity_bytes)}`, 1],
    }
    for (const [name, [value, note, most]] of Object.entries(told)) {
      const parts = this.#parts.get(name)
      write(parts.value, value)
      write(parts.note, note)
      drawSpark(parts.line, history.rows[name], most)
    }
  }
}

const USES = {
  entries: 'entries',
  index: 'index',
  eviction: 'eviction order',
  shapes: 'property names',
  overhead: 'header, tables',
  spare: 'free blocks',
  unused: 'not used yet',
}

/** What the memory is used for: a bar, and a list with the same marks. */
export class Memory {
  #bar = make('div.bar', { 'aria-hidden': 'true' })
  #list = make('ul.uses')
  element = panel('Memory by use', 'memory', this.#bar, this.#list)

  show({ metrics: { mapsafe_memory_bytes: memory, mapsafe_capacity_bytes: capacity } }) {
    const known = Object.keys(USES).filter((use) => use in memory)
    const uses = [...known, ...Object.keys(memory).filter((use) => !(use in USES))]
    const partOf = (use) => memory[use] / capacity
    keep(
      this.#bar,
      uses.filter((use) => partOf(use) > 0.001),
      (use) => use,
      (use) => make(`i.use-${use}`),
      (element, use) => element.style.setProperty('flex-grow', partOf(use)),
    )
    keep(
      this.#list,
      uses,
      (use) => use,
      (use) =>
        make(
          'li',
          {},
          make(`i.use-${use}`, { 'aria-hidden': 'true' }),
          make('span', {}, USES[use] ?? title(use)),
          make('b'),
          make('small'),
        ),
      (element, use) => {
        write(element.children[2], bytes(memory[use]))
        write(element.children[3], percent(partOf(use)))
      },
    )
  }
}

const SIGNS = { running: '●', stopped: '‖', dead: '✕', elsewhere: '○', unknown: '?' }
const nameOf = ({ pid, threadId }) => `${pid} ${threadId === 0 ? 'main' : `worker ${threadId}`}`

/** Who has the map open, what each holds, and who waits for it. */
export class Threads {
  #note = make('p.note')
  #rows = make('tbody')
  element = panel(
    'Threads',
    'threads',
    this.#note,
    make(
      'div.scroll',
      { tabindex: '0' },
      make(
        'table',
        {},
        make(
          'thead',
          {},
          make(
            'tr',
            {},
            ...['Process, thread', 'State', 'Holds', 'Waits for'].map((head) => make('th', { scope: 'col' }, head)),
          ),
        ),
        this.#rows,
      ),
    ),
  )

  /** @param time when the program looked */
  show({ threads }, time) {
    const waiting = threads.filter(({ waits }) => waits !== undefined)
    const odd = threads.filter(({ state }) => state === 'stopped' || state === 'dead')
    write(
      this.#note,
      [
        `${threads.length} ${threads.length === 1 ? 'thread has' : 'threads have'} the map open`,
        waiting.length === 0
          ? 'none waits for another'
          : `${waiting.length} ${waiting.length === 1 ? 'waits' : 'wait'}`,
        ...(odd.length > 0 ? [`${odd.length} stopped or dead`] : []),
      ].join(', '),
    )
    keep(
      this.#rows,
      threads,
      nameOf,
      () => make('tr', {}, make('th', { scope: 'row' }), make('td'), make('td'), make('td')),
      (row, thread) => {
        const [name, state, holds, waits] = row.children
        write(name, nameOf(thread))
        name.title = `engine: ${thread.engine}`
        state.className = `state ${thread.state}`
        write(state, `${SIGNS[thread.state] ?? '?'} ${thread.state}`)
        write(holds, thread.holds.join(', ') || NOTHING)
        write(waits, waitOf(thread, time))
        row.classList.toggle('waits', thread.waits !== undefined)
      },
    )
  }
}

/** What a thread waits for, of whom, and for how long. */
function waitOf({ waits }, time) {
  if (waits === undefined) return NOTHING
  const { thread, since } = waits
  return `${waits.for}${thread === undefined ? '' : ` of ${nameOf(thread)}`}, for ${duration(Math.max(0, time - since) / 1000)}`
}

/** The keys that the thread which serves the page uses most. */
export class HotKeys {
  #list = make('ol.hot')
  #note = make('p.note')
  element = panel('Hot keys', 'hot', this.#note, this.#list)

  show({ hotKeys }, isTold) {
    write(
      this.#note,
      hotKeys.length === 0
        ? 'This thread has hardly used the map: there is no sample yet.'
        : `Shares of the sampled calls of the thread that serves this page.${isTold ? '' : ' The names are hidden; the option keys shows them.'}`,
    )
    const most = hotKeys[0]?.share ?? 1
    keep(
      this.#list,
      hotKeys.map((hot, i) => ({ ...hot, rank: i + 1 })),
      ({ rank }) => rank,
      () => make('li', {}, make('code'), make('span.track', {}, make('i')), make('b')),
      (row, { key, share, rank }) => {
        const [name, track, value] = row.children
        write(name, key ?? `key ${rank}`)
        name.classList.toggle('hidden-key', key === undefined)
        track.firstElementChild.style.setProperty('width', `${(100 * share) / most}%`)
        write(value, percent(share))
      },
    )
  }
}

/** All metrics as they are, by the names that Prometheus has. */
export class All {
  #rows = make('tbody')
  element = make(
    'details.panel.all',
    { id: 'panel-all' },
    make('summary', {}, make('h3', {}, 'All metrics'), make('small', {}, 'as Prometheus names them')),
    make('div.scroll', { tabindex: '0' }, make('table', {}, this.#rows)),
  )

  show({ metrics }, table) {
    const rows = table.flatMap((metric) => {
      const value = metrics[metric.name]
      if (value === undefined) return []
      if (value.bounds !== undefined) {
        const loads = value.counts.reduce((sum, each) => sum + each, 0)
        return [
          { metric, part: 'count', value: loads },
          { metric, part: 'sum', value: value.sum },
        ]
      }
      if (typeof value === 'number') return [{ metric, part: '', value }]
      return Object.entries(value)
        .filter(([, each]) => typeof each === 'number')
        .map(([part, each]) => ({ metric, part, value: each }))
    })
    keep(
      this.#rows,
      rows,
      ({ metric, part }) => `${metric.name} ${part}`,
      ({ metric, part }) =>
        make(
          'tr',
          { 'data-metric': metric.name, 'data-part': part },
          make('th', { scope: 'row' }, make('code', {}, metric.name), part === '' ? '' : make('span.part', {}, part)),
          make('td.number'),
          make('td.help', {}, metric.help),
        ),
      (row, { value, part }) => write(row.children[1], part === 'sum' ? duration(value) : count(value)),
    )
  }
}
