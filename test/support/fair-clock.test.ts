import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FairClock } from './fair-clock.js'
import { processorTime, processorTimeOf } from './processor-time.js'

const hasSchedulingTimes = existsSync('/proc/thread-self/schedstat')

/** Until it has had `ms` milliseconds of a processor. */
function compute(ms: number): void {
  for (const end = processorTime() + ms; processorTime() < end;);
}

test.skipIf(!hasSchedulingTimes)('the clock stands still while this process waits for a processor', async () => {
  const others = Array.from({ length: 6 }, () => spawn(process.execPath, ['-e', 'for (;;);']))
  try {
    compute(100) // until they run
    const [clock, began] = [new FairClock(), performance.now()]
    compute(200)
    const [fair, real] = [clock.now(), performance.now() - began]
    expect(real, 'they are in the way').toBeGreaterThan(300)
    expect(fair).toBeGreaterThan(100)
    expect(fair).toBeLessThan(real * 0.75)
  } finally {
    for (const other of others) {
      other.kill('SIGKILL')
      await once(other, 'exit')
    }
  }
})

test.skipIf(!hasSchedulingTimes)('it goes on while this thread sleeps, which takes no processor time', () => {
  const clock = new FairClock()
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  expect(processorTimeOf(() => Atomics.wait(sleeper, 0, 0, 300))).toBeLessThan(100)
  expect(clock.now()).toBeGreaterThan(150)
  expect(clock.now()).toBeLessThan(600)
})
