// Zero values: 0, '' and undefined are values, and absent is something else.
import { ConcurrentMap } from 'mapsafe'

const quotas = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
quotas.set('ada', 0) // nothing is left

// eslint-disable-next-line mapsafe/no-truthy-absence, @typescript-eslint/prefer-nullish-coalescing -- the incident: who has 0 left gets 10
const wrong = quotas.get('ada') || 10
const right = quotas.get('ada') ?? 10
console.log(wrong, right, quotas.has('ada'), quotas.getEntry('bo')) // 10 0 true undefined
