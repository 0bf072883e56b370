import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { lookAtThread } from '../../src/platform/thread.js'

/** Tells its thread id, and sleeps. */
const SLEEPER = `
  const { parentPort } = require('node:worker_threads')
  parentPort.postMessage(Number(require('node:fs').readlinkSync('/proc/thread-self').split('/')[2]))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
`

test.runIf(process.platform === 'linux')('what other threads of its process ran is not time of a thread', async () => {
  const worker = new Worker(SLEEPER, { eval: true })
  const [id] = (await once(worker, 'message')) as [number]
  const before = lookAtThread(id)!
  const start = process.cpuUsage()
  const ranUs = (): number => {
    const { user, system } = process.cpuUsage(start)
    return user + system
  }
  while (ranUs() < 300_000);
  const after = lookAtThread(id)!
  await worker.terminate()
  expect(after.startTime).toBe(before.startTime)
  expect(after.ranMs - before.ranMs).toBeLessThan(100)
})
