import { HASH_END } from '../engine/engine.js'
import type { Key } from '../format/key.js'
import { MapsafeError } from '../base/errors.js'
import { types } from '../platform/brands.js'
import { keyBatch } from '../store/map-keys.js'
import type { Store } from '../store/store.js'

/** `util.inspect`, as it hands itself to what it shows. */
export type Inspect = (value: unknown, options: InspectOptions) => string
/** The options with which it was called. */
export type InspectOptions = Readonly<Record<string, unknown>>

/** How many entries are shown. */
const SHOWN = 3
/** Segments that are looked into at most: in a map that was just emptied, most have nothing. */
const MAX_BATCHES = 8
/** Depth 0 leaves out what objects hold: a nested secret does not end up in a log. */
const LIMITS = { depth: 0, maxStringLength: 40, maxArrayLength: SHOWN, breakLength: Infinity, showHidden: false }

/**
 * Shows a few entries of a map, whatever the map holds: how many, how long and how deep is bounded, and of memory only the
 * length is told. Never throws. Reads without a use, as walks do.
 */
export function glimpse(store: Store<unknown>, size: number, options: InspectOptions, inspect: Inspect): string {
  const limits = { ...options, ...LIMITS }
  const show = (value: unknown): string => (hasBytes(value) ? lengthOf(value) : inspect(value, limits))
  let shown: string[]
  try {
    shown = fewEntries(store).map(([key, value]) => `${show(key)} => ${show(value)}`)
  } catch (error) {
    return error instanceof MapsafeError ? `{ unreadable: ${error.code} }` : '{ unreadable }'
  }
  const more = size - shown.length
  if (more > 0) shown.push(`... ${more} more`)
  return shown.length === 0 ? '{}' : `{ ${shown.join(', ')} }`
}

function fewEntries(store: Store<unknown>): [Key, unknown][] {
  const entries: [Key, unknown][] = []
  let from = 0
  for (let batches = 0; batches < MAX_BATCHES && from < HASH_END && entries.length < SHOWN; batches++) {
    const { keys, next } = keyBatch(store.open(), from, HASH_END, SHOWN)
    from = next
    for (const key of keys) {
      const value = store.readPassing(key)
      if (store.found && entries.length < SHOWN) entries.push([key, value])
    }
  }
  return entries
}

function hasBytes(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)
}

function lengthOf(bytes: ArrayBuffer | ArrayBufferView): string {
  const name = Object.prototype.toString.call(bytes).slice('[object '.length, -1)
  return `${name} of ${bytes.byteLength} bytes`
}
