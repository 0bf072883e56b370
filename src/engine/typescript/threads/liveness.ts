/**
 * Finds out whether the thread that has a record still lives. A dying thread stores nothing, so each thread gives
 * others a way to see its death, and its name in the record says which. See docs/internals/protocol.md, "Death".
 */
import { THREAD_ABANDONED, THREAD_STATE } from '../../../format/layout.js'
import { threadRecordAt, nameOf, namespaceOf } from '../../../format/thread-record.js'
import {
  idOf,
  LIFE_DEAD,
  LIFE_ELSEWHERE,
  LIFE_UNKNOWN,
  makeKernelId,
  PROOF_HOOK,
  PROOF_KERNEL,
  PROOF_LOCK,
  PROOF_NONE,
  proofOf,
  startTimeOf,
  type KernelId,
  lifeShownBy,
} from '../../../format/thread-name.js'
import { loadNative, type RecordLocks } from '../../../platform/addon.js'
import { isSharedArrayBuffer } from '../../../platform/brands.js'
import { isUnusedId, lookAtThread, ownNamespace, ownThreadId } from '../../../platform/thread.js'

/** Locks by this thread's buffer of a region's memory. */
const locks = new WeakMap<ArrayBufferLike, RecordLocks>()

/** Returns the locks of the file that a region is in; undefined if the region is the memory of one process. */
export function locksOf({ buffer }: Int32Array): RecordLocks | undefined {
  const known = locks.get(buffer)
  if (known !== undefined || isSharedArrayBuffer(buffer)) return known
  const opened = loadNative()?.openRecordLocks(buffer) ?? undefined
  if (opened !== undefined) locks.set(buffer, opened)
  return opened
}

/** Returns the calling thread's name in a region. Some system calls. */
export function ownKernelId(words: Int32Array): KernelId {
  const id = ownThreadId()
  const startTime = lookAtThread(id)?.startTime ?? 0
  return makeKernelId(id, ownProof(words, startTime), startTime)
}

function ownProof(words: Int32Array, startTime: number): number {
  const file = locksOf(words)
  if (file !== undefined) return file.areSupported() ? PROOF_LOCK : PROOF_KERNEL
  if (loadNative() !== undefined) return PROOF_HOOK
  return startTime > 0 ? PROOF_KERNEL : PROOF_NONE
}

/** Returns whether the owner of record `index`, which is taken, has certainly ended. One or more system calls. */
export function isDead(words: Int32Array, index: number): boolean {
  const name = nameOf(words, index)
  switch (proofOf(name)) {
    case PROOF_LOCK:
      return locksOf(words)?.isLocked(index) === false
    case PROOF_HOOK:
      return isAbandoned(words, index)
    case PROOF_KERNEL:
      return isAbandoned(words, index) || (isOfOwnNamespace(words, index) && lookAt(name) === LIFE_DEAD)
    default:
      return false
  }
}

/** Returns the state of the owner of record `index`, which is taken, as far as this thread can see: one of LIFE_*. */
export function lifeOf(words: Int32Array, index: number): number {
  if (isDead(words, index)) return LIFE_DEAD
  const name = nameOf(words, index)
  if (isOfOwnNamespace(words, index)) {
    const life = lookAt(name)
    // Only a thread whose death is proved counts as dead.
    return life === LIFE_DEAD ? LIFE_UNKNOWN : life
  }
  const isElsewhere =
    proofOf(name) === PROOF_LOCK &&
    locksOf(words)?.areSupported() === true &&
    namespaceOf(words, index) !== 0n &&
    ownNamespace() !== 0n
  return isElsewhere ? LIFE_ELSEWHERE : LIFE_UNKNOWN
}

/** The present activity of a thread. */
export interface Activity {
  readonly isStopped: boolean
  /** Whether the thread runs, or waits for a processor. */
  readonly isRunnable: boolean
  /** Processor time that the thread used in all, in milliseconds. */
  readonly ranMs: number
}

/**
 * Returns the activity of the owner of record `index`, which is taken. Undefined if it is dead, or its activity is
 * unknown: it is of another PID namespace, or the system is not Linux. Some system calls.
 */
export function activityOf(words: Int32Array, index: number): Activity | undefined {
  if (isDead(words, index) || !isOfOwnNamespace(words, index)) return undefined
  const name = nameOf(words, index)
  const sight = lookAtThread(idOf(name))
  if (sight?.startTime !== startTimeOf(name) || 'ZX'.includes(sight.state)) return undefined
  const { state, ranMs } = sight
  return { isStopped: state === 'T' || state === 't', isRunnable: state === 'R', ranMs }
}

/**
 * Returns whether a thread of this process, given by the name it left in a region of this process, has certainly ended.
 */
export function isGone(name: KernelId): boolean {
  return proofOf(name) === PROOF_KERNEL && lookAt(name) === LIFE_DEAD
}

function isAbandoned(words: Int32Array, index: number): boolean {
  return Atomics.load(words, threadRecordAt(index) + THREAD_STATE) === THREAD_ABANDONED
}

function isOfOwnNamespace(words: Int32Array, index: number): boolean {
  const own = ownNamespace()
  return own !== 0n && namespaceOf(words, index) === own
}

/** Returns the state of the thread with a name of this namespace, as the kernel shows it. */
function lookAt(name: KernelId): number {
  const id = idOf(name)
  return lifeShownBy(name, lookAtThread(id), () => isUnusedId(id))
}
