import { ConcurrentCache, ConcurrentMap, type CacheHandle, type MapHandle } from 'mapsafe'

declare const handle: MapHandle
declare const cacheHandle: CacheHandle
class Sessions extends ConcurrentMap<string, number> {
  label = 'sessions'
}
class Pages extends ConcurrentCache<string, number> {
  render(): string {
    return ''
  }
}
Pages.attach(handle) // refused
const sessions: Sessions = ConcurrentMap.attach<string, number>(handle) // refused
const pages: Pages = Sessions.attach(cacheHandle) // refused
ConcurrentMap.attach<string, number>(handle).label // refused
Sessions.attach(handle, { frozen: true }) // refused
Sessions.attach() // refused
Sessions.open('sessions').render() // refused
Sessions.open() // refused
ConcurrentMap.open('sessions', { ttl: 5 }) // refused
ConcurrentMap.open<string, { n: number }>('sessions').get('a')!.n++ // refused
console.log(sessions, pages)
