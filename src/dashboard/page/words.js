/** How figures are written, and elements made. */

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** A dash stands where there is nothing to tell. */
export const NOTHING = '–'

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value)

export const count = (value) => (isNumber(value) ? whole.format(value) : NOTHING)
export const short = (value) =>
  !isNumber(value) ? NOTHING : value < 10_000 ? fine.format(value) : compact.format(value)
export const rate = (value) => {
  if (!isNumber(value)) return NOTHING
  return `${value > 0 && value < 10 ? value.toFixed(1) : value < 10_000 ? whole.format(value) : compact.format(value)}/s`
}
export const percent = (part) => {
  if (!isNumber(part)) return NOTHING
  // What is not quite all is never told as all.
  if (part > 0.999 && part < 1) return '>99.9 %'
  return `${(100 * part).toFixed(part === 0 || part === 1 ? 0 : 1)} %`
}

export function bytes(value) {
  if (!isNumber(value)) return NOTHING
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? whole.format(value) : fine.format(value)} ${units[unit]}`
}

/** @param seconds a time, from nanoseconds to days */
export function duration(seconds) {
  if (!isNumber(seconds)) return NOTHING
  if (seconds === 0) return '0'
  if (seconds < 1e-3) return `${fine.format(seconds * 1e6)} µs`
  if (seconds < 1) return `${fine.format(seconds * 1e3)} ms`
  if (seconds < 120) return `${fine.format(seconds)} s`
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`
  return `${fine.format(seconds / 3600)} h`
}

export const clock = (time) => new Date(time).toLocaleTimeString('en-GB')

/** Words of a name in camel case: `liveRatio` is "Live ratio". */
export function title(name) {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/[-_]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/**
 * Makes an element. Texts become text, never markup.
 *
 * @param tag its name, and its classes behind dots
 */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.')
  const element = document.createElement(name)
  if (classes.length > 0) element.className = classes.join(' ')
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value)
  }
  element.append(...children)
  return element
}

/** Changes a text only if it is another one, so that what was selected stays so. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Keeps the children of an element in step with items: each has its own, by its key.
 *
 * @param build makes the element of an item
 * @param update shows an item in its element
 */
export function keep(parent, items, keyOf, build, update) {
  const before = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]))
  let at = parent.firstElementChild
  for (const item of items) {
    const key = String(keyOf(item))
    let child = before.get(key)
    before.delete(key)
    if (child === undefined) {
      child = build(item)
      child.dataset.key = key
    }
    if (child === at) at = at.nextElementSibling
    else parent.insertBefore(child, at)
    update(child, item)
  }
  for (const child of before.values()) child.remove()
}
