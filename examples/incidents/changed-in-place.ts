// A returned object changed in place: it is a frozen copy, so the change throws where it is made instead of reaching some readers.
import { ConcurrentMap } from 'mapsafe'

const users = new ConcurrentMap<string, { visits: number }>({ maxBytes: 2 ** 20 })
users.set('ada', { visits: 1 })

let refused = 'changed'
try {
  const ada = users.get('ada') as { visits: number }
  // eslint-disable-next-line mapsafe/no-mutate-value -- the incident
  ada.visits++
} catch (error) {
  refused = (error as Error).name
}
const ada = users.update('ada', (user) => ({ visits: (user?.visits ?? 0) + 1 }))
console.log(refused, ada) // TypeError { visits: 2 }
