import { readdirSync, readFileSync } from 'node:fs'

/** Processor time that a thread had, and time for which it waited for a processor, in milliseconds. */
interface Scheduling {
  readonly ran: number
  readonly waited: number
}

/** What the clock counts where the kernel does not tell who waits: a tenth, as with twenty busy processes on 2 cores. */
const UNKNOWN_SHARE = 0.1

/**
 * A clock that stands still while this process, and the processes that it started, wait for a processor. What takes 2
 * seconds on a quiet machine takes 2 seconds by this clock on a busy one, whether it computes, sleeps or waits for
 * another thread of the test. Limits of tests are measured by it.
 *
 * The kernel counts for each thread how long it ran and how long it was kept waiting (/proc/PID/task/TID/schedstat;
 * Linux's Documentation/scheduler/sched-stats.rst). Several threads that wait at once hold up the whole for as long as
 * they would on a machine of their own: an interval in which all of them ran for r and waited for w, and which took t,
 * counts as t - w, or if r + w > t, as t r / (r + w). Threads that came or went in an interval do not count in it, so
 * ask now and then.
 */
export class FairClock {
  #time = 0
  #began = performance.now()
  #threads = threadsOfTree()

  /** Milliseconds since the clock was made. Some milliseconds of work where there are many threads. */
  now(): number {
    const [began, threads] = [performance.now(), threadsOfTree()]
    const took = began - this.#began
    if (threads.size === 0) {
      this.#time += took * UNKNOWN_SHARE
    } else {
      let [ran, waited] = [0, 0]
      for (const [thread, now] of threads) {
        const before = this.#threads.get(thread)
        if (before === undefined) continue
        ran += now.ran - before.ran
        waited += now.waited - before.waited
      }
      // A thread that is kept waiting now is counted when it runs again, maybe for more than this interval.
      this.#time += Math.max(0, took - waited * Math.min(1, took / (ran + waited || 1)))
    }
    this.#began = began
    this.#threads = threads
    return this.#time
  }
}

/** Every thread of this process and of its descendants, where there is a /proc. */
function threadsOfTree(): Map<string, Scheduling> {
  const threads = new Map<string, Scheduling>()
  for (const pid of tree()) {
    for (const tid of list(`/proc/${pid}/task`)) {
      const times = read(`/proc/${pid}/task/${tid}/schedstat`).split(' ').map(Number)
      if (times.length > 1) threads.set(tid, { ran: times[0] / 1e6, waited: times[1] / 1e6 })
    }
  }
  return threads
}

/** This process and its descendants, itself first. */
export function tree(): Set<number> {
  const parents = new Map<number, number>()
  for (const name of list('/proc')) {
    // "pid (command) state parent ...", where the command may contain anything.
    const stat = /^\d/.test(name) ? read(`/proc/${name}/stat`) : ''
    if (stat !== '') parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]))
  }
  const found = new Set([process.pid])
  for (let size = 0; size < found.size;) {
    size = found.size
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid)
  }
  return found
}

/** What has ended meanwhile has no threads and no text. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
