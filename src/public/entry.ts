import type { Returned } from '../base/cloned.js'
import { NEVER } from '../format/entry.js'
import type { Store, StoredEntry } from '../store/store.js'
import type { MapEntry } from './types.js'

/** Converts an entry into the form that callers get, with a time of the system's clock. */
export function toMapEntry<V, Freeze extends boolean>(
  store: Store<unknown>,
  { value, version, expiresAt }: StoredEntry<Returned<V, Freeze>>,
): MapEntry<V, Freeze> {
  return { value, version, expiresAt: expiresAt === NEVER ? undefined : store.clock.toWall(expiresAt) }
}
