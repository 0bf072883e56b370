import { REGISTRY_THREADS, THREAD_HAS_EXCESS, THREAD_KERNEL_ID, THREAD_OWED } from '../../../format/layout.js'
import { pairsOf, type Region } from '../../../format/region.js'
import { threadRecordAt } from '../../../format/thread-record.js'
import { ThreadRecord } from '../threads/thread-record.js'
import type { WaitBudget } from '../threads/wait-budget.js'
import { FreeLists } from './free-lists.js'

/**
 * Gives back to the heap what threads could not give back before they ended: it stays with their records, and would come
 * back only with the records' next owners, of which there may be none. Returns whether a record had something, and has nothing now.
 * O(records), and what they keep. For a thread that finds no room, and holds no mutex of the heap. Hardly waits.
 */
export function giveBackLeftovers(region: Region, budget: WaitBudget): boolean {
  let any = false
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const at = threadRecordAt(index)
    if (!keepsMemory(region.words, at) || !isFree(region.words, at)) continue
    // Taken meanwhile, so that no thread attaches with it and uses the lists. If this thread dies, it is freed like the
    // thread's own.
    const record = ThreadRecord.borrow(region.words, index)
    if (record === undefined) continue
    giveBackAll(region, record, budget)
    any ||= !keepsMemory(region.words, at)
    record.return()
  }
  return any
}

function keepsMemory(words: Int32Array, record: number): boolean {
  return (Atomics.load(words, record + THREAD_OWED) | Atomics.load(words, record + THREAD_HAS_EXCESS)) !== 0
}

function isFree(words: Int32Array, record: number): boolean {
  return Atomics.load(pairsOf(words), (record + THREAD_KERNEL_ID) / 2) === 0n
}

/** Each hold of the mutex gives a part. */
function giveBackAll(region: Region, record: ThreadRecord, budget: WaitBudget): void {
  const { words } = region
  const lists = new FreeLists(region, record, budget)
  lists.flush()
  for (let owed = words[record.owed]; owed !== 0;) {
    lists.giveOwed()
    const left = words[record.owed]
    if (left === owed) return
    owed = left
  }
}
