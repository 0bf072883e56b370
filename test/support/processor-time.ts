import { readFileSync } from 'node:fs'

/**
 * Processor time that this thread has had, in milliseconds: what a test measures of which the subject is speed. Waits
 * and other processes do not count. Without a /proc it is the time of the whole process.
 */
export function processorTime(): number {
  // The kernel brings the thread's count up to date when it is asked for the process; else it is as old as the last
  // tick, up to 4 ms.
  const { user, system } = process.cpuUsage()
  const times = schedulingTimes()
  if (times !== undefined) return times[0]
  return (user + system) / 1000
}

/**
 * The time, less that for which this thread waited for a processor, in milliseconds. Cheaper than a `FairClock`, but it
 * goes on while other threads of the test wait for one.
 */
export function ownTime(): number {
  return performance.now() - (schedulingTimes()?.[1] ?? 0)
}

/** For how long this thread ran and for how long it waited for a processor, where the kernel tells. */
function schedulingTimes(): readonly number[] | undefined {
  try {
    const times = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')
    return times.map((time) => Number(time) / 1e6)
  } catch {
    return undefined
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
