// What was read can be written back, by every method that writes.
import { ConcurrentCache, ConcurrentMap, DELETE, type DeepReadonly, type MapEntry, type Snapshot } from 'mapsafe'

interface Session {
  id: number
  roles: string[]
  seen: Map<string, Set<Date>>
  position: [x: number, y: number]
}
type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
interface Tree {
  value: number
  parent?: Tree
  children: Tree[]
  byName: Map<string, Tree>
}

const map = new ConcurrentMap<string, Session>()
const cache = new ConcurrentCache<string, Session>({ ttl: 5 })
const session: DeepReadonly<Session> = map.get('a')!
const fresh: Session = { id: 1, roles: [], seen: new Map(), position: [1, 2] }

for (const each of [map, cache]) {
  each
    .set('a', session)
    .set('b', fresh)
    .set('c', { id: 1, roles: ['a'], seen: new Map(), position: [1, 2] })
  each.setIfAbsent('a', session)
  each.setIfVersion('a', session, 1)
  each.replace('a', session)
  each.compareAndSwap('a', session, session)
  each.compareAndDelete('a', session)
  each.swap('a', session)
  each.getOrInsert('a', session)
  each.getOrInsertComputed('a', () => session)
  each.update('a', (was) => was ?? session)
  each.update('a', (was) => (was === undefined ? DELETE : { ...was, id: was.id + 1 }))
  each.setMany(new Map([['a', session]]))
  each.setMany([
    ['a', session],
    ['b', fresh],
  ] as [string, DeepReadonly<Session>][])
  each.setMany(map)
  each.setMany(cache)
  each.setMany(map.entries())
  each.setMany(map.snapshot())
  each.setMany(map.scan().entries)
}
cache.set('a', session, { ttl: 5 })
cache.setMany([['a', session, { ttl: 5 }]])
cache.getOrLoad('a', () => session)
cache.getOrLoad('a', async () => Promise.resolve(session))
cache.getOrLoad('a', async () => Promise.resolve(fresh))

const json = new ConcurrentMap<string, Json>()
json
  .set('a', [1, { b: null }])
  .set('b', json.get('a')!)
  .setMany(json)
const trees = new ConcurrentMap<string, Tree>()
trees.set('a', { value: 1, children: [], byName: new Map() }).set('b', trees.get('a')!).setMany(trees.snapshot())

/** Code for any type of values. */
export function copy<V>(from: ConcurrentMap<string, V>, to: ConcurrentMap<string, V>, value: V): Snapshot<string, V> {
  to.setMany(from)
    .setMany(from.snapshot())
    .set('a', value)
    .setMany([['b', value]])
  const found = from.get('a')
  if (found !== undefined) to.set('c', found)
  to.update('d', (was) => was ?? value)
  const entry: MapEntry<V> | undefined = from.getEntry('a')
  if (entry !== undefined) to.set('e', entry.value)
  return from.snapshot()
}

/** A class for any type of values. */
export class Repository<V extends object> {
  private readonly map = new ConcurrentMap<string, V>({ maxBytes: 2 ** 20 })
  save(name: string, value: V): void {
    this.map.set(name, value)
  }
  touch(name: string): void {
    this.map.update(name, (value) => value ?? DELETE)
  }
}
