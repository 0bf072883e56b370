// A program of its own, started by unstorage.test.ts: a process that stores an item and waits.
import { createStorage } from 'unstorage'
import { unstorageDriver } from '../../src/adapters/unstorage.js'
import type { EngineChoice } from '../../src/index.js'

const [, , file, engine] = process.argv
const driver = unstorageDriver({ name: 'items', file, engine: engine as EngineChoice, maxBytes: 2 ** 20 })
await createStorage({ driver }).setItem('from the child', { pid: process.pid })
process.on('message', () => undefined)
process.send!('stored')
