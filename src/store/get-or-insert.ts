import { refusePromise } from '../base/promises.js'
import { ownKey, type Key } from '../format/key.js'
import { PUT_GIVEN, PUT_IF_ABSENT } from '../engine/engine.js'
import type { Lifetime } from './lifetime.js'
import type { Store } from './store.js'
import { exchange } from './writes.js'

/**
 * Returns the value of `key`. If there is no entry, stores `value`, unless another thread was faster, and returns the value
 * that is there then.
 *
 * @param expiresAt as for Store.write
 */
export function getOrInsert<V>(store: Store<V>, key: Key, value: unknown, expiresAt?: () => Lifetime | undefined): V {
  return insertIfAbsent(store, key, () => value, PUT_IF_ABSENT | PUT_GIVEN, expiresAt)
}

/**
 * Does as {@link getOrInsert} with what `compute` returns, which must not be a promise.
 *
 * @param compute called at most once, and only if there seems to be no entry, with a copy of the key (0 for -0)
 */
export function getOrInsertComputed<K extends Key, V>(
  store: Store<V>,
  key: K,
  compute: (key: K) => unknown,
  expiresAt?: () => Lifetime | undefined,
): V {
  const computeAtOnce = (own: K): unknown => {
    const value = compute(own)
    refusePromise(value, 'ERR_MAPSAFE_VALUE_TYPE', 'getOrInsertComputed', VALUE_AT_ONCE)
    return value
  }
  return insertIfAbsent(store, key, computeAtOnce, PUT_IF_ABSENT, expiresAt)
}

const VALUE_AT_ONCE =
  'expected the value itself. Await what it takes before the call, or let getOrLoad of a ConcurrentCache await it.'

function insertIfAbsent<K extends Key, V>(
  store: Store<V>,
  key: K,
  compute: (key: K) => unknown,
  mode: number,
  expiresAt?: () => Lifetime | undefined,
): V {
  const near = store.near(key)
  if (near?.present === true) return near.value as V
  if (near === undefined) {
    // Usually there is an entry; then nothing has to be computed or encoded.
    const found = store.read(key)
    if (store.found) return found!
  } else {
    // The near-cache knows that there is no entry, and has counted this read.
    store.hotKeys.note(key)
  }
  const own = ownKey(key)
  const value = compute(ownKey(key))
  return exchange(store, own, value, mode, expiresAt?.())!
}
