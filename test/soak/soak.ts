import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { FairClock } from '../support/fair-clock.js'
import { until } from '../support/patience.js'
import { Random } from '../support/random.js'
import type { Lineup } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { openMemory } from '../support/shared-memory.js'
import { tellingValue } from '../support/telling-value.js'
import { processCode } from '../support/worker-code.js'
import { audit } from './audit.js'
import { DETACH, END, Ledger, PAUSE, WORK } from './ledger.js'
import {
  BOUNDED_BYTES,
  CACHE_BYTES,
  CACHE_TTL_MS,
  LASTING,
  LOADS_BYTES,
  MAP_BYTES,
  MOST_ENTRIES,
  type HostOrder,
  type HostRequest,
  type Places,
  type Post,
} from './plan.js'
import { Trend } from './trend.js'

export interface SoakOptions {
  readonly lineup: Lineup
  readonly seed: number
  readonly seconds: number
  readonly processes: number
  /** Of each process. */
  readonly threads: number
  /** From one fault to the next, on average. */
  readonly faultSeconds: number
  /** From one pause to the next, in which everything is checked. */
  readonly auditSeconds: number
}

const FAULTS = ['killed', 'terminated', 'stopped', 'stopped for longer than the bound'] as const
type Fault = (typeof FAULTS)[number]
/** Dealt in random order, and then again: so that a short run has most kinds, too. */
const DECK: readonly Fault[] = [...FAULTS, 'killed', 'terminated', 'stopped', 'killed', 'terminated', 'stopped']

const LONGEST_SHORT_STOP_MS = 1000
const LONG_STOP_MS = 3000
/** Until every call has ended that waited for a stopped process. */
const AFTERMATH_MS = 3000
/** By a clock that does not count what others take of the cores. */
const STUCK_MS = 60_000
/** Every second audit, all members close their maps. */
const DETACHED_AUDITS = 2
const EVENTS_KEPT = 20
const MIB = 2 ** 20

/**
 * A soak with one lineup of engines: processes with threads that work on a map and two caches in files, faults, and
 * pauses in which everything is checked. The first process is never ended, so that its memory shows whether anything
 * grows.
 */
export class Soak {
  readonly ledger: Ledger
  readonly faults = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]))
  readonly trends: readonly Trend[]
  audits = 0
  /** Left behind by members that were ended in the middle of something. */
  bytesLeaked = 0
  readonly #mapBytes = new Trend('bytes in use of the map', 4 * MIB)
  readonly #memory = new Trend('private memory of the first process', 64 * MIB)
  readonly #descriptors = new Trend('descriptors of the first process', 3)
  readonly #mappings = new Trend('mappings of the first process', 12)
  readonly #found: string[] = []
  readonly #events: string[] = []
  readonly #scratch = new Scratch()
  readonly #places: Places
  readonly #random: Random
  readonly #hosts: ChildProcess[] = []
  readonly #began = performance.now()
  #deck: Fault[] = []
  #endings = 0
  #endingsBefore = 0

  constructor(private readonly options: SoakOptions) {
    const slots = options.processes * options.threads
    this.#random = new Random(options.seed)
    this.trends = [this.#mapBytes, this.#memory, this.#descriptors, this.#mappings]
    this.#places = {
      map: this.#scratch.file('map'),
      cache: this.#scratch.file('cache'),
      bounded: this.#scratch.file('bounded'),
      loads: this.#scratch.file('loads'),
      ledger: this.#scratch.memory(Ledger.bytes(slots)),
      violations: this.#scratch.file('violations'),
    }
    writeFileSync(this.#places.violations, '')
    this.ledger = new Ledger(openMemory(this.#places.ledger), slots)
  }

  /** What went against a promise so far. */
  get violations(): readonly string[] {
    const told = readFileSync(this.#places.violations, 'utf8').split('\n').slice(0, -1)
    return [...told, ...this.#found]
  }

  /** The last faults and audits, with the seconds since the beginning. */
  get events(): readonly string[] {
    return this.#events
  }

  async run(): Promise<void> {
    const { seconds, auditSeconds } = this.options
    this.#fill()
    const watchdog = this.#watchForStandstill()
    try {
      for (let index = 0; index < this.options.processes; index++) this.#start(index)
      await this.#awaitMembers()
      const end = performance.now() + seconds * 1000
      let nextAudit = performance.now() + auditSeconds * 1000
      while (performance.now() < end) {
        await sleep(this.#random.next() * 2 * this.options.faultSeconds * 1000)
        await this.#injectFault()
        if (performance.now() < nextAudit) continue
        await this.#audit(this.audits % DETACHED_AUDITS === DETACHED_AUDITS - 1)
        nextAudit = performance.now() + auditSeconds * 1000
      }
      await this.#audit(true)
      for (const trend of this.trends) this.#found.push(...[trend.fault()].filter((fault) => fault !== undefined))
    } finally {
      clearInterval(watchdog)
      await this.#dismiss()
    }
  }

  /** Removes the files. Only then may the object be dropped. */
  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]()
  }

  #fill(): void {
    const { map, cache, bounded, loads } = this.#places
    const engine = this.options.lineup.engineOf(0)
    using first = new ConcurrentMap<number, unknown>({ file: map, maxBytes: MAP_BYTES, engine })
    for (let key = 0; key < LASTING; key++) first.set(key, tellingValue(key, key))
    new ConcurrentCache({ file: cache, maxBytes: CACHE_BYTES, ttl: CACHE_TTL_MS, engine }).close()
    new ConcurrentCache({
      file: bounded,
      maxBytes: BOUNDED_BYTES,
      maxEntries: MOST_ENTRIES,
      ttl: CACHE_TTL_MS,
      engine,
    }).close()
    new ConcurrentCache({ file: loads, maxBytes: LOADS_BYTES, engine }).close()
  }

  #start(index: number): void {
    const { lineup, seed, processes, threads } = this.options
    const posts = this.#slotsOf(index).map((slot): Post => {
      const engine = lineup.engineOf(slot)
      return { slot, process: index, slots: processes * threads, processes, seed, engine, places: this.#places }
    })
    const order: HostOrder = { posts }
    const { path, execArgv } = processCode(new URL('host.ts', import.meta.url))
    this.#hosts[index] = fork(path, [JSON.stringify(order)], { execArgv })
  }

  #slotsOf(process: number): number[] {
    const { threads } = this.options
    return Array.from({ length: threads }, (_, thread) => process * threads + thread)
  }

  async #await(what: string, isSo: () => boolean): Promise<void> {
    try {
      await until(what, isSo)
    } catch (error) {
      throw new Error([String(error), ...this.violations].join('\n'), { cause: error })
    }
  }

  #awaitMembers(): Promise<void> {
    const { alive } = this.ledger
    return this.#await('starting members', () => alive.every((_, slot) => Atomics.load(alive, slot) === 1))
  }

  async #injectFault(): Promise<void> {
    const { processes } = this.options
    const mortal = 1 + this.#random.below(processes - 1)
    // Those who are just starting are left alone: else hardly anybody would get to work.
    if (!this.#slotsOf(mortal).every((slot) => Atomics.load(this.ledger.alive, slot) === 1)) return
    if (this.#deck.length === 0) this.#deck = [...DECK]
    const [fault] = this.#deck.splice(this.#random.below(this.#deck.length), 1)
    switch (fault) {
      case 'killed':
        await this.#kill(mortal)
        return
      case 'terminated':
        this.#terminate(mortal)
        return
      case 'stopped':
        await this.#stop(this.#random.below(processes), this.#random.below(LONGEST_SHORT_STOP_MS))
        return
      case 'stopped for longer than the bound':
        await this.#stop(this.#random.below(processes), LONG_STOP_MS)
    }
  }

  /** Ends a process in whatever it is doing, and starts another in its place. */
  async #kill(index: number): Promise<void> {
    this.#note('killed', `process ${index}`)
    for (const slot of this.#slotsOf(index)) Atomics.store(this.ledger.alive, slot, 0)
    this.#endings++
    const host = this.#hosts[index]
    const ended = new Promise((resolve) => host.once('exit', resolve))
    host.kill('SIGKILL')
    await ended
    this.#start(index)
  }

  /** Ends a thread, and starts another in its place. */
  #terminate(index: number): void {
    const thread = this.#random.below(this.options.threads)
    this.#note('terminated', `thread ${thread} of process ${index}`)
    Atomics.store(this.ledger.alive, this.#slotsOf(index)[thread], 0)
    this.#endings++
    const request: HostRequest = { terminate: thread }
    this.#hosts[index].send(request)
  }

  /** Stops a process in whatever it is doing, and lets it go on. */
  async #stop(index: number, milliseconds: number): Promise<void> {
    const { ledger } = this
    const isLong = milliseconds >= LONG_STOP_MS
    this.#note(isLong ? 'stopped for longer than the bound' : 'stopped', `process ${index} for ${milliseconds} ms`)
    if (isLong) ledger.excused = true
    Atomics.add(ledger.stops, index, 1)
    this.#hosts[index].kill('SIGSTOP')
    await sleep(milliseconds)
    this.#hosts[index].kill('SIGCONT')
    Atomics.add(ledger.stops, index, 1)
    if (!isLong) return
    await sleep(AFTERMATH_MS)
    ledger.excused = false
  }

  #note(fault: Fault, detail: string): void {
    this.faults.set(fault, this.faults.get(fault)! + 1)
    this.#tell(`${fault}: ${detail}`)
  }

  #tell(event: string): void {
    this.#events.push(`${((performance.now() - this.#began) / 1000).toFixed(1)} s: ${event}`)
    if (this.#events.length > EVENTS_KEPT) this.#events.shift()
  }

  async #audit(alone: boolean): Promise<void> {
    this.#tell(alone ? 'audit, alone' : 'audit')
    await this.#awaitMembers()
    await this.#reach(PAUSE)
    this.#judge(false)
    if (alone) {
      await this.#reach(DETACH)
      this.#judge(true)
    }
    this.#sampleProcess()
    this.ledger.phase = WORK
    this.audits++
  }

  async #reach(phase: number): Promise<void> {
    const { ledger } = this
    ledger.phase = phase
    await this.#await('pausing', () => ledger.reached.every((_, slot) => Atomics.load(ledger.reached, slot) === phase))
  }

  #judge(alone: boolean): void {
    const engine = this.options.lineup.engineOf(this.audits)
    const mayLeak = this.#endings > this.#endingsBefore
    const { violations, mapBytes, bytesLeaked } = audit(this.#places, this.ledger, engine, { alone, mayLeak })
    this.#found.push(...violations.map((violation) => `audit ${this.audits}${alone ? ', alone' : ''}: ${violation}`))
    this.bytesLeaked += bytesLeaked
    if (mapBytes === undefined) return
    this.#mapBytes.add(mapBytes)
    if (bytesLeaked > 0 && !mayLeak) {
      this.#found.push(`audit ${this.audits}: ${bytesLeaked} bytes leaked though nobody was ended`)
    }
    this.#endingsBefore = this.#endings
  }

  /** Of the process that is never ended. */
  #sampleProcess(): void {
    const own = `/proc/${this.#hosts[0].pid}`
    if (!existsSync(own)) return
    this.#memory.add(1024 * Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`${own}/status`, 'utf8'))?.[1]))
    this.#descriptors.add(readdirSync(`${own}/fd`).length)
    const maps = readFileSync(`${own}/maps`, 'utf8').split('\n')
    this.#mappings.add(maps.filter((line) => line.includes(this.#scratch.path)).length)
  }

  /**
   * A member that does nothing for long, though nobody keeps it from working, waits for something that does not come.
   */
  #watchForStandstill(): NodeJS.Timeout {
    const { ledger } = this
    const before = new Array<number>(ledger.slots).fill(-1)
    const since = new Array<number>(ledger.slots).fill(0)
    const clock = new FairClock()
    return setInterval(() => {
      const time = clock.now()
      for (let slot = 0; slot < ledger.slots; slot++) {
        const now = ledger.operationsBy(slot)
        const mayRest = ledger.phase !== WORK || Atomics.load(ledger.alive, slot) === 0
        if (now !== before[slot] || mayRest) {
          before[slot] = now
          since[slot] = time
        } else if (time - since[slot] > STUCK_MS) {
          this.#found.push(`member ${slot} has done nothing for ${STUCK_MS} ms`)
          since[slot] = time
        }
      }
    }, 1000)
  }

  async #dismiss(): Promise<void> {
    this.ledger.phase = END
    await Promise.all(
      this.#hosts.map(async (host) => {
        if (host.exitCode !== null || host.signalCode !== null) return
        const ended = new Promise((resolve) => host.once('exit', resolve))
        host.disconnect()
        await ended
      }),
    )
  }
}
