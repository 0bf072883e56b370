import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { partitionsOf } from '../../src/format/eviction-area.js'
import { EvictionQueues, NO_ENTRIES } from '../../src/engine/typescript/eviction/queues.js'
import { Region } from '../../src/format/region.js'
import { markOf } from '../../src/format/thread-record.js'
import {
  BLOCK_WORDS,
  NODE_NEXT,
  NODE_PREVIOUS,
  PARTITION_COLD,
  PARTITION_FREE_NODES,
  PARTITION_GHOST_COUNTS,
  PARTITION_MAIN,
  PARTITION_MUTEX,
  PARTITION_NODES,
  QUEUE_NEWEST,
  QUEUE_OLDEST,
  QUEUE_SIZE,
} from '../../src/format/layout.js'
import { Barrier } from '../support/barrier.js'
import type { Order } from '../support/crew.js'
import { startThread, type Member } from '../support/member.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { until } from '../support/patience.js'
import { openMemory } from '../support/shared-memory.js'
import { expectSound } from '../support/sound.js'
import { faultOf } from '../support/telling-value.js'
import { INSERTED } from './eviction.tasks.js'
import { faults, killVictim, startVictim } from './trial.js'

const VICTIMS = 3
/** One partition: whoever dies in it is in everybody's way. */
const MAX_ENTRIES = 200
const KEYS = 1000
/** A victim dies at a random instant of this time after all were seen at work. */
const LIFE_MS = 20
const tasks = new URL('eviction.tasks.ts', import.meta.url).href

describe.each(faults)('%s while a bounded cache is filled', (fault) => {
  test.each(lineups)('leaves a cache that others go on to fill, within its bound ($name)', async (lineup) => {
    using scratch = new Scratch()
    const isProcess = fault !== 'terminate'
    const file = isProcess ? scratch.file() : undefined
    using cache = new ConcurrentCache<number, unknown>({
      ...{ maxBytes: 8 * 2 ** 20, maxEntries: MAX_ENTRIES, engine: lineup.engineOf(0), file },
    })
    const memory = isProcess ? scratch.memory(4) : new SharedArrayBuffer(4)
    const barrier = isProcess ? scratch.memory(Barrier.BYTES) : new SharedArrayBuffer(Barrier.BYTES)
    const ledger = new Int32Array(openMemory(memory))
    const random = new Random(seed)
    const answers: unknown[] = []
    const bear = (victim: number): Member => {
      const member = startVictim(fault, tasks)
      const order: Order = {
        ...{ task: 'fillUntilDeath', parameters: [memory, KEYS], handle: cache.handle },
        attach: { ...lineup.attach, engine: lineup.engineOf(victim + 1) },
        ...{ worker: 0, workers: 1, seed: seed + victim, run: 0, barrier },
      }
      member.events.on('message', (answer) => answers.push(answer))
      member.send(order)
      return member
    }
    const victims = Array.from({ length: VICTIMS }, (_, victim) => bear(victim))
    for (let death = 0; death < scaled(8); death++) {
      const inserted = Atomics.load(ledger, INSERTED)
      const done = (): number => Atomics.load(ledger, INSERTED)
      await until('the victims had inserted', () => done() >= inserted + 100, done)
      await sleep(random.next() * LIFE_MS)
      await killVictim(victims[death % VICTIMS])
      // Would throw ERR_MAPSAFE_TIMEOUT while the dead hold the partition.
      for (let key = 0; key < 50; key++) cache.set(KEYS + key, '')
      expect(cache.size).toBeLessThanOrEqual(MAX_ENTRIES + VICTIMS + 1)
      victims[death % VICTIMS] = bear(death)
    }
    for (const victim of victims) await killVictim(victim)
    expect(answers, `stopped by themselves, MAPSAFE_SEED=${seed}`).toEqual([])

    expect(cache.repair()).toMatchObject({ hasLookedForLeaks: true })
    expectSound(cache)
    for (const [key, value] of cache) if (key < KEYS) expect(faultOf(key, value)).toBeUndefined()
    // No entry is immortal, since each has a node in a queue; and no node was lost to the dead.
    for (let key = 0; key < 20 * MAX_ENTRIES; key++) cache.set(2 * KEYS + key, '')
    expect(cache.size).toBe(MAX_ENTRIES)
    cache.clear()
    expectSound(cache)
  })
})

// At random instants few die in the midst of a change; here one did for certain.
test.each(lineups)('queues left in any state by a dead holder are made anew ($name)', async (lineup) => {
  using cache = new ConcurrentCache<number, unknown>({
    ...{ maxBytes: 8 * 2 ** 20, maxEntries: MAX_ENTRIES, engine: lineup.engineOf(0) },
  })
  const words = new Int32Array(cache.handle.region!)
  const ledger = new Int32Array(new SharedArrayBuffer(4))
  const victim = startThread(tasks)
  victim.send({
    ...{ task: 'fillUntilDeath', parameters: [ledger.buffer, KEYS], handle: cache.handle },
    attach: { engine: 'typescript' }, // whose record stays when its thread is terminated
    ...{ worker: 0, workers: 1, seed, run: 0, barrier: new SharedArrayBuffer(Barrier.BYTES) },
  } satisfies Order)
  while (Atomics.load(ledger, INSERTED) < 2 * KEYS) await sleep(1)
  await victim.end()

  const random = new Random(seed)
  const record = 1 // the second to attach
  const [partition] = partitionsOf(new Region(words.buffer))
  for (const word of [PARTITION_FREE_NODES, PARTITION_NODES, PARTITION_GHOST_COUNTS])
    words[partition + word] = random.below(2 ** 30)
  for (const queue of [PARTITION_COLD, PARTITION_MAIN])
    for (const word of [QUEUE_OLDEST, QUEUE_NEWEST, QUEUE_SIZE]) words[partition + queue + word] = random.below(2 ** 30)
  new EvictionQueues(words, partition, NO_ENTRIES).visitNodes((node) => {
    for (const word of [NODE_NEXT, NODE_PREVIOUS]) words[node * BLOCK_WORDS + word] = random.below(2 ** 30)
  })
  Atomics.store(words, partition + PARTITION_MUTEX, markOf(words, record))

  for (let key = 0; key < 2 * KEYS; key++) cache.set(key, key)
  expect(cache.size).toBeLessThanOrEqual(MAX_ENTRIES)
  expect(cache.repair()).toMatchObject({ hasLookedForLeaks: true })
  expectSound(cache)
  expect(cache.size).toBeGreaterThanOrEqual(MAX_ENTRIES - 1) // the insert that was cut off may leave a free node
})
