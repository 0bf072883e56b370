import { ConcurrentCache, ConcurrentMap, type MapHandle } from 'mapsafe'

interface Session {
  id: number
  roles: string[]
  readonly fixed: number
}
declare const handle: MapHandle

new ConcurrentMap<string, Session>({ freeze: false }) // refused
new ConcurrentMap<string, Session, false>() // refused
new ConcurrentMap<string, Session, false>({ maxBytes: 2 ** 20 }) // refused
new ConcurrentMap<string, Session, false>({ freeze: true }) // refused
new ConcurrentCache<string, Session>({ freeze: false }) // refused
new ConcurrentCache<string, Session, false>({ ttl: 5 }) // refused
new ConcurrentMap<string, Session, false>({ freeze: false }).get('a')!.fixed = 1 // refused
new ConcurrentMap<string, Session>().get('a')!.id = 1 // refused
new ConcurrentMap<string, Session>({ freeze: true }).get('a')!.roles.push('a') // refused
ConcurrentMap.attach<string, Session>(handle).get('a')!.roles.push('a') // refused
ConcurrentMap.attach<string, Session>(handle, { freeze: true }).get('a')!.id++ // refused
const open: ConcurrentMap<string, Session, false> = new ConcurrentMap<string, Session>() // refused
console.log(open)
