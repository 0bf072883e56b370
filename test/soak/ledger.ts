/**
 * What the members of a soak and its conductor tell each other beside the maps: in a mapped file, so that it survives
 * kill.
 */
import { COUNTERS, KINDS, LOADED, OWN, type Kind } from './plan.js'

/** What the conductor wants of everybody. */
export const WORK = 0
/** Stop with all maps open. */
export const PAUSE = 1
/** Stop with all maps closed. */
export const DETACH = 2
export const END = 3

const INTEGERS_PER_SLOT = 4 + 3 * COUNTERS + 2 * OWN
const DOUBLES_PER_SLOT = 2 * KINDS.length
/** What is counted of loaders, by all members. */
export const TALLY_BEGUN = 0
export const TALLY_ENDED = 1
export const TALLY_FAILED = 2
export const TALLY_FORCED = 3
export const TALLY_BULK = 4
const TALLIES = 5
const INTEGERS = 8 + 6 * LOADED + TALLIES

/**
 * Numbers by slot are written by one member. Those with an intention (`begun`, `ownPending`) are written before the
 * act, their counterparts after it, so that the truth lies between them wherever a member is killed.
 */
export class Ledger {
  readonly #control: Int32Array
  /** By process: odd while it is stopped by SIGSTOP. */
  readonly stops: Int32Array

  /** Of the phase that the member has reached. */
  readonly reached: Int32Array
  /** How many members had the slot so far. */
  readonly incarnation: Int32Array
  /** 0 from when the conductor is about to end a member until the next one has begun. */
  readonly alive: Int32Array
  readonly timeouts: Int32Array

  /**
   * By slot and counter, the sums that members began to add, have added, and that are unknown, since a member was
   * killed over them.
   */
  readonly begun: Int32Array
  readonly added: Int32Array
  readonly unknown: Int32Array
  /** By slot and own key: the number last written, or 0 for a deletion. */
  readonly ownPending: Int32Array
  readonly ownWritten: Int32Array

  /** By loaded key: deletions begun, and the highest of them that is over. */
  readonly generation: Int32Array
  readonly deleted: Int32Array
  /** Who runs a loader now, and who has not been told yet that the value loaded is stored; 0 for nobody. */
  readonly loader: Int32Array
  readonly storer: Int32Array
  /** Loaders that began, and those after which another one must begin: they failed, or were killed. */
  readonly loads: Int32Array
  readonly lostLoads: Int32Array

  readonly #tallies: Int32Array

  /** By slot and kind. */
  readonly #operations: Float64Array
  readonly #longest: Float64Array

  /** @param buffer zeroed at first, of {@link Ledger.bytes} for as many slots */
  constructor(
    buffer: SharedArrayBuffer | ArrayBuffer,
    readonly slots: number,
  ) {
    let at = 0
    const doubles = (count: number): Float64Array => {
      const part = new Float64Array(buffer, at, count)
      at += part.byteLength
      return part
    }
    const integers = (count: number): Int32Array => {
      const part = new Int32Array(buffer, at, count)
      at += part.byteLength
      return part
    }
    this.#operations = doubles(slots * KINDS.length)
    this.#longest = doubles(slots * KINDS.length)
    this.#control = integers(8)
    this.stops = integers(slots)
    this.reached = integers(slots)
    this.incarnation = integers(slots)
    this.alive = integers(slots)
    this.timeouts = integers(slots)
    this.begun = integers(slots * COUNTERS)
    this.added = integers(slots * COUNTERS)
    this.unknown = integers(slots * COUNTERS)
    this.ownPending = integers(slots * OWN)
    this.ownWritten = integers(slots * OWN)
    this.generation = integers(LOADED)
    this.deleted = integers(LOADED)
    this.loader = integers(LOADED)
    this.storer = integers(LOADED)
    this.loads = integers(LOADED)
    this.lostLoads = integers(LOADED)
    this.#tallies = integers(TALLIES)
  }

  static bytes(slots: number): number {
    return 8 * slots * DOUBLES_PER_SLOT + 4 * (INTEGERS + slots * (INTEGERS_PER_SLOT + 1))
  }

  get phase(): number {
    return Atomics.load(this.#control, 0)
  }

  set phase(phase: number) {
    Atomics.store(this.#control, 0, phase)
  }

  get excused(): boolean {
    return Atomics.load(this.#control, 1) !== 0
  }

  /** Whether calls may time out, since somebody is stopped, or was until just now, for longer than the bound. */
  set excused(excused: boolean) {
    Atomics.store(this.#control, 1, excused ? 1 : 0)
  }

  tally(what: number): void {
    Atomics.add(this.#tallies, what, 1)
  }

  /** Counts a loader: that it began, that it ended, and whether it failed. One that was killed began, but never ended. */
  async tallied<T>(loader: () => Promise<T>): Promise<T> {
    this.tally(TALLY_BEGUN)
    try {
      return await loader()
    } catch (error) {
      this.tally(TALLY_FAILED)
      throw error
    } finally {
      this.tally(TALLY_ENDED)
    }
  }

  talliesOf(what: number): number {
    return Atomics.load(this.#tallies, what)
  }

  record(slot: number, kind: Kind, milliseconds: number): void {
    const at = slot * KINDS.length + KINDS.indexOf(kind)
    this.#operations[at]++
    if (milliseconds > this.#longest[at]) this.#longest[at] = milliseconds
  }

  operationsOf(kind: Kind): number {
    return this.#ofKind(this.#operations, kind).reduce((sum, one) => sum + one, 0)
  }

  /** In milliseconds. */
  longestOf(kind: Kind): number {
    return Math.max(...this.#ofKind(this.#longest, kind))
  }

  operationsBy(slot: number): number {
    const from = slot * KINDS.length
    return this.#operations.subarray(from, from + KINDS.length).reduce((sum, one) => sum + one, 0)
  }

  #ofKind(table: Float64Array, kind: Kind): number[] {
    const index = KINDS.indexOf(kind)
    return Array.from({ length: this.slots }, (_, slot) => table[slot * KINDS.length + index])
  }

  /** The sums that a counter must lie between, of all members. */
  addedTo(counter: number): number {
    return this.#sum(this.added, counter)
  }

  addedAtMostTo(counter: number): number {
    return this.#sum(this.begun, counter) + this.#sum(this.unknown, counter)
  }

  #sum(table: Int32Array, counter: number): number {
    let sum = 0
    for (let slot = 0; slot < this.slots; slot++) sum += Atomics.load(table, slot * COUNTERS + counter)
    return sum
  }

  /** For a new member: what its predecessor did not get to know. */
  takeOver(slot: number): void {
    for (let at = slot * COUNTERS; at < (slot + 1) * COUNTERS; at++) {
      const open = Atomics.load(this.begun, at) - Atomics.load(this.added, at)
      Atomics.add(this.unknown, at, open)
      Atomics.sub(this.begun, at, open)
    }
    Atomics.add(this.incarnation, slot, 1)
    Atomics.store(this.alive, slot, 1)
  }

  /** Names a member, never 0. */
  nameOf(slot: number): number {
    return ((Atomics.load(this.incarnation, slot) & 0xffffff) << 7) | (slot + 1)
  }

  /** Whether the member so named was ended, or is about to be. */
  isGone(name: number): boolean {
    const slot = (name & 0x7f) - 1
    return Atomics.load(this.alive, slot) === 0 || this.nameOf(slot) !== name
  }
}
