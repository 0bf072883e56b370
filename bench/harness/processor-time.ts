import { readFileSync } from 'node:fs'

/** This thread's processor time for `run`, in milliseconds; without a /proc, the whole process's. */
export function processorTimeOf(run: () => void): number {
  const before = processorTime()
  run()
  return processorTime() - before
}

/**
 * Looks at this thread's processor time in each turn of the event loop until `call` is over.
 *
 * @returns milliseconds of the longest turn, and of all
 */
export async function turnsOf(call: Promise<unknown>): Promise<{ longest: number; total: number }> {
  let isOver = false
  const over = (): void => void (isOver = true)
  call.then(over, over)
  const start = processorTime()
  let before = start
  let longest = 0
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = processorTime()
    longest = Math.max(longest, now - before)
    before = now
  }
  await call
  return { longest, total: before - start }
}

function processorTime(): number {
  // The kernel brings its count up to date when it is asked for the whole process; else it is as old as the last tick,
  // up to 4 ms.
  const { user, system } = process.cpuUsage()
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    return (user + system) / 1000
  }
}
