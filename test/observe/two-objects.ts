import { ConcurrentCache, ConcurrentMap, type AttachOptions, type CacheHandle, type Key } from '../../src/index.js'
import type { Lineup } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { Losses } from './losses.js'

interface Both<V> extends Disposable {
  readonly map: ConcurrentMap<Key, V>
  readonly other: ConcurrentMap<Key, V>
  readonly losses: Losses
  /** The map, where it is a cache. */
  readonly cache: ConcurrentCache<Key, V>
}

/** A map, and another map object on it, whose writes are those of another thread. */
export function open<V>(lineup: Lineup, options: AttachOptions = {}, isCache = false): Both<V> {
  const losses = new Losses()
  const own = {
    lostUpdates: { keys: true, windowMs: Infinity },
    engine: lineup.engineOf(0),
    ...lineup.attach,
    ...options,
  }
  const Class = isCache ? ConcurrentCache<Key, V> : ConcurrentMap<Key, V>
  const map = new Class({ maxBytes: 2 ** 20, ...own })
  const others = { engine: lineup.engineOf(1) }
  const other: ConcurrentMap<Key, V> = isCache
    ? ConcurrentCache.attach<Key, V>(map.handle as CacheHandle, others)
    : ConcurrentMap.attach<Key, V>(map.handle, others)
  return {
    map,
    other,
    losses,
    cache: map as ConcurrentCache<Key, V>,
    [Symbol.dispose]() {
      losses[Symbol.dispose]()
      expectSound(other)
      other.close()
      map.close()
    },
  }
}
