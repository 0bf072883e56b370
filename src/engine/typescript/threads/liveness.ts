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

/**
 * Fields 3 and 22 of a thread's stat file (proc_pid_stat(5)). /proc/<id> exists for every thread, though only processes
 * are listed.
 */
function readStat(id: number): { readonly state: string; readonly startTime: number } | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1')
    // Field 2, the name, may hold anything, but ends with the last parenthesis.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], startTime: Number(fields[19]) % 2 ** 32 }
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
