// Lock collapse: readers take no lock, so that a writer at work, or many readers, hold no reader up.
import { ConcurrentMap } from 'mapsafe'

const config = new ConcurrentMap<string, string>({ maxBytes: 2 ** 20 })
const reader = ConcurrentMap.attach<string, string>(config.handle)
config.set('mode', 'old')

let met: string | undefined
config.update('mode', () => {
  met = reader.get('mode') // while the write is being decided
  return 'new'
})
console.log(met, reader.get('mode')) // old new
