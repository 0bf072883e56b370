import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, { name: string }>()
new ConcurrentMap<number, number>().namespace('a') // refused
map.namespace(5) // refused
const users = map.namespace('user:')
users.get(5) // refused
users.set('ada', { nam: 'Ada' }) // refused
users.get('ada')!.name = 'Eve' // refused
users.set('ada', { name: 'Ada' }, { ttl: 5 }) // refused
users.getOrLoad('ada', () => ({ name: 'Ada' })) // refused
console.log(users.size) // refused
users.deleteWhere((value) => value.name === '') // refused
new ConcurrentCache<string, number>().namespace('a').set('a', 1, { tags: [5] }) // refused
