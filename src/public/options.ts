import { checkInteger, checkPart, checkTtl, optionOf, readOptions } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeRangeError, MapsafeTypeError } from '../base/errors.js'
import { resolveGuard, type GuardOptions, type ResolvedGuard } from '../observe/guard/options.js'
import {
  resolveLostUpdates,
  type LostUpdateOptions,
  type ResolvedLostUpdates,
} from '../observe/lost-updates/options.js'
import { checkSlidingTtl } from './lifetime.js'
import type { EngineChoice } from '../engine/engine.js'
import type { CacheSettings } from '../format/cache-settings.js'
import { resolveBreaker, type BreakerOptions, type ResolvedBreakerOptions } from '../loads/breaker.js'
import { resolveLoadDefaults, type LoadDefaults, type ResolvedLoadDefaults } from '../loads/options.js'
import { BLOCK_BYTES, MAX_REGION_BLOCKS, MIN_REGION_BYTES, PAGE_BYTES } from '../format/layout.js'

/** Options of a thread's near-cache, which other threads neither see nor share. */
export interface NearCacheOptions {
  /**
   * The most values it keeps, in the memory of this thread: an integer from 8 to 2^23. When it is full, values that
   * were not used for a while give way. Default: 8192.
   */
  readonly maxEntries?: number | undefined
}

/**
 * Options of `attach`, which each thread chooses for itself. Wrong ones, and names that are no options, throw
 * `ERR_MAPSAFE_OPTIONS`.
 */
export interface AttachOptions<Freeze extends boolean = true> {
  /**
   * `'native'`: the C++ engine, or `ERR_MAPSAFE_ENGINE` where no binary fits. `'typescript'`: the engine in TypeScript,
   * which runs everywhere. `'auto'`: the native one if its binary loads, else TypeScript, with one warning
   * (`MapsafeWarning`) for each process. Threads with different engines can work on one map at the same time. Default:
   * `'auto'`.
   */
  readonly engine?: EngineChoice | undefined
  /**
   * Whether values are deeply frozen when they are read. `false` saves the freezing; then changes of a returned object
   * reach neither the map nor other readers. The third type argument of the class says the same of the types: values of
   * a `ConcurrentMap<K, V>` are readonly, those of a `ConcurrentMap<K, V, false>` are not. Default: true.
   */
  readonly freeze?: Freeze | undefined
  /**
   * This thread's near-cache: a cache of decoded values in front of the map. `false` disables it. A hit is as current
   * as every other read and costs about what a `Map` does. It keeps values of up to 64 KiB: primitives and,
   * with `freeze`, objects without bytes. Default: a near-cache with room for 8192 entries.
   */
  readonly nearCache?: NearCacheOptions | false | undefined
  /**
   * Whether to open a map file that other users own or may write to. A user who can write it can change every value and
   * hold up every process that has it open. Default: false, which refuses such a file with `ERR_MAPSAFE_FILE`.
   */
  readonly trustFile?: boolean | undefined
  /**
   * What the map is called in metrics, events and warnings: any text but the empty one. Default: the name that it was opened
   * by, that of its handle, the base name of its file, or else `'map'` or `'cache'`.
   */
  readonly name?: string | undefined
  /**
   * Whether to look for lost updates: a `set`, `replace` or `setMany` of a key that this map object had read, over what
   * another one wrote since. Each is counted, and told with both stacks on the channel `mapsafe.lost-update` of
   * `node:diagnostics_channel`, or by one warning where nobody listens. Meant for development: a read takes
   * two to six microseconds longer. An object chooses how. Default: what the environment variable `MAPSAFE_LOST_UPDATES` says
   * (`1` or `0`); without it, true if `NODE_ENV` is `development`.
   */
  readonly lostUpdates?: boolean | LostUpdateOptions | undefined
  /**
   * Thresholds for keys: calls within a second, the size of a value, the time of a function given to `update`. A key
   * that exceeds one is told once a minute, with the stack, on the channel `mapsafe.guard` of
   * `node:diagnostics_channel`, or by one warning where nobody listens. An object chooses the thresholds. Default:
   * false.
   */
  readonly guard?: boolean | GuardOptions | undefined
}

/** Options of `ConcurrentCache.attach`, as {@link AttachOptions}. */
export interface CacheAttachOptions<Freeze extends boolean = true> extends AttachOptions<Freeze> {
  /**
   * Options of the loads of this cache object, for the calls that do not say otherwise. Each thread chooses its own.
   * Default: those of `getOrLoad`.
   */
  readonly loadDefaults?: LoadDefaults | undefined
  /**
   * A circuit breaker for the loads of this cache object: true for its defaults. If many loads fail or take too long,
   * calls that would load are rejected with `ERR_MAPSAFE_BREAKER`, or get an expired value by `staleIfError`, and no
   * loader is called for a while; then one load of all threads and processes is tried. All that have a breaker share its
   * state. Give all the same options. Default: none.
   */
  readonly breaker?: BreakerOptions | boolean | undefined
}

/** Options of `new ConcurrentMap`. */
export interface ConcurrentMapOptions<Freeze extends boolean = true> extends AttachOptions<Freeze> {
  /**
   * Size of the region in bytes: keys, values, index and everything else. Fixed for the map's life. The memory is
   * virtual until touched, so be generous. An integer from 1 MiB to 16 GiB, rounded down to a multiple of 4,096.
   * Default: 64 MiB, or with `file` the size of the file if it exists.
   */
  readonly maxBytes?: number | undefined
  /**
   * Path of a file that keeps the map, so that several processes share it. It is opened if it exists, else made with
   * mode 0600; its directory must exist. Relative paths start at the working directory. The file has `maxBytes` bytes,
   * which are allocated at once (before Node.js 22 at most 4 GiB); if `maxBytes` is given, an existing file must have
   * the same size. Entries outlive the processes, but not the loss of power. Needs the addon, with either engine, else
   * throws `ERR_MAPSAFE_ENGINE`. Default: no file, but memory that the threads of this process share.
   */
  readonly file?: string | undefined
}

/** Options of `new ConcurrentCache`. */
export interface ConcurrentCacheOptions<Freeze extends boolean = true>
  extends ConcurrentMapOptions<Freeze>, CacheAttachOptions<Freeze> {
  /**
   * How long an entry lives if the write does not say: milliseconds above 0, or `Infinity`. All threads use the same.
   * An expired entry is absent for all threads at once, and its memory is freed without a read of it. A file that
   * exists keeps the one it was made with: another one throws `ERR_MAPSAFE_OPTIONS`. Default: `Infinity`, or that of
   * the file.
   */
  readonly ttl?: number | undefined
  /**
   * How long an entry lives from its last read or write on if the write does not say otherwise, in place of `ttl`:
   * finite milliseconds above 0. See `LifetimeOptions.slidingTtl`. Values of loads with `staleWhileRevalidate` or
   * `staleIfError` are not renewed by reads, and neither are counters: they live for that time. All threads use the
   * same; a file keeps the one it was made with. Default: none.
   */
  readonly slidingTtl?: number | undefined
  /**
   * The largest part of its lifetime that an entry lives shorter, at random, so that entries stored together do not
   * expire together: a number from 0 to 1. With a `ttl` of 1000 and 0.1 each lives from 900 to 1000 milliseconds. Holds
   * for each `ttl`, that of the cache and those of writes and loads, but neither for `expiresAt` nor for `increment`
   * and `incrementEntry`, whose windows are exact. All threads use the same; a file keeps the one it was made with.
   * `setMany` takes some microseconds longer for each entry. Default: 0.
   */
  readonly ttlJitter?: number | undefined
  /**
   * The most entries that the cache keeps: an integer from 1 to 2^30. A file that exists keeps the one it was made
   * with: another one throws `ERR_MAPSAFE_OPTIONS`. Default: as many as `maxBytes` has room for, or that of the file.
   */
  readonly maxEntries?: number | undefined
}

/** What an object with open values must be made with. */
export interface OpenValues {
  /** Values are not frozen. */
  readonly freeze: false
}

/**
 * The parameters of a constructor. An object whose type says that values are open (`Freeze` is false) must be given
 * `freeze: false`.
 */
export type OptionsFor<Freeze extends boolean, Options> = Freeze extends false
  ? [options: Options & OpenValues]
  : [options?: Options | undefined]

export interface ResolvedAttachOptions {
  readonly engine: EngineChoice
  readonly freeze: boolean
  /** Capacity of the near-cache; 0 for none. */
  readonly nearEntries: number
  readonly trustFile: boolean
  /** Undefined for the default. */
  readonly name: string | undefined
  /** Undefined if nobody looks for lost updates. */
  readonly lostUpdates: ResolvedLostUpdates | undefined
  /** Undefined for no thresholds. */
  readonly guard: ResolvedGuard | undefined
  readonly loadDefaults: ResolvedLoadDefaults
  readonly breaker: ResolvedBreakerOptions | undefined
}

/** Where a map is kept and how large it is. */
export interface ResolvedPlace {
  /** Goes into the handle; undefined if no name was given. */
  readonly name: string | undefined
  /** The size given, rounded down to whole pages; undefined for the default. */
  readonly maxBytes: number | undefined
  readonly file: string | undefined
  /** The settings of a cache; undefined for a map. */
  readonly cache: CacheSettings | undefined
}

export interface ResolvedMapOptions extends ResolvedAttachOptions, ResolvedPlace {}

interface GivenOptions {
  readonly maxBytes?: unknown
  readonly file?: unknown
  readonly engine?: unknown
  readonly freeze?: unknown
  readonly nearCache?: unknown
  readonly trustFile?: unknown
  readonly name?: unknown
  readonly lostUpdates?: unknown
  readonly guard?: unknown
  readonly ttl?: unknown
  readonly maxEntries?: unknown
  readonly slidingTtl?: unknown
  readonly ttlJitter?: unknown
  readonly loadDefaults?: unknown
  readonly breaker?: unknown
}

/** Names of the options that each thread chooses for itself. */
const SHARED = ['engine', 'freeze', 'nearCache', 'trustFile', 'name', 'lostUpdates', 'guard'] as const
const DEFAULT_NEAR_ENTRIES = 8192
const MIN_NEAR_ENTRIES = 8
/** Half of what a JavaScript `Map` can hold. */
const MAX_NEAR_ENTRIES = 2 ** 23
const MAX_MAX_BYTES = MAX_REGION_BLOCKS * BLOCK_BYTES
const MAX_MAX_ENTRIES = 2 ** 30
const ENGINES: readonly unknown[] = ['auto', 'native', 'typescript'] satisfies EngineChoice[]

/** Checks the options of `new ConcurrentMap` and fills in the defaults. */
export function resolveMapOptions(options: unknown): ResolvedMapOptions {
  const given = optionRecord(options, ['maxBytes', 'file', ...SHARED])
  return {
    maxBytes: resolveMaxBytes(given.maxBytes),
    file: resolveFile(given.file),
    cache: undefined,
    ...resolveShared(given),
  }
}

/** Checks the options of `new ConcurrentCache` and fills in the defaults. */
export function resolveCacheOptions(options: unknown): ResolvedMapOptions {
  const given = optionRecord(options, [
    'maxBytes',
    'file',
    ...SHARED,
    'ttl',
    'slidingTtl',
    'ttlJitter',
    'maxEntries',
    'loadDefaults',
    'breaker',
  ])
  const { ttl, slidingTtl, ttlJitter, maxEntries } = given
  if (ttl !== undefined) checkTtl('Option ttl', ttl)
  if (slidingTtl !== undefined) checkSlidingTtl(slidingTtl)
  if (ttl !== undefined && slidingTtl !== undefined) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The options ttl (${describe(ttl)}) and slidingTtl (${describe(slidingTtl)}) are both given; expected one of them.`,
    )
  }
  if (ttlJitter !== undefined) checkPart('Option ttlJitter', ttlJitter)
  if (maxEntries !== undefined) checkInteger('Option maxEntries', maxEntries, 1, MAX_MAX_ENTRIES)
  return {
    maxBytes: resolveMaxBytes(given.maxBytes),
    file: resolveFile(given.file),
    cache: { ttl, slidingTtl, ttlJitter, maxEntries },
    ...resolveShared(given),
  }
}

/** Checks the options of `attach` and fills in the defaults. */
export function resolveAttachOptions(options: unknown, isCache: boolean): ResolvedAttachOptions {
  return resolveShared(optionRecord(options, isCache ? [...SHARED, 'loadDefaults', 'breaker'] : SHARED))
}

function optionRecord(options: unknown, known: readonly (keyof GivenOptions)[]): GivenOptions {
  return readOptions<GivenOptions>(options === undefined ? {} : (options as GivenOptions), known)
}

function resolveShared(given: GivenOptions): ResolvedAttachOptions {
  const { engine = 'auto', freeze = true, nearCache = {}, trustFile = false } = given
  if (!ENGINES.includes(engine)) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option engine is ${describe(engine)}; expected 'auto', 'native' or 'typescript'.`,
    )
  }
  if (typeof freeze !== 'boolean') {
    throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Option freeze is ${describe(freeze)}; expected true or false.`)
  }
  if (typeof trustFile !== 'boolean') {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option trustFile is ${describe(trustFile)}; expected true or false.`,
    )
  }
  return {
    engine: engine as EngineChoice,
    freeze,
    nearEntries: nearCache === false ? 0 : resolveNearEntries(nearCache),
    trustFile,
    name: resolveName(given.name),
    lostUpdates: resolveLostUpdates(given.lostUpdates),
    guard: resolveGuard(given.guard),
    loadDefaults: resolveLoadDefaults(given.loadDefaults as LoadDefaults | undefined),
    breaker: resolveBreaker(given.breaker),
  }
}

function resolveName(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '')) return name
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `Option name is ${describe(name)}; expected a text that names the map, such as 'sessions'.`,
  )
}

function resolveNearEntries(nearCache: unknown): number {
  if (typeof nearCache !== 'object' || nearCache === null) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option nearCache is ${describe(nearCache)}; expected false or an object with maxEntries.`,
    )
  }
  const unknown = Object.keys(nearCache).find((name) => name !== 'maxEntries')
  if (unknown !== undefined) {
    throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `There is no option nearCache.${unknown}; expected maxEntries.`)
  }
  const given = optionOf(nearCache, 'maxEntries')
  const maxEntries = given === undefined ? DEFAULT_NEAR_ENTRIES : given
  if (typeof maxEntries !== 'number') {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option nearCache.maxEntries is ${describe(maxEntries)}; expected a number of entries.`,
    )
  }
  if (!Number.isSafeInteger(maxEntries) || maxEntries < MIN_NEAR_ENTRIES || maxEntries > MAX_NEAR_ENTRIES) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option nearCache.maxEntries is ${maxEntries}; expected an integer from ${MIN_NEAR_ENTRIES} to ${MAX_NEAR_ENTRIES}.`,
    )
  }
  return maxEntries
}

function resolveMaxBytes(maxBytes: unknown): number | undefined {
  if (maxBytes === undefined) return undefined
  if (typeof maxBytes !== 'number') {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option maxBytes is ${describe(maxBytes)}; expected a number of bytes.`,
    )
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MIN_REGION_BYTES || maxBytes > MAX_MAX_BYTES) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option maxBytes is ${maxBytes}; expected an integer from ${MIN_REGION_BYTES} (1 MiB) to ${MAX_MAX_BYTES} (16 GiB).`,
    )
  }
  return maxBytes - (maxBytes % PAGE_BYTES)
}

function resolveFile(file: unknown): string | undefined {
  if (file === undefined) return undefined
  if (typeof file !== 'string' || file === '' || file.includes('\0')) {
    throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Option file is ${describe(file)}; expected the path of a file.`)
  }
  return file
}
