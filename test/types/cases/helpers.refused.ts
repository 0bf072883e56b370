import { ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, { n: number }>()
map.keys().map((key: number) => key) // refused
map.values().forEach((value) => value.n++) // refused
