import { ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, { n: number }>()
map.scan(undefined, { prefix: 5 }) // refused
map.scan(undefined, { details: 'keys' }).entries // refused
map.scan(undefined, { prefix: 'a' }).keys // refused
map.deleteWhere({ prefix: /a/ }) // refused
map.deleteWhere({ key: (key: number) => key > 0 }) // refused
map.deleteWhere({ keys: (key: string) => key === '' }) // refused
