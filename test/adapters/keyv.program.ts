// A worker of keyv-hosts.test.ts: stores entries in its namespace while another does so in its own, and counts them.
import { parentPort, workerData } from 'node:worker_threads'
import Keyv from 'keyv'
import { KeyvStore } from '../../src/adapters/keyv5.js'
import { ConcurrentCache, type CacheHandle, type EngineChoice } from '../../src/index.js'

export interface KeyvOrder {
  readonly handle: CacheHandle
  readonly engine: EngineChoice
  readonly namespace: string
  readonly entries: number
}

const { handle, engine, namespace, entries } = workerData as KeyvOrder
const cache = ConcurrentCache.attach<string, unknown>(handle, { engine })
const keyv = new Keyv({ store: new KeyvStore(cache), namespace })
for (let i = 0; i < entries; i++) await keyv.set(`k${i}`, `${namespace} ${i}`)
let found = 0
for await (const [key, value] of keyv.iterator!(undefined) as AsyncIterable<[string, string]>) {
  if (value === `${namespace} ${key.slice(1)}`) found++
}
parentPort!.postMessage(found)
