import { readFileSync } from 'node:fs'

/**
 * Processor time that this thread has had, in milliseconds: what a test measures of which the subject is speed. Waits
 * and other processes do not count. Without a /proc it is the time of the whole process.
 */
export function processorTime(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

/** What `run` takes of this thread's processor time, in milliseconds. */
export function processorTimeOf(run: () => void): number {
  const before = processorTime()
  run()
  return processorTime() - before
}

/** Repeats `round` until it has had `budget` milliseconds of processor time, and `least` times. @returns how often */
export function repeatFor(budget: number, least: number, round: (index: number) => void): number {
  const end = processorTime() + budget
  let index = 0
  while (index < least || processorTime() < end) round(index++)
  return index
}
