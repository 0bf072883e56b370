import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ConcurrentMap, type EngineChoice } from 'mapsafe'
import { mapBytes } from '../contenders/mapsafe.js'

/** Kinds of containers in which a thread keeps its entries. */
export type HolderName = 'nothing' | 'Map' | 'mapsafe' | 'mapsafe, TypeScript'

/** A map that is written to only. */
export interface Holder {
  set(key: string, value: unknown): unknown
  get(key: string): unknown
  /** Bytes that all of it takes beside the JavaScript heap. */
  readonly sharedBytes: () => number
  readonly close: () => void
}

/** @param valueBytes of the values that will be stored, so that the map is large enough */
export function openHolder(name: HolderName, size: number, valueBytes: number): Holder {
  switch (name) {
    case 'nothing':
      return { set: () => undefined, get: () => undefined, sharedBytes: () => 0, close: () => undefined }
    case 'Map': {
      const map = new Map<string, unknown>()
      return {
        set: (key, value) => map.set(key, value),
        get: (key) => map.get(key),
        sharedBytes: () => 0,
        close: () => map.clear(),
      }
    }
    case 'mapsafe':
      return openMap('native', size, valueBytes)
    case 'mapsafe, TypeScript':
      return openMap('typescript', size, valueBytes)
  }
}

function openMap(engine: EngineChoice, size: number, valueBytes: number): Holder {
  const map = new ConcurrentMap<string, unknown>({ engine, nearCache: false, maxBytes: mapBytes(size, valueBytes) })
  return {
    set: (key, value) => map.set(key, value),
    get: (key) => map.get(key),
    sharedBytes: () => map.stats().bytesInUse,
    close: () => map.close(),
  }
}

setFlagsFromString('--expose-gc')
/** A full garbage collection of this thread's heap, now. */
export const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of this thread's JavaScript heap that a full garbage collection leaves. */
export function retainedHeap(): number {
  collectGarbage()
  return getHeapStatistics().used_heap_size
}
