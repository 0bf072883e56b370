/**
 * What `console.log` and `util.inspect` show of maps and handles: what they are, and never bytes of the region.
 *
 * A handle that came by `postMessage` is a plain object with a plain `SharedArrayBuffer`, of which Node.js shows the
 * first 100 bytes until a map was attached by it: numbers of the format, without the hash's secret (layout.ts).
 */
import { readSettings } from '../format/cache-settings.js'
import { inspectMemory } from '../inspect/memory.js'
import type { Store } from '../store/store.js'

/** As `util.inspect` calls it; `this` is the object, to be returned for the usual form. */
type Show = (this: object, depth: number, options: InspectOptions, inspect: Inspect) => unknown
type Inspect = (value: unknown, options: InspectOptions) => string
type InspectOptions = Readonly<Record<string, unknown>>

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** @param storeOf undefined for what is no map, like a prototype */
export function showMapsOf(prototype: object, storeOf: (map: object) => Store<unknown> | undefined): void {
  define(prototype, function (depth, options, inspect) {
    const store = storeOf(this)
    if (store === undefined) return this
    const name = nameOf(this)
    if (store.isClosed) return `${name} { closed }`
    if (depth < 0) return `[${name}]`
    const { kind, words } = store.open()
    const bytes = words.byteLength
    return `${name} ${inspect(
      {
        engine: kind,
        size: store.open().size(),
        bytesInUse: bytes - inspectMemory(words).unused,
        bytesTotal: bytes,
        ...readSettings(words),
      },
      options,
    )}`
  })
}

/** From now on this object shows no byte of its memory, wherever it is printed as a part of something else. */
export function showLengthOf(region: SharedArrayBuffer): void {
  define(region, () => `SharedArrayBuffer of ${region.byteLength} bytes`)
}

/** Does nothing if the target is frozen, as one that was received may be. */
function define(target: object, show: Show): void {
  Reflect.defineProperty(target, INSPECT, { value: show, writable: true, configurable: true })
}

function nameOf(map: object): string {
  const { name } = map.constructor
  return typeof name === 'string' && name !== '' ? name : 'ConcurrentMap'
}
