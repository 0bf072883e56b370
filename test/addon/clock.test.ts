import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { openNativeClock } from '../../src/platform/addon.js'
import { monotonic } from '../../src/platform/system-clock.js'

/** Of a thread that has to wait for a processor, on a busy machine. */
const LATE_MS = 500

test('the addon has one clock, for every thread that asks and as long as one is left', async () => {
  const clock = openNativeClock()!
  expect(openNativeClock()).toBe(clock)
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const clock = require(workerData).openClock()
    parentPort.postMessage(clock[0])
    setInterval(() => parentPort.postMessage(clock[0]), 5)`
  const addon = new URL('../../build/Release/mapsafe.node', import.meta.url).pathname
  const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true, workerData: addon }))
  for (const worker of workers) {
    const [time] = (await once(worker, 'message')) as [number]
    expect(Math.abs(time - monotonic())).toBeLessThan(LATE_MS)
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  const after = clock[0]
  await sleep(50)
  expect(clock[0]).toBeGreaterThan(after)
})

test.runIf(process.platform === 'linux')('a program ends, also before the thread of the clock has begun', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-late-'))
  const late = join(folder, 'late_threads.so')
  const source = fileURLToPath(new URL('late_threads.cc', import.meta.url))
  execFileSync('g++', ['-std=c++20', '-shared', '-fPIC', '-o', late, source, '-ldl'])
  const addon = fileURLToPath(new URL('../../build/Release/mapsafe.node', import.meta.url))
  const program = spawn(process.execPath, ['-e', `require(${JSON.stringify(addon)}).openClock()`], {
    env: { ...process.env, LD_PRELOAD: late },
    stdio: 'inherit',
  })
  try {
    expect(await once(program, 'exit')).toEqual([0, null])
  } finally {
    program.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})
