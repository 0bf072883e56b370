import type { Key } from '../format/key.js'
import { keyBatches } from './map-keys.js'
import type { Store } from './store.js'

// Walks over all keys of a map, weakly consistent. Each reads the map when its `next` is called, and does not count as
// a use of the entries that it meets: not for eviction, the near-cache, the hot keys or the counts of reads. They
// refuse a closed map at once, as every other method does.

export function keysOf<V>(store: Store<V>): Generator<Key, undefined, undefined> {
  store.open()
  return walkKeys(store)
}

export function valuesOf<V>(store: Store<V>): Generator<V, undefined, undefined> {
  store.open()
  return walkValues(store)
}

export function entriesOf<V>(store: Store<V>): Generator<[Key, V], undefined, undefined> {
  store.open()
  return walkEntries(store)
}

function* walkKeys<V>(store: Store<V>): Generator<Key, undefined, undefined> {
  for (const batch of keyBatches(store)) {
    for (const key of batch) if (store.hasPassing(key)) yield key
  }
}

function* walkValues<V>(store: Store<V>): Generator<V, undefined, undefined> {
  for (const [, value] of walkEntries(store)) yield value
}

function* walkEntries<V>(store: Store<V>): Generator<[Key, V], undefined, undefined> {
  for (const batch of keyBatches(store)) {
    for (const key of batch) {
      const value = store.readPassing(key)
      if (store.found) yield [key, value!]
    }
  }
}
