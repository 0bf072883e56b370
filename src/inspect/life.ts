import { THREAD_ABANDONED, THREAD_STATE } from '../format/layout.js'
import {
  idOf,
  LIFE_DEAD,
  LIFE_ELSEWHERE,
  LIFE_UNKNOWN,
  lifeShownBy,
  PROOF_HOOK,
  PROOF_KERNEL,
  PROOF_LOCK,
  proofOf,
} from '../format/thread-name.js'
import { nameOf, namespaceOf, threadRecordAt } from '../format/thread-record.js'
import { isUnusedId, lookAtThread, ownNamespace } from '../platform/thread.js'

/**
 * Returns the state of the owner of record `index`, which is taken, as seen from outside the region: one of LIFE_*. The
 * answer is that of the engines, except for threads whose locks cannot be read, since the bytes are a copy: for them it
 * is what the kernel shows, if they are of this PID namespace and start of the system.
 * @param isLocked returns whether a thread has the record's lock; undefined where that cannot be found out
 */
export function lifeSeen(words: Int32Array, index: number, isLocked: (index: number) => boolean | undefined): number {
  const name = nameOf(words, index)
  const proof = proofOf(name)
  const isAbandoned = Atomics.load(words, threadRecordAt(index) + THREAD_STATE) === THREAD_ABANDONED
  if (isAbandoned && (proof === PROOF_HOOK || proof === PROOF_KERNEL)) return LIFE_DEAD
  const lock = proof === PROOF_LOCK ? isLocked(index) : undefined
  if (lock === false) return LIFE_DEAD
  const own = ownNamespace()
  const namespace = namespaceOf(words, index)
  if (own !== 0n && namespace === own) {
    const id = idOf(name)
    const life = lifeShownBy(name, lookAtThread(id), () => isUnusedId(id))
    // A thread that has its lock, or whose mark may yet come, has not proved its death.
    return life === LIFE_DEAD && (lock === true || proof === PROOF_HOOK) ? LIFE_UNKNOWN : life
  }
  return lock === true && namespace !== 0n && own !== 0n ? LIFE_ELSEWHERE : LIFE_UNKNOWN
}
