// `attach` of a subclass gives one of it.
import {
  ConcurrentCache,
  ConcurrentMap,
  type AttachOptions,
  type CacheHandle,
  type ConcurrentMapOptions,
  type Key,
  type MapHandle,
} from 'mapsafe'

interface Session {
  id: number
}
declare const handle: MapHandle
declare const cacheHandle: CacheHandle
declare const options: AttachOptions

class Sessions extends ConcurrentMap<string, Session> {
  readonly label = 'sessions'
  byId(id: number): string | undefined {
    return this.get(`${id}`)?.id === id ? this.label : undefined
  }
}
class Configured extends ConcurrentMap<string, Session> {
  constructor(options?: ConcurrentMapOptions) {
    super(options)
  }
}
class Thawed extends ConcurrentMap<string, Session, false> {
  constructor(options: ConcurrentMapOptions<false> & { freeze: false }) {
    super(options)
  }
}
class Pages extends ConcurrentCache<string, Session> {
  render(): string {
    return this.get('a')?.id.toString() ?? ''
  }
}
class Named<K extends Key, V> extends ConcurrentMap<K, V> {
  name = 'a'
}

const sessions: Sessions = Sessions.attach(handle)
sessions.byId(1)
Sessions.attach(handle, options).get('a')?.id.toFixed()
export const configured: Configured = Configured.attach(handle)
Thawed.attach(handle, { freeze: false }).get('a')!.id++
const pages: Pages = Pages.attach(cacheHandle, { engine: 'typescript' })
pages.render()
Named.attach(handle).name.toUpperCase()

export const plain: ConcurrentMap<string, Session> = ConcurrentMap.attach<string, Session>(handle)
export const fromContext: ConcurrentMap<string, Session> = ConcurrentMap.attach(handle)
export const cache: ConcurrentCache<string, Session> = ConcurrentCache.attach<string, Session>(cacheHandle, options)
const named: Sessions = Sessions.open('sessions', { maxBytes: 2 ** 20 })
named.byId(1)
export const namedPages: Pages = Pages.open('pages', { ttl: 5 })
export const namedMap: ConcurrentMap<string, Session> = ConcurrentMap.open<string, Session>('sessions')
ConcurrentCache.open<string, Session>('sessions', { freeze: false }).get('a')!.id++
const { attach } = ConcurrentMap
export const detached: ConcurrentMap<string, Session> = attach<string, Session>(handle)
