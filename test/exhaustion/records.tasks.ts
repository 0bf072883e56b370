import { ConcurrentMap, MapsafeError, type MapHandle } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

/** How many map objects one worker got, and with what the next one was refused. */
export interface Taken {
  readonly opened: number
  readonly refusal: string | undefined
  /** What worker 0 missed meanwhile. */
  readonly faults: readonly string[]
}

/**
 * Worker 0 works on, while all others together take every thread record that is left; then all close, and it goes on.
 */
export function takeTheRecords(shift: Shift<number>, handle: MapHandle): Taken {
  const { map, worker, rendezvous } = shift
  const others: ConcurrentMap<string, number>[] = []
  let refusal: string | undefined
  const faults: string[] = []
  const work = (): void => {
    for (let i = 0; i < 200; i++) {
      const before = map.get('count') ?? 0
      if (map.increment('count') !== before + 1) faults.push(`count is not ${before + 1}`)
      map.set(`key ${i}`, i)
      if (map.get(`key ${i}`) !== i) faults.push(`key ${i} is ${map.get(`key ${i}`)}`)
      map.delete(`key ${i}`)
    }
  }
  if (worker === 0) work()
  while (worker !== 0 && refusal === undefined) {
    try {
      others.push(ConcurrentMap.attach(handle, { engine: others.length % 2 === 0 ? 'native' : 'typescript' }))
    } catch (error) {
      refusal = error instanceof MapsafeError ? error.code : String(error)
    }
  }
  rendezvous()
  if (worker === 0) work()
  // Those who have a record are not concerned either.
  for (const [i, other] of others.entries()) {
    other.set(`other ${worker} ${i}`, i)
    if (other.take(`other ${worker} ${i}`) !== i) faults.push(`other ${worker} ${i} is lost`)
  }
  rendezvous()
  for (const other of others) other.close()
  rendezvous()
  if (worker === 0) work()
  return { opened: others.length, refusal, faults }
}
