/**
 * The form in which `console.log`, `util.inspect` and `JSON.stringify` show maps and handles: what they are, and never
 * bytes of the region.
 *
 * A handle that came by `postMessage` is a plain object with a plain `SharedArrayBuffer`. Until a map is attached by
 * it, Node.js shows the buffer's first 100 bytes: numbers of the format, without the hash's secret (layout.ts).
 */
import { readSettings } from '../format/cache-settings.js'
import { inspectMemory } from '../inspect/memory.js'
import type { Store } from '../store/store.js'
import { glimpse, type Inspect, type InspectOptions } from './glimpse.js'
import { nameOfMap } from './names-of-maps.js'

/** The function that `util.inspect` calls; `this` is the object, which it returns to get the usual form. */
type Show = (this: object, depth: number, options: InspectOptions, inspect: Inspect) => unknown

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** What is told of a map object without a look into its entries. */
export interface MapSummary {
  /** The name of its class. */
  readonly class: string
  /** The name by which it was opened, if it was. */
  readonly name?: string
  /** True if it was closed; then nothing else is known. */
  readonly closed?: true
  /** Absolute path of the file, for a map in a file. */
  readonly file?: string
  /** Number of entries, as `size` says it. */
  readonly size?: number
  /** Bytes of the region that are in use. */
  readonly bytesInUse?: number
  /** Size of the region. */
  readonly bytesTotal?: number
}

/** Summarizes a map object; never throws. */
export function summaryOf(map: object, store: Store<unknown>, file: string | undefined): MapSummary {
  const name = nameOfMap(map)
  const identity = { class: classOf(map), ...(name === undefined ? {} : { name }) }
  if (store.isClosed) return { ...identity, closed: true }
  const { words } = store.open()
  const bytesTotal = words.byteLength
  return {
    ...identity,
    ...(file === undefined ? {} : { file }),
    size: store.open().size(),
    bytesInUse: bytesTotal - inspectMemory(words).unused,
    bytesTotal,
  }
}

/** What {@link showMapsOf} has to know of a map object. */
interface Shown {
  readonly store: Store<unknown>
  readonly file: string | undefined
}

/** @param shownOf returns undefined for an object that is not a map, such as a prototype */
export function showMapsOf(prototype: object, shownOf: (map: object) => Shown | undefined): void {
  define(prototype, function (depth, options, inspect) {
    const shown = shownOf(this)
    if (shown === undefined) return this
    const { store, file } = shown
    const { class: className, closed, name, size = 0, ...rest } = summaryOf(this, store, file)
    if (closed) return `${className} { closed }`
    if (depth < 0) return `[${className}]`
    const { kind, words } = store.open()
    const entries = {}
    define(entries, () => glimpse(store, size, options, inspect))
    const named = name === undefined ? {} : { name }
    return `${className} ${inspect({ ...named, engine: kind, size, ...rest, ...readSettings(words), entries }, options)}`
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

function classOf(map: object): string {
  const { name } = map.constructor
  return typeof name === 'string' && name !== '' ? name : 'ConcurrentMap'
}
