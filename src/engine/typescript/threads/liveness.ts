/** Whether a thread, of this process or another, still lives: asked of the kernel, since the dead leave no word. */
import { readFileSync, readlinkSync, statSync } from 'node:fs'

/**
 * What names a thread for as long as the machine runs. Linux: bits 0..21 the kernel's thread id, which is below 2^22;
 * bits 22..31 the low bits of its PID namespace, because ids of another namespace mean nothing here; bits 32..63 its
 * start time in clock ticks, because ids are used again. Elsewhere the process id stands for all its threads. Never 0.
 */
export type KernelId = bigint

export const LIFE_UNKNOWN = 0
export const LIFE_RUNNING = 1
export const LIFE_STOPPED = 2
export const LIFE_DEAD = 3

const ID_BITS = 22
const ID_MASK = 2 ** ID_BITS - 1

/** What a thread is doing just now. */
export interface Activity {
  /** Whether it runs, or waits for a processor. */
  readonly isRunnable: boolean
  /** Processor time that it used in all. */
  readonly ranMs: number
}

/** The calling thread's. Some system calls. */
export function ownKernelId(): KernelId {
  const id = ownThreadId()
  return (BigInt(readStat(id)?.startTime ?? 0) << 32n) | BigInt(namespaceBits() + id)
}

/**
 * LIFE_DEAD only if the thread certainly runs no more; LIFE_UNKNOWN if it cannot be told from here. Some system calls.
 */
export function lifeOf(kernelId: KernelId): number {
  const low = Number(kernelId & 0xffffffffn)
  const id = low & ID_MASK
  if (low - id !== namespaceBits()) return LIFE_UNKNOWN
  const stat = readStat(id)
  if (stat === undefined) return isGone(id) ? LIFE_DEAD : LIFE_UNKNOWN
  if (stat.startTime !== Number(kernelId >> 32n)) return LIFE_DEAD
  switch (stat.state) {
    case 'Z':
    case 'X':
      return LIFE_DEAD
    case 'T':
    case 't':
      return LIFE_STOPPED
    default:
      return LIFE_RUNNING
  }
}

/** Undefined if it is not known: the thread may be dead, or this is no Linux. Some system calls. */
export function activityOf(kernelId: KernelId): Activity | undefined {
  const low = Number(kernelId & 0xffffffffn)
  const id = low & ID_MASK
  if (low - id !== namespaceBits()) return undefined
  const stat = readStat(id)
  if (stat?.startTime !== Number(kernelId >> 32n) || stat.state === 'Z' || stat.state === 'X') return undefined
  return { isRunnable: stat.state === 'R', ranMs: stat.ranMs }
}

/** Synchronous calls of `node:fs` run on the thread that makes them, so the kernel answers about this one. */
function ownThreadId(): number {
  if (process.platform !== 'linux') return process.pid & ID_MASK
  try {
    return Number(readlinkSync('/proc/thread-self').split('/')[2])
  } catch {
    return process.pid & ID_MASK
  }
}

function namespaceBits(): number {
  if (process.platform !== 'linux') return 0
  try {
    return (statSync('/proc/self/ns/pid').ino % 1024) * 2 ** ID_BITS
  } catch {
    return 0
  }
}

/** Linux counts processor time for programs in hundredths of a second, whatever its own clock does (times(2)). */
const TICK_MS = 10

/**
 * Fields 3, 14 and 15, and 22 of a thread's stat file (proc_pid_stat(5)). /proc/<id> exists for every thread, though only processes
 * are listed.
 */
function readStat(
  id: number,
): { readonly state: string; readonly ranMs: number; readonly startTime: number } | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1')
    // Field 2, the name, may hold anything, but ends with the last parenthesis.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { state: fields[0], ranMs: ticks * TICK_MS, startTime: Number(fields[19]) % 2 ** 32 }
  } catch {
    return undefined
  }
}

/** Whether nothing has this id: neither thread nor process, nor one whose entry in /proc is hidden from us. */
function isGone(id: number): boolean {
  try {
    process.kill(id, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
