// The thread of a Watchdog: it is told what begins, and tells what does not end.
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { FairClock, tree } from './fair-clock.js'

const { limit } = workerData as { readonly limit: number }
const READING_MS = 1000
/** What a thread that is not blocked has to fail its test, by the clock. */
const GRACE_MS = 10_000

let [clock, name, isTold] = [new FairClock(), '', false]

parentPort!.on('message', (begun: string) => {
  ;[clock, name, isTold] = [new FairClock(), begun, false]
})

setInterval(() => {
  const time = clock.now()
  if (name === '' || time < limit) return
  const message = `${name}: did not end in ${limit / 1000} seconds, not counting those for which it waited for a processor`
  if (!isTold) parentPort!.postMessage(message)
  isTold = true
  if (time < limit + GRACE_MS) return
  writeSync(2, `${message}\n`)
  // Itself last.
  for (const pid of [...tree()].reverse()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
}, READING_MS)
