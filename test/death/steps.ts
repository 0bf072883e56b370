/**
 * Deaths at every store of the TypeScript engine. What others find after a death is what the dead thread had stored
 * until then. So a victim runs to its end, but the region is copied before one of its stores; in the copy its record
 * belongs to a thread that is no more, and somebody else goes on. Thousands of deaths take as long as a dozen of real
 * threads, and each is at a chosen store.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { ConcurrentCache, ConcurrentMap, type MapHandle } from '../../src/index.js'
import { partitionsOf } from '../../src/format/eviction-area.js'
import { ownKernelId } from '../../src/engine/typescript/threads/liveness.js'
import { Region, pairsOf } from '../../src/format/region.js'
import { abandon, freeTakeoverWord } from '../support/abandon.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { findPlace } from '../../src/public/handle.js'
import {
  PARTITION_COLD,
  PARTITION_MAIN,
  QUEUE_SIZE,
  REGISTRY_THREADS,
  THREAD_KERNEL_ID,
} from '../../src/format/layout.js'
import { Stopwatch } from '../support/stopwatch.js'
import { watchStores } from '../support/stores.js'
import { beginToWatch, tellsNobody, untold, type FeedStart } from './told.js'
import { MOST_LOST, open, sweep, type Entries, type Operation, type Scenario, type Subject } from './steps.scenarios.js'
import type { Random } from '../support/random.js'

export type EngineName = 'native' | 'typescript'
const MAX_BYTES = 2 ** 20
/** Keys that the survivor writes, beside all that there are: spread over all buckets. */
const PROBES = 100

/** A region as somebody left it, and what may be in it. */
export interface Stage {
  readonly kind: MapHandle['kind']
  readonly region: SharedArrayBuffer
  /** What is there; and what may be instead, all of it or none. */
  readonly before: Entries
  readonly after: Entries
}

/** A stage with the records of those who die on it. */
interface Scene extends Stage {
  readonly victims: readonly number[]
  /** Since when somebody watches, and what there was then. */
  readonly watched: { readonly start: FeedStart; readonly before: Entries } | undefined
}

const copyOf = (region: SharedArrayBuffer): SharedArrayBuffer => {
  const copy = new SharedArrayBuffer(region.byteLength)
  new Uint8Array(copy).set(new Uint8Array(region))
  return copy
}

/** The map that a scenario begins with. */
export function create({ options, isCache }: Scenario, file?: string): Subject {
  const given = { maxBytes: MAX_BYTES, engine: 'typescript', file, ...options } as const
  return isCache === true ? new ConcurrentCache(given) : new ConcurrentMap(given)
}

/** A scenario's beginning. Nobody is attached. */
function prepare(scenario: Scenario): Stage {
  using map = create(scenario)
  scenario.prepare(map)
  const entries: Entries = new Map(map.entries())
  return { kind: map.handle.kind, region: map.handle.region!, before: entries, after: entries }
}

/** What may be there after a death once `done` of the operations had returned. */
export function outcomes(
  stage: Pick<Stage, 'before' | 'after'>,
  operations: readonly Operation[],
  done: number,
): { readonly before: Entries; readonly after: Entries } {
  const [before, after] = [new Map(stage.before), new Map(stage.after)]
  for (const { effect } of operations.slice(0, done)) {
    effect(before)
    effect(after)
  }
  operations.at(done)?.effect(after)
  return { before, after }
}

/** One life of a victim on a copy of the stage. */
class Life {
  private readonly region: SharedArrayBuffer
  private readonly operations: Operation[]
  private done = 0
  private isMortal = false
  /** Stores so far, while mortal. */
  private stores = 0
  private scene: Scene | undefined
  private start: FeedStart | undefined

  constructor(
    private readonly scenario: Scenario,
    private readonly stage: Stage,
    private readonly diesAt: number,
  ) {
    this.region = copyOf(stage.region)
    this.operations = scenario.operations(stage.before.size)
  }

  /** The number of its stores, and what it left if it died. */
  run(): { readonly stores: number; readonly scene: Scene | undefined } {
    watchStores(
      this.region,
      () => this.beforeStore(),
      () => this.live(),
    )
    const { stores, scene } = this
    return { stores, scene }
  }

  private live(): void {
    const { isWholeLife = false, isWatched = false } = this.scenario
    using watcher = isWatched ? open({ kind: this.stage.kind, region: this.region }, 'typescript') : undefined
    if (watcher !== undefined) this.start = beginToWatch(watcher)
    if (isWholeLife) this.isMortal = true
    using victim = open({ kind: this.stage.kind, region: this.region }, 'typescript')
    this.isMortal = true
    for (const { run } of this.operations) {
      run(victim)
      this.done++
    }
    this.isMortal = false
  }

  private beforeStore(): void {
    if (!this.isMortal || this.stores++ !== this.diesAt) return
    const { before, after } = outcomes(this.stage, this.operations, this.done)
    const region = copyOf(this.region)
    const watched = this.start === undefined ? undefined : { start: this.start, before: this.stage.before }
    this.scene = { kind: this.stage.kind, region, before, after, victims: recordsOfThisThread(region), watched }
  }
}

function recordsOfThisThread(region: SharedArrayBuffer): number[] {
  const words = new Int32Array(region)
  const self = ownKernelId(words)
  const pairs = pairsOf(words)
  const indices = Array.from({ length: REGISTRY_THREADS }, (_, i) => i)
  return indices.filter((index) => pairs[(threadRecordAt(index) + THREAD_KERNEL_ID) / 2] === self)
}

/** Makes the scene's victims threads that are no more. */
function kill({ region, victims }: Scene): void {
  const words = new Int32Array(region)
  for (const index of victims) abandon(words, index)
  freeTakeoverWord(words)
}

/** What the one who goes on found wrong, its longest call in milliseconds, and what was lost. */
export interface Findings {
  readonly problems: string[]
  stall: number
  /** Blocks of memory that only the repair found. */
  lost: number
}

/** Somebody who goes on after a death, on the only copy. */
class Survivor {
  readonly findings: Findings = { problems: [], stall: 0, lost: 0 }
  private readonly watch = new Stopwatch()
  private readonly before: Entries
  private readonly after: Entries

  constructor(
    private readonly scenario: Scenario,
    { before, after }: Pick<Stage, 'before' | 'after'>,
    private readonly map: Subject,
  ) {
    this.before = new Map(before)
    this.after = new Map(after)
  }

  run(): void {
    this.read()
    this.write()
    this.takeSnapshot()
    this.repair()
  }

  private get isWhole(): boolean {
    return this.scenario.isWhole ?? this.scenario.isCache !== true
  }

  private blame(problem: string): void {
    this.findings.problems.push(problem)
  }

  private time<T>(call: () => T): T {
    const result = this.watch.time(call)
    this.findings.stall = this.watch.longest
    return result
  }

  /** What returned is done; what was under way is done or not. */
  private read(): void {
    for (const key of new Set([...this.before.keys(), ...this.after.keys()])) {
      this.expectEither(
        key,
        this.time(() => this.map.get(key)),
      )
    }
  }

  private expectEither(key: unknown, value: unknown): void {
    if (value === undefined && this.scenario.isCache === true && !this.isWhole) return // evicted
    const { before, after } = this
    const isEither = [before, after].some((entries) => isDeepStrictEqual(value, entries.get(key as string)))
    if (!isEither) this.blame(`${String(key)} is ${String(value).slice(0, 50)}`)
  }

  private write(): void {
    const probes = Array.from({ length: PROBES }, (_, i) => `probe${i}`)
    for (const key of new Set([...this.before.keys(), ...this.after.keys(), ...probes])) {
      const version = this.map.getEntry(key)?.version ?? 0
      this.time(() => this.map.set(key, 'later'))
      if ((this.map.getEntry(key)?.version ?? 0) <= version) this.blame(`the version of ${String(key)} did not grow`)
      this.before.set(key, 'later')
      this.after.set(key, 'later')
    }
  }

  private takeSnapshot(): void {
    const snapshot: Entries = new Map(this.time(() => this.map.snapshot()))
    for (const [key, value] of snapshot) this.expectEither(key, value)
    const { before, after } = this
    if (this.isWhole && !isDeepStrictEqual(snapshot, before) && !isDeepStrictEqual(snapshot, after))
      this.blame(`a snapshot has ${snapshot.size} entries; expected ${before.size} or ${after.size}`)
    const most = this.scenario.options?.maxEntries ?? Infinity
    if (snapshot.size > most) this.blame(`${snapshot.size} entries in a cache of ${most}`)
    // Even a death that was in nobody's way is noticed by who attaches.
    open(this.map.handle, 'typescript').close()
    if (this.scenario.isCache === true) sweep(this.map)
    if (this.scenario.hasRightSize !== false && this.map.size !== snapshot.size)
      this.blame(`a size of ${this.map.size} with ${snapshot.size} entries`)
  }

  private repair(): void {
    const { hasLookedForLeaks, blocksFreed } = this.map.repair()
    if (!hasLookedForLeaks) this.blame('a record is still taken')
    this.findings.lost = blocksFreed
    const most = this.scenario.mostLost ?? MOST_LOST
    if (blocksFreed > most) this.blame(`${blocksFreed} blocks were lost; expected at most ${most}`)
    const { problems } = this.map.verify()
    this.findings.problems.push(...problems)
    const { size } = new Map(this.map.snapshot())
    if (this.map.size !== size) this.blame(`a size of ${this.map.size} after the repair, with ${size} entries`)
    // Those that the dead had taken are free again.
    const nodes = nodesInUse(new Region(findPlace(this.map.handle).region))
    if (this.scenario.isCache === true && nodes !== size) this.blame(`${nodes} nodes in use, with ${size} entries`)
  }
}

/** Somebody goes on after the scene, who was there before the death or comes later. */
function survive(scenario: Scenario, scene: Scene, engine: EngineName, wasThere: boolean): Findings {
  if (!wasThere) kill(scene)
  using map = open(scene, engine)
  if (wasThere) kill(scene)
  const problems = scene.watched === undefined ? [] : untold(scene.watched.start, scene.watched.before, map)
  const findings = goOn(scenario, scene, map)
  if (tellsNobody(map)) problems.push('writers tell, and nobody watches')
  findings.problems.push(...problems)
  return findings
}

/** Reads, writes and repairs a map on which somebody died. */
export function goOn(scenario: Scenario, stage: Pick<Stage, 'before' | 'after'>, map: Subject): Findings {
  const survivor = new Survivor(scenario, stage, map)
  try {
    survivor.run()
  } catch (error) {
    survivor.findings.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  return survivor.findings
}

/** What a death before a store of a scenario, at random, leaves. */
export function leaveDead(scenario: Scenario, random: Random): Stage {
  const stage = prepare(scenario)
  const { stores } = new Life(scenario, stage, Infinity).run()
  for (;;) {
    const { scene } = new Life(scenario, stage, random.below(stores)).run()
    if (scene === undefined) continue
    kill(scene)
    return scene
  }
}

function nodesInUse(region: Region): number {
  const queues = partitionsOf(region).flatMap((at) => [at + PARTITION_COLD, at + PARTITION_MAIN])
  return queues.reduce((sum, queue) => sum + region.words[queue + QUEUE_SIZE], 0)
}

export interface Deaths {
  readonly stores: number
  readonly deaths: number
  /** A line each. */
  readonly problems: readonly string[]
  /** The longest call after each death, in milliseconds, in ascending order. */
  readonly stalls: readonly number[]
  /** Most blocks lost by one. */
  readonly mostLost: number
}

export function storesOf(scenario: Scenario): number {
  return new Life(scenario, prepare(scenario), Infinity).run().stores
}

/** Dies before `most` stores of a scenario at random, one in each of as many stretches: all, if there are no more. */
export async function dieEverywhere(
  scenario: Scenario,
  engine: EngineName,
  most: number,
  random: Random,
  stage = prepare(scenario),
): Promise<Deaths> {
  const { stores } = new Life(scenario, stage, Infinity).run()
  const deaths = Math.min(stores, most)
  const problems: string[] = []
  const stalls: number[] = []
  let mostLost = 0
  for (let death = 0; death < deaths && problems.length === 0; death++) {
    const from = Math.floor((stores * death) / deaths)
    const store = from + random.below(Math.floor((stores * (death + 1)) / deaths) - from)
    const { scene } = new Life(scenario, stage, store).run()
    if (scene === undefined) problems.push(`before store ${store} of ${stores}: it did not come to that store again`)
    else {
      const findings = survive(scenario, scene, engine, death % 2 === 0)
      for (const problem of findings.problems) problems.push(`before store ${store} of ${stores}: ${problem}`)
      stalls.push(findings.stall)
      mostLost = Math.max(mostLost, findings.lost)
    }
    // Closed native engines are collected between turns of the event loop.
    if (death % 16 === 0) await nextTurn()
  }
  return { stores, deaths, problems, mostLost, stalls: stalls.sort((a, b) => a - b) }
}
