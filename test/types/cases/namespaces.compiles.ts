// The keys with a prefix.
import { ConcurrentCache, ConcurrentMap, type CacheNamespace, type MapEntry, type MapNamespace } from 'mapsafe'

interface User {
  name: string
}
const map = new ConcurrentMap<string, User>()
const users: MapNamespace<User> = map.namespace('user:')
export const found: { readonly name: string } | undefined = users.get('ada')
export const entry: MapEntry<User> | undefined = users.getEntry('ada')
export const inner: MapNamespace<User> = users.set('ada', { name: 'Ada' }).namespace('ada:')
export const values: (User | undefined)[] = users.getMany(['a']).map((user) => user && { name: user.name })
for (const [key, { name }] of users) console.log(key.length, name)
for (const key of users.keys()) console.log(key.length)
users.forEach((user, key, space) => space.set(key, user))
users.clear()

const cache = new ConcurrentCache<string | number, User, false>({ freeze: false })
const there: CacheNamespace<User, false> = cache.namespace('user:')
export const loaded: Promise<User> = there.getOrLoad('ada', (key) => ({ name: key }), { tags: ['a'] })
there.set('ada', { name: 'Ada' }, { ttl: 5, tags: ['a'] }).setMany([['bob', { name: 'Bob' }, { ttl: 5 }]])
there.get('ada')!.name = 'Eve'
export const asMap: MapNamespace<User, false> = there
