import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { expectSound } from '../support/sound.js'
import { workerCode } from '../support/worker-code.js'

describe('a worker with the TypeScript engine that ends without closing its map gives its record back', () => {
  test.each([
    ['when it has nothing left to do', 'return'],
    ['on process.exit', 'exit'],
    ['on an uncaught error', 'throw'],
  ])('%s', async (_, ending) => {
    using map = new ConcurrentMap<string, string>({ engine: 'typescript' })
    const worker = new Worker(new URL('../support/typescript-worker.js', import.meta.url), {
      workerData: { entry: workerCode(new URL('exit.worker.ts', import.meta.url)).href, handle: map.handle, ending },
    })
    worker.on('error', (error) => {
      expect(error.message).toBe('as planned')
    })
    await new Promise((resolve) => worker.once('exit', resolve))
    expect(map.get('from the worker')).toBe(ending)
    expect(map.stats().threads).toHaveLength(1)
    expectSound(map)
  })
})
