import type { ContenderKind } from './contender.js'
import { lmdbCache, lmdbMsgpack, lmdbString } from './lmdb.js'
import { mapsafeMsgpack, mapsafeNative, mapsafeNear, mapsafeTypescript, mapsafeV8 } from './mapsafe.js'
import { lruCache, lruCacheTtl, map, quickLru } from './private.js'
import { redis } from './redis.js'
import { sharedmap } from './sharedmap.js'

/** Everything that is compared. A worker is told the name. */
export const contenders = {
  map,
  lruCache,
  lruCacheTtl,
  quickLru,
  mapsafeNear,
  mapsafeNative,
  mapsafeTypescript,
  mapsafeMsgpack,
  mapsafeV8,
  lmdbString,
  lmdbMsgpack,
  lmdbCache,
  sharedmap,
  redis,
} satisfies Record<string, ContenderKind>

export type ContenderName = keyof typeof contenders

export const contenderNames = Object.keys(contenders) as ContenderName[]

export const kindOf = (name: ContenderName): ContenderKind => contenders[name]
