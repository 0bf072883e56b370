// A map is a ReadonlyMap, under any `lib`.
import { ConcurrentCache, ConcurrentMap, type DeepReadonly, type Snapshot } from 'mapsafe'

interface Session {
  id: number
  roles: string[]
}
const map = new ConcurrentMap<string, Session>()
const cache = new ConcurrentCache<string, Session>()
const open = new ConcurrentMap<string, Session, false>({ freeze: false })
class Sessions extends ConcurrentMap<string, Session> {}

export const unknowns: ReadonlyMap<string, unknown>[] = [map, cache, open, new Sessions()]
export const exact: ReadonlyMap<string, DeepReadonly<Session>>[] = [map, cache, open]
export const mutable: ReadonlyMap<string, Session> = open
export const iterables: Iterable<[string, unknown]>[] = [map, map.snapshot(), map.entries()]
export const size = (of: ReadonlyMap<string, unknown>): number => of.size
size(map)
export const copy = new Map<string, unknown>(map)
export const copyOfSnapshot = new Map(map.snapshot() satisfies Snapshot<string, Session>)
