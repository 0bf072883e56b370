import { ownKey, type Key } from '../format/key.js'
import { PUT_IF_ABSENT } from '../engine/engine.js'
import type { Store } from './store.js'
import { exchange } from './writes.js'

/**
 * Returns the value of `key`. If there is no entry, stores the result of `compute`, unless another thread was faster,
 * and returns the value that is there then.
 *
 * @param compute called at most once, and only if there seems to be no entry, with a copy of the key (0 for -0)
 * @param expiresAt as for Store.write
 */
export function getOrInsert<K extends Key, V>(
  store: Store<V>,
  key: K,
  compute: (key: K) => unknown,
  expiresAt?: () => number | undefined,
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
  return exchange(store, own, value, PUT_IF_ABSENT, expiresAt?.())!
}
