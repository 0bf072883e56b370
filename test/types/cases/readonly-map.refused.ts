import { ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, { roles: string[] }>()
const otherKeys: ReadonlyMap<number, unknown> = map // refused
const otherValues: ReadonlyMap<string, number> = map // refused
const mutable: ReadonlyMap<string, { roles: string[] }> = map // refused
console.log(otherKeys, otherValues, mutable)
