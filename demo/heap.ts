import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of this thread's JavaScript heap that a full garbage collection leaves. */
export function retainedHeap(): number {
  collectGarbage()
  return getHeapStatistics().used_heap_size
}
