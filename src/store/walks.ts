import type { Key } from '../format/key.js'
import { hasPrefix } from './key-choice.js'
import { keyBatches } from './map-keys.js'
import type { Store } from './store.js'

// Walks over all keys of a map, weakly consistent. Each reads the map when its `next` is called, and does not count as
// a use of the entries that it meets: not for eviction, the near-cache, the hot keys or the counts of reads. They
// refuse a closed map at once, as every other method does. With a prefix, they meet the keys that begin with it, and read no
// others.

export function keysOf<V>(store: Store<V>, prefix?: string): Generator<Key, undefined, undefined> {
  store.open()
  return walkKeys(store, prefix)
}

export function valuesOf<V>(store: Store<V>, prefix?: string): Generator<V, undefined, undefined> {
  store.open()
  return walkValues(store, prefix)
}

export function entriesOf<V>(store: Store<V>, prefix?: string): Generator<[Key, V], undefined, undefined> {
  store.open()
  return walkEntries(store, prefix)
}

function* walkKeys<V>(store: Store<V>, prefix?: string): Generator<Key, undefined, undefined> {
  for (const batch of keyBatches(store)) {
    for (const key of batch) if (isMeant(key, prefix) && store.hasPassing(key)) yield key
  }
}

function* walkValues<V>(store: Store<V>, prefix?: string): Generator<V, undefined, undefined> {
  for (const [, value] of walkEntries(store, prefix)) yield value
}

function* walkEntries<V>(store: Store<V>, prefix?: string): Generator<[Key, V], undefined, undefined> {
  for (const batch of keyBatches(store)) {
    for (const key of batch) {
      if (!isMeant(key, prefix)) continue
      const value = store.readPassing(key)
      if (store.found) yield [key, value!]
    }
  }
}

function isMeant(key: Key, prefix: string | undefined): boolean {
  return prefix === undefined || hasPrefix(key, prefix)
}
