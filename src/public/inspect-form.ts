/**
 * The form in which `console.log` and `util.inspect` show maps and handles: what they are, and never bytes of the
 * region.
 *
 * A handle that came by `postMessage` is a plain object with a plain `SharedArrayBuffer`. Until a map is attached by
 * it, Node.js shows the buffer's first 100 bytes: numbers of the format, without the hash's secret (layout.ts).
 */
import { readSettings } from '../format/cache-settings.js'
import { inspectMemory } from '../inspect/memory.js'
import type { Store } from '../store/store.js'

/** The function that `util.inspect` calls; `this` is the object, which it returns to get the usual form. */
type Show = (this: object, depth: number, options: InspectOptions, inspect: Inspect) => unknown
type Inspect = (value: unknown, options: InspectOptions) => string
type InspectOptions = Readonly<Record<string, unknown>>

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** @param storeOf returns undefined for an object that is not a map, such as a prototype */
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

/** Makes a region print its length instead of its bytes, also where it is printed as a part of another object. */
export function showLengthOf(region: SharedArrayBuffer): void {
  define(region, () => `SharedArrayBuffer of ${region.byteLength} bytes`)
}

/** Sets how the target prints. Does nothing if it is frozen, as a received handle may be. */
function define(target: object, show: Show): void {
  Reflect.defineProperty(target, INSPECT, { value: show, writable: true, configurable: true })
}

function nameOf(map: object): string {
  const { name } = map.constructor
  return typeof name === 'string' && name !== '' ? name : 'ConcurrentMap'
}
