import { ConcurrentMap, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import type { Shift } from '../support/crew.js'
import { openMemory, sleepWhile, type SharedMemory } from '../support/shared-memory.js'

/**
 * Words of the memory between the test and the holder: the holder's process id, once it holds; and whether to let go.
 */
export const HOLDER = 0
export const LET_GO = 1

/** Holds a key in the middle of an `update`, so to speak, until it is told to let go. */
export function holdUntilTold({ map }: Shift, memory: SharedMemory, key: Key): void {
  const words = new Int32Array(openMemory(memory))
  const store = storeOf(map)
  store.hold(key)
  Atomics.store(words, HOLDER, process.pid)
  while (Atomics.load(words, LET_GO) === 0) sleepWhile(words, LET_GO, 0)
  store.letGo()
}

/** Opens the map until no record is left, and tells how many it opened; then waits for its end. */
export function takeRecords({ map }: Shift, memory: SharedMemory): void {
  const words = new Int32Array(openMemory(memory))
  const maps: ConcurrentMap<Key, unknown>[] = []
  try {
    for (;;) maps.push(ConcurrentMap.attach(map.handle))
  } catch {
    Atomics.store(words, HOLDER, maps.length)
  }
  for (;;) sleepWhile(words, LET_GO, 0)
}
