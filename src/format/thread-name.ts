/** The name of a thread in its record, and its possible states. See docs/internals/format.md, "Thread registry". */

/**
 * The name of a thread. Bits 0..21: the kernel's thread id; on systems without one the process id. Bits 22 and 23: how
 * others see that it has died, one of PROOF_*. Bits 32..63: its start time in clock ticks, because ids are used again;
 * 0 if it could not be read. A name is never 0.
 */
export type KernelId = bigint

/** Others cannot see its death. */
export const PROOF_NONE = 0
/** Death shows in the record's lock, which is free then: the region is in a file. */
export const PROOF_LOCK = 1
/**
 * Code that runs after the thread's last step closes the engine, or marks the record: all are threads of one process.
 */
export const PROOF_HOOK = 2
/** Death shows in the kernel, which then knows no such thread. */
export const PROOF_KERNEL = 3

export const LIFE_UNKNOWN = 0
export const LIFE_RUNNING = 1
export const LIFE_STOPPED = 2
export const LIFE_DEAD = 3
/** The thread lives in another PID namespace, whose threads cannot be looked at. */
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

/** Returns the start time in a name; 0 if it is unknown. */
export function startTimeOf(name: KernelId): number {
  return Number(name >> 32n)
}

/**
 * Returns the state of the thread with a name of this PID namespace: one of LIFE_*.
 * @param sight the thread that has the name's id, as the kernel shows it; undefined if it shows nothing
 * @param isUnused whether certainly no thread has that id
 */
export function lifeShownBy(
  name: KernelId,
  sight: { readonly state: string; readonly startTime: number } | undefined,
  isUnused: () => boolean,
): number {
  if (sight === undefined) return isUnused() ? LIFE_DEAD : LIFE_UNKNOWN
  // A start time that could not be read when the name was made cannot be compared.
  if (startTimeOf(name) === 0) return LIFE_UNKNOWN
  if (sight.startTime !== startTimeOf(name) || 'ZX'.includes(sight.state)) return LIFE_DEAD
  return 'Tt'.includes(sight.state) ? LIFE_STOPPED : LIFE_RUNNING
}
