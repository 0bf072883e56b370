import type { DeepReadonly } from '../base/deep-readonly.js'
import { NEVER } from '../format/entry.js'
import type { Store, StoredEntry } from '../store/store.js'
import type { MapEntry } from './types.js'

/** Converts an entry into the form that callers get, with a time of the system's clock. */
export function toMapEntry<V>(
  store: Store<unknown>,
  { value, version, expiresAt }: StoredEntry<DeepReadonly<V>>,
): MapEntry<V> {
  return { value, version, expiresAt: expiresAt === NEVER ? undefined : store.clock.toWall(expiresAt) }
}
