import { ownKey, type Key } from '../format/key.js'
import { PUT_IF_ABSENT } from '../engine/engine.js'
import type { Store } from './store.js'

/**
 * The value of `key`; if there is none, stores what `compute` returns, unless somebody else was faster, and returns
 * what is there then.
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
    // Usually there is an entry; then nothing need be computed or encoded.
    const found = store.read(key)
    if (store.found) return found!
  } else {
    // The near-cache knows that there is none, and this read is counted.
    store.hotKeys.note(key)
  }
  const own = ownKey(key)
  const value = compute(ownKey(key))
  return store.exchange(own, value, PUT_IF_ABSENT, expiresAt?.())!
}
