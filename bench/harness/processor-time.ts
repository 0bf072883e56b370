import { readFileSync } from 'node:fs'

/** What `run` takes of this thread's processor time, in milliseconds; without a /proc, of the whole process's. */
export function processorTimeOf(run: () => void): number {
  const before = processorTime()
  run()
  return processorTime() - before
}

function processorTime(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}
