import { isMainThread } from 'node:worker_threads'
import { findPlace } from '../../src/public/handle.js'
import type { Shift } from '../support/crew.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import { watchStores } from '../support/stores.js'
import { open, scenarios } from './steps.scenarios.js'

/** Words of the memory between a test and its victim: operations that returned, and whether the victim may be ended. */
export const DONE = 0
export const IS_DYING = 1
export const LEDGER_BYTES = 8

/**
 * Plays a scenario up to a store, or to its end. A process then kills itself, and a thread waits for `terminate()`.
 *
 * @param size number of entries at the beginning
 */
export function dieBeforeStore({ map }: Shift, memory: SharedMemory, name: string, store: number, size: number): void {
  const ledger = new Int32Array(openMemory(memory))
  const die = (): void => {
    Atomics.store(ledger, IS_DYING, 1)
    if (isMainThread) process.kill(process.pid, 'SIGKILL')
    for (;;) Atomics.wait(ledger, IS_DYING, 1)
  }
  let stores = -1
  const { region } = findPlace(map.handle)
  const count = (): void => {
    if (stores >= 0 && stores++ === store) die()
  }
  watchStores(region, count, () => {
    const victim = open(map.handle, 'typescript')
    stores = 0
    for (const { run } of scenarios[name].operations(size)) {
      run(victim)
      Atomics.add(ledger, DONE, 1)
    }
    die()
  })
}
