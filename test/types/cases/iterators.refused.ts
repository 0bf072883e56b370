import { ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, number>()
const keys: MapIterator<number> = map.keys() // refused
const values: MapIterator<string> = map.values() // refused
map.keys().next().value.toUpperCase() // refused
console.log(keys, values)
