import { storeOf } from '../../src/public/concurrent-map.js'
import { locksOf } from '../../src/engine/typescript/threads/liveness.js'
import type { Shift } from '../support/crew.js'
import { openMemory, sleepWhile, type SharedMemory } from '../support/shared-memory.js'

/** Words of the memory between the test and a holder: the holder's process id, once it holds; and whether to let go. */
export const HOLDER = 0
export const LET_GO = 1

/** What the two holders have: a key, as in the middle of an `update`, and the right to take over from the dead. */
export function holdUntilTold({ map, worker }: Shift, memories: readonly SharedMemory[]): void {
  const words = new Int32Array(openMemory(memories[worker]))
  const store = storeOf(map)
  const locks = locksOf(store.open().words)
  if (worker === 0) store.hold('key')
  else while (locks?.tryLockTakeover() !== true);
  Atomics.store(words, HOLDER, process.pid)
  while (Atomics.load(words, LET_GO) === 0) sleepWhile(words, LET_GO, 0)
  if (worker === 0) store.letGo()
  else locks?.unlockTakeover()
}
