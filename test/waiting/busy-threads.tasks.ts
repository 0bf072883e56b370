import { ConcurrentCache, type Key } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

/** Keys that all workers write. */
export const HOT_KEYS = 8
const OWN_KEYS = 300

export interface Outcome {
  readonly calls: number
  readonly timeouts: readonly string[]
}

/** Makes `calls` calls of many kinds, some of which everybody makes about the same few keys. */
export function call({ map, worker, random }: Shift, calls: number): Outcome {
  const timeouts: string[] = []
  for (let i = 0; i < calls; i++) {
    const key = random.chance(0.3) ? `hot ${random.below(HOT_KEYS)}` : `${worker} ${random.below(OWN_KEYS)}`
    try {
      callOnce(map, key, random.next(), i)
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (code !== 'ERR_MAPSAFE_TIMEOUT') throw error
      timeouts.push(message)
    }
  }
  return { calls, timeouts }
}

function callOnce(map: Shift['map'], key: Key, choice: number, i: number): void {
  if (choice < 0.4) map.set(key, 'x'.repeat(20 + (i % 400)))
  else if (choice < 0.5) map.increment(`count ${i % HOT_KEYS}`)
  else if (choice < 0.6) map.update(key, () => i)
  else if (choice < 0.7) map.delete(key)
  else if (choice < 0.72) map.set(key, 'y'.repeat(6000))
  else if (choice < 0.721) map.deleteMany(Array.from({ length: 20 }, (_, at) => `${i % 64} ${at}`))
  else if (choice < 0.7215) map.snapshot()
  else if (choice < 0.8 && map instanceof ConcurrentCache) map.set(key, i, { ttl: 600_000 })
  else map.get(key)
}
