// The entry of every worker that a test starts: Node.js 20 cannot load TypeScript as a worker's entry, so this file registers
// tsx and then imports the real one, `workerData.entry` (a file URL).
import { workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

register()
await import(workerData.entry)
