// With `freeze: false` values are not readonly.
import { ConcurrentCache, ConcurrentMap, type AttachOptions, type CacheHandle, type MapHandle } from 'mapsafe'

interface Session {
  id: number
  roles: string[]
  byName: Map<string, { n: number }>
  readonly fixed: number
}
declare const handle: MapHandle
declare const cacheHandle: CacheHandle

const made = new ConcurrentMap<string, Session, false>({ freeze: false })
const inferred: ConcurrentMap<string, Session, false> = new ConcurrentMap({ freeze: false })
const attached = ConcurrentMap.attach<string, Session>(handle, { freeze: false })
const cache = new ConcurrentCache<string, Session, false>({ freeze: false, ttl: 5 })
const attachedCache = ConcurrentCache.attach<string, Session>(cacheHandle, { freeze: false })
for (const map of [made, inferred, attached, cache, attachedCache]) {
  const session: Session = map.get('a')!
  session.roles.push('a')
  map.getEntry('a')!.value.byName.set('b', { n: 1 })
  map.peek('a')!.id++
  map.take('a')!.id = 1
  map.getMany(['a'])[0]!.roles = []
  for (const [, value] of map) value.roles.sort()
  for (const value of map.values()) value.roles.length = 0
  map.forEach((value) => value.roles.pop())
  map.scan().entries[0][1].id = 1
  map.scan(0, { details: true }).entries[0][1].value.id = 1
  for (const [, value] of map.snapshot()) value.id = 1
  map.update('a', (value) => {
    value!.roles.push('b')
    return value!
  })
  map.set('a', session)
}
cache.getOrLoad('a', () => made.get('a')!).then((session) => session.roles.push('a'))

// An open map is one whose values nobody has to change.
const readonlyView: ConcurrentMap<string, Session> = new ConcurrentMap<string, Session>()
export const count = (map: ConcurrentMap<string, Session> | ConcurrentMap<string, Session, false>): number => map.size
count(made)
count(readonlyView)
export const choose = (freeze: boolean): ConcurrentMap<string, Session, boolean> =>
  new ConcurrentMap<string, Session, boolean>({ freeze })
export const options: AttachOptions<boolean> = { freeze: Math.random() < 0.5 }
