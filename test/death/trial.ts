import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { ConcurrentMap, type Key, type RepairReport } from '../../src/index.js'
import type { Order } from '../support/crew.js'
import { Barrier } from '../support/barrier.js'
import { mayContain } from '../support/container.js'
import { startContained, startProcess, startThread, type Member } from '../support/member.js'
import { until } from '../support/patience.js'
import { Random } from '../support/random.js'
import { seed, type Lineup } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import { Stopwatch } from '../support/stopwatch.js'
import { faultOf, tellingValue } from '../support/telling-value.js'
import {
  AT_KEY,
  AT_NUMBER,
  COUNTED,
  DONE,
  FILLERS,
  FIRST_FILLER,
  LEDGER_BYTES,
  OWN_KEYS,
  TOTAL,
} from './victims.tasks.js'

/**
 * `SIGKILL` ends a process, `terminate` a worker thread, of a map in memory or in a file; `container` a process in
 * namespaces of its own.
 */
export type Fault = 'SIGKILL' | 'terminate' | 'terminate, on a file' | 'container'

/** All that can be tried here. */
export const faults: readonly Fault[] = [
  'SIGKILL',
  'terminate',
  'terminate, on a file',
  ...(mayContain ? (['container'] as const) : []),
]

const starters = {
  SIGKILL: startProcess,
  terminate: startThread,
  'terminate, on a file': startThread,
  container: startContained,
}

/** Somebody who is to die of `fault`. */
export function startVictim(fault: Fault, tasks: string): Member {
  return starters[fault](tasks)
}

export async function killVictim({ events, kill, end }: Member): Promise<void> {
  const exit = once(events, 'exit')
  if (kill === undefined) await end()
  else kill()
  await exit
}

/** What a trial came to. */
export interface Findings {
  readonly kills: number
  /** Acknowledged writes that were missing after a death, torn values, and other broken promises, a line each. */
  readonly losses: readonly string[]
  /** After each death, the longest of some hundred calls all over the map, in milliseconds; in ascending order. */
  readonly stalls: readonly number[]
  /** By the survivor, at the end. */
  readonly repair: RepairReport
  /** What verify() found after the repair. */
  readonly problems: readonly string[]
}

/** More than one, so that some go on while others die, and new ones start. */
const VICTIMS = 3
/** A victim dies at a random instant of this time after it was seen at work. */
const LIFE_MS = 20
/** Keys that the survivor writes, from FIRST_PROBE on: spread over all segments. */
const FIRST_PROBE = 2_000_000
const PROBES = 200
const tasks = new URL('victims.tasks.ts', import.meta.url).href

/** Ends threads or processes in the middle of their work, one after the other, and checks each time what they left. */
export async function tryDeaths(fault: Fault, lineup: Lineup, kills: number): Promise<Findings> {
  const scratch = fault === 'terminate' ? undefined : new Scratch()
  const options = { maxBytes: 32 * 2 ** 20, engine: lineup.engineOf(0), file: scratch?.file() }
  const trial = new Trial(fault, lineup, new ConcurrentMap<Key, unknown>(options), scratch)
  try {
    return await trial.run(kills)
  } finally {
    await trial.end()
    scratch?.[Symbol.dispose]()
  }
}

class Trial {
  private readonly random = new Random(seed)
  private readonly memories: SharedMemory[] = []
  private readonly ledgers: Int32Array[] = []
  private readonly victims: Member[] = []
  private readonly losses: string[] = []
  private readonly stalls: number[] = []
  private lives = 0

  constructor(
    private readonly fault: Fault,
    private readonly lineup: Lineup,
    private readonly map: ConcurrentMap<Key, unknown>,
    private readonly scratch: Scratch | undefined,
  ) {
    for (let victim = 0; victim < VICTIMS; victim++) {
      this.memories.push(this.memory(LEDGER_BYTES))
      this.ledgers.push(new Int32Array(openMemory(this.memories[victim])))
      this.victims.push(this.bear(victim))
    }
  }

  async run(kills: number): Promise<Findings> {
    for (let kill = 0; kill < kills; kill++) {
      const victim = kill % VICTIMS
      await this.seeAtWork(victim)
      await sleep(this.random.next() * LIFE_MS)
      await killVictim(this.victims[victim])
      this.probe()
      this.check(victim)
      this.victims[victim] = this.bear(victim)
    }
    for (let victim = 0; victim < VICTIMS; victim++) {
      await this.seeAtWork(victim)
      await killVictim(this.victims[victim])
      this.check(victim)
    }
    this.checkTotal(kills + VICTIMS)
    const repair = this.map.repair()
    if (repair.sizeCorrection !== 0) this.losses.push(`the size was off by ${repair.sizeCorrection}`)
    if (!repair.hasLookedForLeaks) this.losses.push('somebody was still attached at the end')
    if (this.map.size !== [...this.map.keys()].length) this.losses.push(`a size of ${this.map.size} after the repair`)
    return {
      ...{ kills: kills + VICTIMS, losses: this.losses, repair },
      stalls: this.stalls.sort((a, b) => a - b),
      problems: this.map.verify().problems,
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.victims.map((victim) => (victim.kill?.(), victim.end())))
    this.map.close()
  }

  private memory(bytes: number): SharedMemory {
    return this.scratch?.memory(bytes) ?? new SharedArrayBuffer(bytes)
  }

  private bear(victim: number): Member {
    const member = startVictim(this.fault, tasks)
    const order: Order = {
      task: 'writeUntilDeath',
      parameters: [this.memories[victim], victim],
      handle: this.map.handle,
      attach: { ...this.lineup.attach, engine: this.lineup.engineOf(victim + 1) },
      ...{ worker: victim, workers: 1, seed, run: this.lives++, barrier: this.memory(Barrier.BYTES) },
    }
    member.events.on('message', (answer) =>
      this.losses.push(`victim ${victim} stopped by itself: ${JSON.stringify(answer)}`),
    )
    member.send(order)
    return member
  }

  private async seeAtWork(victim: number): Promise<void> {
    const counted = Atomics.load(this.ledgers[victim], COUNTED)
    await until(`victim ${victim} works`, () => Atomics.load(this.ledgers[victim], COUNTED) !== counted)
  }

  /** Writes and reads all over the map; whatever the dead held is in the way of some of it. */
  private probe(): void {
    const watch = new Stopwatch()
    for (let i = 0; i < PROBES; i++) {
      const key = FIRST_PROBE + i
      watch.time(() => this.map.set(key, i))
      watch.time(() => this.map.delete(FIRST_FILLER + this.random.below(FILLERS)))
      if (this.map.get(key) !== i) this.losses.push(`a write of the survivor's is missing`)
    }
    for (let victim = 0; victim < VICTIMS; victim++) {
      for (let own = 0; own < OWN_KEYS; own++) this.expectWhole(victim * OWN_KEYS + own)
    }
    this.stalls.push(watch.longest)
  }

  private expectWhole(key: number): unknown {
    const value = this.map.get(key)
    const fault = value === undefined ? undefined : faultOf(key, value)
    if (fault !== undefined) this.losses.push(fault)
    return value
  }

  /** What a dead victim was told was done is done; what it was at is either done or not. */
  private check(victim: number): void {
    const ledger = this.ledgers[victim]
    const at = ledger[AT_KEY]
    for (let own = 0; own < OWN_KEYS; own++) {
      const key = victim * OWN_KEYS + own
      const value = this.expectWhole(key)
      const done = ledger[DONE + own]
      const isAt = (number: number): boolean => isValueOf(key, value, number)
      if (isAt(done)) continue
      if (own === at && isAt(ledger[AT_NUMBER])) ledger[DONE + own] = ledger[AT_NUMBER]
      else this.losses.push(`victim ${victim} was told that write ${done} of key ${key} was done, but it is not there`)
    }
  }

  private checkTotal(deaths: number): void {
    const total = this.map.get(TOTAL) as number
    const told = this.ledgers.reduce((sum, ledger) => sum + ledger[COUNTED], 0)
    if (total < told || total > told + deaths)
      this.losses.push(`${told} increments returned, but the total is ${total}`)
    for (let filler = FIRST_FILLER; filler < FIRST_FILLER + FILLERS; filler++) {
      const value = this.map.get(filler)
      if (value !== undefined && value !== filler)
        this.losses.push(`filler ${filler} has the value ${JSON.stringify(value)}`)
    }
  }
}

/** Whether `value` is what write `number` of a victim left: negative for a deletion, 0 for nothing yet. */
function isValueOf(key: number, value: unknown, number: number): boolean {
  if (number <= 0) return value === undefined
  return value !== undefined && isDeepStrictEqual(value, tellingValue(key, number))
}
