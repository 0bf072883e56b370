import { checkInteger, flagOf, readOptions, wrongInput } from '../base/arguments.js'
import type { Key } from '../format/key.js'
import { HASH_END } from '../engine/engine.js'
import { asOneCall } from '../engine/one-call.js'
import { Cursors, MAX_CURSOR } from './cursor.js'
import { checkPrefix, hasPrefix } from './key-choice.js'
import { keyBatch } from './map-keys.js'
import type { Store, StoredEntry } from './store.js'
import type { Returned } from '../base/cloned.js'

/** Options of `ConcurrentMap.scan`. */
export interface ScanOptions {
  /** Approximate number of entries to return: an integer from 1 to 2^20. Default: 256. */
  readonly count?: number | undefined
  /** The part of the map to scan: an integer from 0 to `parts - 1`. Default: 0. */
  readonly part?: number | undefined
  /** Number of parts, of about the same size, that the map is divided into: an integer from 1 to 2^16. Default: 1. */
  readonly parts?: number | undefined
  /**
   * What the keys to return begin with: strings that do. Those of other keys are met, but neither counted in the result nor
   * decoded. Not empty. Default: all keys.
   */
  readonly prefix?: string | undefined
  /**
   * Whether the result has each key with its entry instead of its value, or, with `'keys'`, the keys alone: see
   * {@link DetailedScanOptions} and {@link KeyScanOptions}. Default: false.
   */
  readonly details?: false | undefined
}

/** Options of `ConcurrentMap.scan` for the keys alone, for which no value is decoded or copied. */
export interface KeyScanOptions extends Omit<ScanOptions, 'details'> {
  /** Asks for keys. */
  readonly details: 'keys'
}

/** Options of `ConcurrentMap.scan` for the entries of the keys, as `getEntry` returns them, instead of the values. */
export interface DetailedScanOptions extends Omit<ScanOptions, 'details'> {
  /** Asks for entries. */
  readonly details: true
}

/** The result of `ConcurrentMap.scan`. */
export interface ScanResult<K, V, Freeze extends boolean = true> {
  /** Cursor to go on from; undefined at the end. */
  readonly cursor: number | undefined
  /** Pairs of key and value. */
  readonly entries: [K, Returned<V, Freeze>][]
}

/** The result of `ConcurrentMap.scan` with `details: 'keys'`. */
export interface KeyScanResult<K> {
  /** Cursor to go on from; undefined at the end. */
  readonly cursor: number | undefined
  /** The keys. */
  readonly keys: K[]
}

const DEFAULT_COUNT = 256
const MAX_COUNT = 2 ** 20
const MAX_PARTS = 2 ** 16
const NAMES = ['count', 'part', 'parts', 'prefix', 'details'] as const

/**
 * The walk of `ConcurrentMap.scan`. A cursor stands for a position in the order of the keys' hashes, a part is a range of
 * hashes.
 */
export function scan<V, E>(
  store: Store<V>,
  cursor: number | undefined,
  options: ScanOptions | DetailedScanOptions | KeyScanOptions = {},
  detailed: (entry: StoredEntry<V>) => E,
): { readonly cursor: number | undefined; readonly entries: [Key, V | E][] } | KeyScanResult<Key> {
  const given = readOptions<ScanOptions | DetailedScanOptions | KeyScanOptions>(options, NAMES)
  const { count = DEFAULT_COUNT, part = 0, parts = 1, prefix } = given
  const keysOnly = given.details === 'keys'
  const isDetailed = !keysOnly && flagOf(given, 'details')
  checkInteger('Option count', count, 1, MAX_COUNT)
  checkInteger('Option parts', parts, 1, MAX_PARTS)
  checkInteger('Option part', part, 0, parts - 1)
  if (prefix !== undefined) checkPrefix(prefix)
  const start = Math.ceil((part * HASH_END) / parts)
  const end = Math.ceil(((part + 1) * HASH_END) / parts)
  const entries: [Key, V | E][] = []
  const keys: Key[] = []
  const engine = store.open()
  const cursors = new Cursors(engine.words, part, parts)
  const add = (key: Key): void => {
    if (keysOnly) {
      if (store.hasPassing(key)) keys.push(key)
      return
    }
    const value = store.readPassing(key)
    if (store.found) entries.push([key, isDetailed ? detailed(store.lastEntry(value as V)) : (value as V)])
  }
  // Every part begins with cursor 0.
  let next = cursor === undefined || cursor === 0 ? start : readCursor(cursors, cursor, start, end)
  // Counts the keys met, not the entries found: else a walk over a map that is being emptied would not return.
  asOneCall(engine, () => {
    for (let met = 0; met < count && next < end;) {
      const batch = keyBatch(engine, next, end, count - met)
      for (const key of batch.keys) if (prefix === undefined || hasPrefix(key, prefix)) add(key)
      met += batch.keys.length
      next = batch.next
    }
  })
  const at = next < end ? cursors.make(next) : undefined
  return keysOnly ? { cursor: at, keys } : { cursor: at, entries }
}

function readCursor(cursors: Cursors, cursor: number, start: number, end: number): number {
  checkInteger('Argument cursor', cursor, 0, MAX_CURSOR)
  const position = cursors.read(cursor)
  if (position !== undefined && position >= start && position < end) return position
  throw wrongInput('Argument cursor', cursor, 'what a scan of the same part of this map has returned')
}
