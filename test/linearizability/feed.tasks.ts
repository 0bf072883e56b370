import { setImmediate as turn } from 'node:timers/promises'
import type { Shift } from '../support/crew.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import type { Operation } from './checker.js'
import type { FeedCall, ToldCall } from './feed-model.js'
import { CALLS, VALUE_STEP, disturb, type Extent, type Sightings } from './recorder.tasks.js'

/** Calls between two turns of the event loop, in which changes are told. */
const CALLS_PER_TURN = 6

/** What a worker saw of the feed. */
export interface Followed {
  readonly operations: Operation<FeedCall>[]
  readonly told: number
  readonly missed: number
}

/**
 * Makes random calls, stamped as {@link recordCalls} says, while it follows the changes of all keys. Each change that it is
 * told is an operation, and so is the read that follows at once. At the end, when all workers are done and it has been told
 * of that, what it was told last of each key is one, too.
 */
export async function recordWithChanges(shift: Shift<number>, clock: SharedMemory, extent: Extent): Promise<Followed> {
  const { map, worker, workers, random, rendezvous } = shift
  const { histories, calls, keys } = extent
  const stamps = new Int32Array(openMemory(clock))
  const operations: Operation<FeedCall>[] = []
  const record = (make: () => FeedCall): void => {
    const invoked = Atomics.add(stamps, 0, 1)
    const call = make()
    const returned = Atomics.add(stamps, 0, 1)
    operations.push({ worker, invoked, returned, call })
  }
  const last = new Map<number, ToldCall>()
  const ended = new Set<unknown>()
  let [told, missed] = [0, 0]
  const changes = map.changes()

  async function follow(): Promise<void> {
    while (ended.size < workers) {
      const { value: change } = await changes.next()
      if (change?.type === 'missed') {
        missed++
        last.clear()
        for (let i = 0; i < workers; i++) if (map.has(`end ${i}`)) ended.add(`end ${i}`)
        continue
      }
      if (change?.type !== 'set' && change?.type !== 'deleted') throw new Error(`told of ${String(change?.type)}`)
      const { key, type, version } = change
      if (typeof key === 'string' && key.startsWith('end ')) ended.add(key)
      if (typeof key !== 'number') continue
      told++
      last.set(key, { name: 'settled', key, type, version })
      record(() => ({ name: 'told', key, type, version }))
      record(() => ({ name: 'getEntry', key, result: map.getEntry(key) }))
    }
  }

  rendezvous() // all watch
  const following = follow()
  const sightings: Sightings = new Map()
  for (let i = 1; ; i++) {
    const history = Math.floor(Atomics.load(stamps, 0) / (2 * calls))
    if (history >= histories) break
    if (random.chance(0.1)) disturb(shift)
    const key = history * keys + random.below(keys)
    const value = (i * workers + worker + 1) * VALUE_STEP
    const make = random.pick(CALLS)
    record(() => make(map, key, value, random, sightings))
    if (i % CALLS_PER_TURN === 0) await turn()
  }
  map.set(`end ${worker}`, 0)
  await following
  await changes.return()
  for (const call of last.values()) record(() => call)
  return { operations, told, missed }
}
