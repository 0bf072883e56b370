import { readFileSync } from 'node:fs'

/** This thread's processor time for `run`, in milliseconds; without a /proc, the whole process's. */
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
