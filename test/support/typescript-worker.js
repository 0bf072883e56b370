// The entry of every worker that a test starts; it imports the real one, `workerData.entry` (a file URL). Node.js 20 cannot load
// TypeScript as a worker's entry: where that is not compiled (worker-code.ts), this registers tsx first.
import { workerData } from 'node:worker_threads'

if (workerData.entry.endsWith('.ts')) (await import('tsx/esm/api')).register()
else process.setSourceMapsEnabled(true)
await import(workerData.entry)
