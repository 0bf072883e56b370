/** The verdicts of `health()`, which walks the whole map: only when somebody asks for it. */
import { ask } from './stream.js'
import { bytes, clock, duration, make, percent, short, title } from './words.js'

const IN_BYTES = new Set(['lostMemory', 'fragmentation'])
const IN_PERCENT = new Set(['liveRatio', 'nearStaleness', 'changingNames'])
/** Those whose value is to be at least the threshold. */
const AT_LEAST = new Set(['liveRatio', 'fragmentation'])

const figure = (name, value) =>
  IN_BYTES.has(name) ? bytes(value) : IN_PERCENT.has(name) ? percent(value) : short(value)

export class Health {
  #button = make('button', { type: 'button' }, 'Check now')
  #note = make('p.note', { role: 'status' }, 'Not checked yet: it walks the whole map, in slices that hold nothing up.')
  #list = make('ul.verdicts')
  element = make(
    'section.panel',
    { id: 'panel-health' },
    make('div.head', {}, make('h3', {}, 'Health'), this.#button),
    this.#note,
    this.#list,
  )

  /** @param token returns that of the moment */
  constructor(map, token) {
    this.#button.addEventListener('click', () => void this.#check(map, token()))
  }

  async #check(map, token) {
    this.#button.disabled = true
    const started = performance.now()
    this.#note.textContent = 'Checking …'
    try {
      const response = await ask(`health?map=${encodeURIComponent(map)}`, token)
      if (!response.ok) throw new Error((await response.text()).trim())
      const { verdicts, time } = await response.json()
      const bad = verdicts.filter(({ ok }) => !ok).length
      this.#note.textContent = `${bad === 0 ? 'All well' : `${bad} of ${verdicts.length} not well`} at ${clock(time)}; it took ${duration((performance.now() - started) / 1000)}.`
      this.#list.replaceChildren(...verdicts.map(verdictOf))
    } catch (error) {
      this.#note.textContent = `The check failed: ${error.message}`
    } finally {
      this.#button.disabled = false
    }
  }
}

function verdictOf({ name, ok, value, threshold, advice }) {
  const bound = `${AT_LEAST.has(name) ? 'at least' : 'at most'} ${figure(name, threshold)}`
  const isBeyond = AT_LEAST.has(name) ? value < threshold : value > threshold
  return make(
    `li.${ok ? 'well' : 'unwell'}`,
    { 'data-verdict': name },
    make('span.sign', { 'aria-hidden': 'true' }, ok ? '✓' : '!'),
    make(
      'span.name',
      {},
      title(name),
      ' ',
      make('small', {}, !ok ? 'not well' : isBeyond ? 'too little to judge' : 'well'),
    ),
    make('b', {}, figure(name, value)),
    make('small.bound', {}, bound),
    ...(advice === undefined ? [] : [make('p', {}, advice)]),
  )
}
