/** The settings that all threads of a cache must share; the region's header holds them. */
import { MapsafeRangeError } from '../base/errors.js'
import {
  FLAG_CACHE,
  HEADER_DEFAULT_TTL,
  HEADER_FLAGS,
  HEADER_MAX_ENTRIES,
  HEADER_SLIDING_TTL,
  HEADER_TTL_JITTER,
  PAGE_BYTES,
} from './layout.js'

/** Settings as given; undefined stands for the default. */
export interface CacheSettings {
  /** Milliseconds that an entry lives unless its write says otherwise. Default: Infinity. */
  readonly ttl: number | undefined
  /** Milliseconds that an entry lives from its last read or write on, in place of `ttl`. */
  readonly slidingTtl?: number | undefined
  /** The largest part of a lifetime, from 0 to 1, that is left out at random. Default: 0. */
  readonly ttlJitter?: number | undefined
  /** The most entries that the cache keeps. Default: as many as there is room for. */
  readonly maxEntries: number | undefined
}

/** Makes the header of a region that no other thread knows yet the header of a cache. */
export function writeSettings(
  words: Int32Array,
  { ttl = Infinity, slidingTtl = 0, ttlJitter = 0, maxEntries = 0 }: CacheSettings,
): void {
  words[HEADER_FLAGS] = FLAG_CACHE
  words[HEADER_MAX_ENTRIES] = maxEntries
  doubleAt(words, HEADER_DEFAULT_TTL)[0] = ttl
  doubleAt(words, HEADER_SLIDING_TTL)[0] = slidingTtl
  doubleAt(words, HEADER_TTL_JITTER)[0] = ttlJitter
}

/** Returns whether the memory is a cache's; false if it is too short for a region. */
export function isCache(region: SharedArrayBuffer | ArrayBuffer): boolean {
  return region.byteLength >= PAGE_BYTES && (headerOf(region)[HEADER_FLAGS] & FLAG_CACHE) !== 0
}

/** Returns the milliseconds that entries of a region live by default: Infinity in a map. */
export function readTtl(words: Int32Array): number {
  return (words[HEADER_FLAGS] & FLAG_CACHE) === 0 ? Infinity : doubleAt(words, HEADER_DEFAULT_TTL)[0]
}

/** Returns the milliseconds that an entry lives from its last read or write on; 0 if reads do not renew it. */
export function readSlidingTtl(words: Int32Array): number {
  return (words[HEADER_FLAGS] & FLAG_CACHE) === 0 ? 0 : doubleAt(words, HEADER_SLIDING_TTL)[0]
}

/** Returns the largest part of a lifetime that is left out at random: 0 in a map. */
export function readTtlJitter(words: Int32Array): number {
  return (words[HEADER_FLAGS] & FLAG_CACHE) === 0 ? 0 : doubleAt(words, HEADER_TTL_JITTER)[0]
}

/** Returns the settings of a cache, with the default of `maxEntries` as undefined; for a map an empty object. */
export function readSettings(words: Int32Array): Partial<CacheSettings> {
  if ((words[HEADER_FLAGS] & FLAG_CACHE) === 0) return {}
  const maxEntries = words[HEADER_MAX_ENTRIES]
  const slidingTtl = readSlidingTtl(words)
  const ttlJitter = readTtlJitter(words)
  return {
    ttl: readTtl(words),
    ...(slidingTtl !== 0 && { slidingTtl }),
    ...(ttlJitter !== 0 && { ttlJitter }),
    maxEntries: maxEntries === 0 ? undefined : maxEntries,
  }
}

/**
 * @throws MapsafeRangeError `ERR_MAPSAFE_OPTIONS` if a cache in a file was made with settings other than those given
 */
export function checkSettings(
  path: string,
  region: ArrayBuffer,
  { ttl, slidingTtl, ttlJitter, maxEntries }: CacheSettings,
): void {
  const made = readSettings(headerOf(region))
  if (ttl !== undefined && ttl !== made.ttl) refuse(path, 'ttl', ttl, made.ttl)
  if (slidingTtl !== undefined && slidingTtl !== made.slidingTtl)
    refuse(path, 'slidingTtl', slidingTtl, made.slidingTtl)
  if (ttlJitter !== undefined && ttlJitter !== (made.ttlJitter ?? 0))
    refuse(path, 'ttlJitter', ttlJitter, made.ttlJitter)
  if (maxEntries !== undefined && maxEntries !== made.maxEntries)
    refuse(path, 'maxEntries', maxEntries, made.maxEntries)
}

function refuse(path: string, name: string, asked: number, made: number | undefined): never {
  throw new MapsafeRangeError(
    'ERR_MAPSAFE_OPTIONS',
    `Option ${name} asks for ${asked}, but the cache file ${path} was made ${made === undefined ? 'without one' : `with ${made}`}, which is fixed. Leave the option ` +
      'out, or choose another file.',
  )
}

function headerOf(region: SharedArrayBuffer | ArrayBuffer): Int32Array {
  return new Int32Array(region, 0, PAGE_BYTES / 4)
}

function doubleAt(words: Int32Array, word: number): Float64Array {
  return new Float64Array(words.buffer, words.byteOffset + word * 4, 1)
}
