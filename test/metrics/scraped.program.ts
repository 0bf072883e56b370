// A process that works with a cache in a file, and answers each message with what a scrape would get.
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'
import { exposeMaps } from '../../src/observe/metrics/prometheus.js'
import { client } from './client.js'

const [file, engine] = process.argv.slice(2)
const cache = new ConcurrentCache<number, string>({ file, engine: engine as EngineChoice, maxBytes: 2 ** 20 })
exposeMaps(client, { pages: cache })

const state = { works: true }
process.on('message', (message) => {
  if (message === 'rest') state.works = false
  void client.register.metrics().then((text) => process.send!(text))
})
process.on('disconnect', () => process.exit())

const page = 'x'.repeat(500)
for (let round = 0; ; round++) {
  if (state.works) {
    for (let i = 0; i < 100; i++) {
      const key = Math.floor(Math.random() * 4000)
      await cache.getOrLoad(key, () => page)
      if (i % 10 === 0) cache.delete(key)
    }
  }
  await new Promise((resolve) => setTimeout(resolve, state.works ? 0 : 50))
}
