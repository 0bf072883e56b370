import { ConcurrentCache, ConcurrentMap, type DeepReadonly } from 'mapsafe'

const map = new ConcurrentMap<string, { id: number; roles: string[] }>()
const other = new ConcurrentMap<string, { id: string }>()
const byNumber = new ConcurrentMap<number, { id: number; roles: string[] }>()
const cache = new ConcurrentCache<string, number>()
const wrong: DeepReadonly<{ id: string }> = other.get('a')!

map.set('a', wrong) // refused
map.set('a', { id: 1 }) // refused
map.set('a', { id: 1, roles: [], more: true }) // refused
map.update('a', () => wrong) // refused
map.setMany(other) // refused
map.setMany(other.snapshot()) // refused
map.setMany(byNumber) // refused
map.setMany(map.keys()) // refused
map.get('a')!.roles.push('b') // refused
map.get('a')!.id = 2 // refused
map.set('a', undefined) // refused
cache.getOrLoad('a', () => 'b') // refused
