// A counter that overflows, or is no number any more: it stops with an error, and never counts wrong.
import type { MapsafeError } from 'mapsafe'
import { ConcurrentMap } from 'mapsafe'

const counts = new ConcurrentMap<string, unknown>({ maxBytes: 2 ** 20 })
counts.set('bytes', Number.MAX_SAFE_INTEGER).set('visits', '41')
const messages = ['bytes', 'visits'].map((key) => {
  try {
    return counts.increment(key)
  } catch (error) {
    return (error as MapsafeError).message.split(/[;(]/)[0].trim()
  }
})
for (const message of messages) console.log(message)
console.log(counts.get('bytes') === Number.MAX_SAFE_INTEGER) // true
