/** What names a thread in its record, and what may become of it. See docs/internals/format.md, "Thread registry". */

/**
 * What names a thread. Bits 0..21 the kernel's thread id; on systems without one the process id. Bits 22 and 23 how
 * others see that it has died, one of PROOF_*. Bits 32..63 its start time in clock ticks, because ids are used again; 0
 * if it could not be read. Never 0.
 */
export type KernelId = bigint

/** Not at all. */
export const PROOF_NONE = 0
/** Nobody has the record's lock: the region is in a file. */
export const PROOF_LOCK = 1
/** What runs after its last step closes the engine, or marks the record: all are threads of one process. */
export const PROOF_HOOK = 2
/** The kernel knows no such thread. */
export const PROOF_KERNEL = 3

export const LIFE_UNKNOWN = 0
export const LIFE_RUNNING = 1
export const LIFE_STOPPED = 2
export const LIFE_DEAD = 3
/** Lives, in another PID namespace, whose threads cannot be looked at. */
export const LIFE_ELSEWHERE = 4

const ID_BITS = 22
const ID_MASK = 2 ** ID_BITS - 1

export function makeKernelId(id: number, proof: number, startTime: number): KernelId {
  return (BigInt(startTime) << 32n) | BigInt((id & ID_MASK) + proof * 2 ** ID_BITS)
}

export function proofOf(name: KernelId): number {
  return Number(name >> BigInt(ID_BITS)) & 3
}

export function idOf(name: KernelId): number {
  return Number(name & 0xffffffffn) & ID_MASK
}

/** 0 if it is not known. */
export function startTimeOf(name: KernelId): number {
  return Number(name >> 32n)
}

/**
 * What became of the thread with a name of this PID namespace: one of LIFE_*.
 *
 * @param sight what the kernel shows of the thread that has the name's id; undefined if nothing
 * @param isUnused whether certainly no thread has that id
 */
export function lifeShownBy(
  name: KernelId,
  sight: { readonly state: string; readonly startTime: number } | undefined,
  isUnused: () => boolean,
): number {
  if (sight === undefined) return isUnused() ? LIFE_DEAD : LIFE_UNKNOWN
  // What could not be read when the name was made cannot be compared.
  if (startTimeOf(name) === 0) return LIFE_UNKNOWN
  if (sight.startTime !== startTimeOf(name) || 'ZX'.includes(sight.state)) return LIFE_DEAD
  return 'Tt'.includes(sight.state) ? LIFE_STOPPED : LIFE_RUNNING
}
