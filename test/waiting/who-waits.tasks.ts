import { MapsafeError } from '../../src/index.js'
import { threadId } from 'node:worker_threads'
import type { Shift } from '../support/crew.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import { KEY, LET_GO } from './stopped-owner.tasks.js'

export { holdUntilTold } from './stopped-owner.tasks.js'

/** Writes again and again, and bears that the lock it needs is not to be had, until it is told to end. */
export function writeUntilTold({ map }: Shift, memory: SharedMemory, bytes: number): { threadId: number } {
  const told = new Int32Array(openMemory(memory))
  for (let i = 0; Atomics.load(told, LET_GO) === 0; i++) {
    try {
      map.set(KEY, 'x'.repeat(bytes + (i % 2)))
    } catch (error) {
      if (!(error instanceof MapsafeError) || error.code !== 'ERR_MAPSAFE_TIMEOUT') throw error
    }
  }
  map.set(KEY, 'done')
  return { threadId }
}
