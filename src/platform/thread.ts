/** Reads what the kernel shows of threads. Synchronous calls of `node:fs` run on the thread that makes them. */
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { loadNative } from './addon.js'

/** Kernel thread ids are below this (`PID_MAX_LIMIT`). */
const MAX_ID = 2 ** 22

/** A thread as the kernel shows it. */
export interface Sight {
  /** The state, as in proc_pid_stat(5). */
  readonly state: string
  /** When the thread started, in clock ticks since the system was booted, modulo 2^32; not 0. */
  readonly startTime: number
  /** Processor time that the thread used in all, in milliseconds. */
  readonly ranMs: number
}

/** Returns the kernel's id of the calling thread; where that cannot be read, the id of its process. */
export function ownThreadId(): number {
  const id = loadNative()?.ownThreadId() ?? 0
  if (id > 0) return id
  if (process.platform !== 'linux') return process.pid % MAX_ID
  try {
    return Number(readlinkSync('/proc/thread-self').split('/')[2])
  } catch {
    return process.pid % MAX_ID
  }
}

/**
 * Returns the space in which thread ids of this process are valid: the number of its PID namespace, and in the upper
 * half the first 32 bits of the boot id, since other kernels number their namespaces alike. 0 if that cannot be read.
 */
export function ownNamespace(): bigint {
  if (process.platform !== 'linux') return 1n
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
    return (BigInt(`0x${boot}`) << 32n) | BigInt.asUintN(32, statSync('/proc/self/ns/pid', { bigint: true }).ino)
  } catch {
    return 0n
  }
}

/** Linux reports processor time to programs in hundredths of a second, independent of its own clock (times(2)). */
const TICK_MS = 10

/**
 * Reads fields 3, 14 and 15, and 22 of a thread's stat file. /proc/<id> exists for every thread, though only processes
 * are listed; but the times in its own stat file are those of the thread's whole process. Undefined if they cannot be
 * read.
 */
export function lookAtThread(id: number): Sight | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const text = readFileSync(`/proc/${id}/task/${id}/stat`, 'latin1')
    // Field 2, the name, may hold anything, but ends with the last parenthesis.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const startTime = Number(fields[19]) % 2 ** 32
    const ranMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS
    return startTime > 0 ? { state: fields[0], startTime, ranMs } : undefined
  } catch {
    return undefined
  }
}

/** Returns whether no thread or process has this id, not even one whose entry in /proc is hidden from this process. */
export function isUnusedId(id: number): boolean {
  try {
    process.kill(id, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
