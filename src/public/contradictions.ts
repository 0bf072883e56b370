import { optionOf } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeRangeError } from '../base/errors.js'
import type { CacheSettings } from '../format/cache-settings.js'
import type { ConcurrentCacheOptions, ResolvedMapOptions } from './options.js'

// Options of a call that opens a map by its name, against those that the map, or this thread's object, was made with.

/** Refuses an option that asks for something else than what was made. @throws MapsafeError `ERR_MAPSAFE_OPTIONS` */
export function contradict(name: string, option: string, asked: unknown, made: unknown): never {
  const was = made === undefined ? `without ${option}` : `with ${describe(made)}`
  throw new MapsafeRangeError(
    'ERR_MAPSAFE_OPTIONS',
    `Option ${option} asks for ${describe(asked)}, but the map named ${describe(name)} was opened ${was}. Leave the option ` +
      'out, give the same one everywhere, or choose another name.',
  )
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if a setting that all threads share was asked for, and is another one */
export function checkSharedOptions(
  name: string,
  asked: CacheSettings,
  { ttlJitter = 0, ...made }: Partial<CacheSettings>,
): void {
  for (const setting of ['ttl', 'slidingTtl', 'maxEntries'] as const) {
    if (asked[setting] !== undefined) compare(name, setting, asked[setting], made[setting])
  }
  if (asked.ttlJitter !== undefined) compare(name, 'ttlJitter', asked.ttlJitter, ttlJitter)
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if this thread opened the map with other options of its own */
export function checkOwnOptions(
  name: string,
  given: ConcurrentCacheOptions<boolean>,
  asked: ResolvedMapOptions,
  before: ResolvedMapOptions,
): void {
  for (const option of ['engine', 'freeze', 'trustFile', 'name'] as const) {
    if (optionOf(given, option) !== undefined) compare(name, option, asked[option], before[option])
  }
  if (optionOf(given, 'nearCache') !== undefined) {
    compare(name, 'nearCache.maxEntries', asked.nearEntries, before.nearEntries)
  }
  for (const option of ['lostUpdates', 'guard', 'loadDefaults', 'breaker'] as const) {
    if (optionOf(given, option) !== undefined) compareParts(name, option, asked[option], before[option])
  }
}

/** Compares what is an object of parts where it is on, and undefined where it is off. */
function compareParts(name: string, option: string, asked: object | undefined, made: object | undefined): void {
  if (asked === undefined || made === undefined) {
    compare(name, option, asked !== undefined, made !== undefined)
    return
  }
  for (const part of Object.keys(asked)) compare(name, `${option}.${part}`, optionOf(asked, part), optionOf(made, part))
}

function compare(name: string, option: string, asked: unknown, made: unknown): void {
  if (asked !== made) contradict(name, option, asked, made)
}
