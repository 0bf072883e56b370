// A map sent to a worker in the place of its handle: refused where it is sent, by a message that names the handle.
import { ConcurrentMap } from 'mapsafe'

const sessions = new ConcurrentMap<string, string>({ maxBytes: 2 ** 20 })
let message = 'sent'
try {
  // eslint-disable-next-line mapsafe/no-map-in-message -- the incident
  structuredClone(sessions)
} catch (error) {
  message = (error as Error).message
}
console.log(message.includes('send map.handle'), structuredClone(sessions.handle).kind) // true mapsafe.map
