// A program of its own, started by undici.test.ts: a process that asks other servers, with a cache in a file.
import { Agent, interceptors, request } from 'undici'
import { ResponseStore } from '../../src/adapters/undici.js'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'
import type { Answer, Question } from './undici.test.js'

const [, , file, engine] = process.argv
const cache = new ConcurrentCache<string, unknown>({ file, engine: engine as EngineChoice, maxBytes: 2 ** 22 })
const dispatcher = new Agent().compose(interceptors.cache({ store: new ResponseStore(cache) }))

process.on('message', ({ url, method = 'GET', headers = {} }: Question) => {
  void request(url, { method, headers, dispatcher }).then(
    async ({ statusCode, headers: got, body }) => {
      const answer: Answer = { statusCode, isCached: got.age !== undefined, text: await body.text() }
      process.send!(answer)
    },
    (error: unknown) => process.send!({ statusCode: 0, isCached: false, text: String(error) } satisfies Answer),
  )
})
process.send!('ready')
