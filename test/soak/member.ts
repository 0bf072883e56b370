// A thread of a soak: works on all maps until it is told to pause or to end, or is ended.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { Random } from '../support/random.js'
import { openMemory } from '../support/shared-memory.js'
import { CacheWork } from './cache-work.js'
import { DETACH, END, Ledger, WORK } from './ledger.js'
import { LoadWork } from './load-work.js'
import { MapWork } from './map-work.js'
import { OptionWork } from './option-work.js'
import type { Post } from './plan.js'
import { Watch } from './watch.js'

/** Between two looks at the clock and at what the conductor wants; promises go on in between. */
const SLICE_MS = 10
const LOOK_MS = 5
const REATTACHMENTS = 0.002

const { post } = workerData as { post: Post }
const ledger = new Ledger(openMemory(post.places.ledger), post.slots)
ledger.takeOver(post.slot)
const random = new Random(post.seed).fork(post.slot).fork(ledger.incarnation[post.slot])
const watch = new Watch(post, ledger, random)
const { map, loads, options, work } = openAll()

for (let phase = ledger.phase; phase !== END; phase = ledger.phase) {
  if (phase !== WORK) {
    await pause(phase)
    continue
  }
  for (const end = performance.now() + SLICE_MS; performance.now() < end;) {
    if (random.chance(0.7)) map.act()
    else random.pick(work).act()
  }
  if (random.chance(REATTACHMENTS)) await reattach()
  await nextTurn()
}
await settle()
for (const one of work) one.close()

interface Works {
  readonly map: MapWork
  readonly loads: LoadWork
  readonly options: OptionWork
  readonly work: readonly (MapWork | CacheWork | LoadWork | OptionWork)[]
}

/** Waits for all loads. */
async function settle(): Promise<void> {
  await loads.settle()
  await options.settle()
}

function openAll(): Works {
  const { places, engine } = post
  // Only for their handles: the work attaches by itself, again and again.
  using first = new ConcurrentMap({ file: places.map, engine })
  using second = new ConcurrentCache({ file: places.cache, engine })
  using bounded = new ConcurrentCache({ file: places.bounded, engine })
  using third = new ConcurrentCache({ file: places.loads, engine })
  const map = new MapWork(watch, first.handle)
  const loads = new LoadWork(watch, third.handle)
  const caches = [new CacheWork(watch, second.handle, false), new CacheWork(watch, bounded.handle, true)]
  const options = new OptionWork(watch, third.handle)
  const work = [map, ...caches, loads, options]
  for (const one of work) one.open()
  map.takeOver()
  return { map, loads, options, work }
}

/** With the other near-cache, by chance. */
async function reattach(): Promise<void> {
  await settle()
  watch.call('attach', 'all', () => {
    for (const one of work) {
      one.close()
      one.open()
    }
  })
}

async function pause(phase: number): Promise<void> {
  await settle()
  if (phase === DETACH) for (const one of work) one.close()
  Atomics.store(ledger.reached, post.slot, phase)
  while (ledger.phase === phase) await sleep(LOOK_MS)
  if (phase === DETACH) for (const one of work) one.open()
  Atomics.store(ledger.reached, post.slot, WORK)
}
