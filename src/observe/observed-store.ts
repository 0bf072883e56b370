import {
  DONE,
  ENCODED,
  FOUND,
  NOT_DONE,
  PUT_ALWAYS,
  PUT_CONDITION_MASK,
  PUT_GIVEN,
  PUT_IF_ABSENT,
  PUT_IF_PRESENT,
  PUT_IF_VERSION,
  RESULT_LENGTH,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RETURN_PREVIOUS,
  type Engine,
} from '../engine/engine.js'
import { asOneCall } from '../engine/one-call.js'
import { addToCounter } from '../format/counters.js'
import type { Key } from '../format/key.js'
import type { Labels } from '../format/labels.js'
import { COUNTER_LOST_UPDATES } from '../format/layout.js'
import { recordOf } from '../format/thread-record.js'
import type { ValueEncoder } from '../codec/value.js'
import type { NearEntry } from '../store/near/near-entry.js'
import { lackedRoom } from '../store/room.js'
import type { Staged } from '../store/staged.js'
import { nearEntry, Store, type StoredEntry } from '../store/store.js'
import type { Guard } from './guard/guard.js'
import type { Alarm } from './lost-updates/alarm.js'
import type { LostUpdateProbe, LossFound, Overwriting } from './lost-updates/probe.js'
import type { Found } from './lost-updates/sight.js'
import { observeWrites } from './observed-engine.js'

/** Who watches. */
export interface Observers {
  readonly probe: LostUpdateProbe | undefined
  readonly alarm: Alarm | undefined
  readonly guard: Guard | undefined
}

/** A way to a map that is watched: for lost updates, and for what exceeds a threshold. A store of its own class, so that the others pay nothing for it. */
export class ObservedStore<V> extends Store<V> {
  override readonly isObserved = true
  readonly #probe: LostUpdateProbe | undefined
  readonly #alarm: Alarm | undefined
  readonly #guard: Guard | undefined

  constructor(engine: Engine, freeze: boolean, nearEntries: number, { probe, alarm, guard }: Observers) {
    super(engine, freeze, nearEntries)
    this.#probe = probe
    this.#alarm = alarm
    this.#guard = guard
    observeWrites(engine, {
      wrote: (key) => {
        probe?.wrote(key)
        guard?.called(key)
      },
      stored: (key, kind, operand) => guard?.stored(key, kind, operand),
      cleared: () => probe?.forgetAll(),
    })
  }

  override close(): boolean {
    this.#probe?.forgetAll()
    return super.close()
  }

  override near(key: Key): NearEntry | undefined {
    const hit = super.near(key)
    if (hit !== undefined) {
      this.#guard?.called(key)
      this.#probe?.read(key, hit.present ? hit.entryVersion : 0, hit.value)
    }
    return hit
  }

  override read(key: Key): V | undefined {
    const value = super.read(key)
    this.#noteRead(key, value)
    return value
  }

  override get(key: Key): V | undefined {
    const hit = this.near(key)
    return hit === undefined ? this.read(key) : (hit.value as V | undefined)
  }

  override getEntry(key: Key): StoredEntry<V> | undefined {
    const hit = this.near(key)
    if (hit !== undefined) return nearEntry(hit)
    const value = this.read(key)
    return this.found ? this.lastEntry(value as V) : undefined
  }

  override getEntryOfMany(key: Key): StoredEntry<V> | undefined {
    const hit = this.near(key)
    if (hit !== undefined) return nearEntry(hit)
    const entry = super.getEntryOfMany(key)
    this.#noteRead(key, entry?.value)
    return entry
  }

  override peek(key: Key): V | undefined {
    const value = super.peek(key)
    this.#noteRead(key, value)
    return value
  }

  override peekEntry(key: Key): StoredEntry<V> | undefined {
    const entry = super.peekEntry(key)
    this.#noteRead(key, entry?.value)
    return entry
  }

  override has(key: Key): boolean {
    const isPresent = super.has(key)
    this.#guard?.called(key)
    if (!isPresent) this.#probe?.read(key, 0, undefined)
    return isPresent
  }

  override encode(value: unknown): ValueEncoder {
    const encoder = super.encode(value)
    this.#probe?.offered(encoder, value)
    return encoder
  }

  override timed<T>(key: Key, run: () => T): T {
    return this.#guard === undefined ? run() : this.#guard.timed(key, run)
  }

  override put(
    engine: Engine,
    key: Key,
    value: Staged,
    mode: number,
    version: number | undefined,
    expiresAt: number,
    staleUntil: number,
    labels: Labels | undefined,
  ): unknown {
    const put = (way: number, expected = version): unknown =>
      super.put(engine, key, value, way | (mode & PUT_GIVEN), expected, expiresAt, staleUntil, labels)
    const probe = this.#probe
    const condition = mode & PUT_CONDITION_MASK
    if (probe === undefined) return put(mode)
    const origin = probe.originOf(key, value)
    if (condition !== PUT_ALWAYS && condition !== PUT_IF_PRESENT) return put(mode)
    const note = probe.expected(key)
    const replaced = note?.isArmed === true ? this.#putExpecting(engine, note.version, condition, put) : void put(mode)
    if (engine.result[RESULT_STATUS] !== DONE) return undefined
    const loss = probe.overwrote({ note, origin, replaced, written: this.version })
    if (loss !== undefined) this.#tell(engine, key, loss)
    return undefined
  }

  /**
   * Writes on condition of the version that was read, and if the entry has another one, in any case. So the write and
   * the look at what it replaces are one atomic step, and a version that does not hold once never holds again.
   *
   * @returns what the write replaced, if it was something else
   */
  #putExpecting(
    engine: Engine,
    expected: number,
    mode: number,
    put: (condition: number, version?: number) => unknown,
  ): Overwriting['replaced'] {
    const { result } = engine
    return asOneCall(engine, () => {
      let version = 0
      if (expected !== 0 || mode === PUT_ALWAYS) {
        put(expected === 0 ? PUT_IF_ABSENT : PUT_IF_VERSION, expected)
        if (result[RESULT_STATUS] !== NOT_DONE) return undefined
        if (result[RESULT_PREVIOUS] === FOUND) version = this.version
      }
      let previous: unknown
      do previous = put(mode | RETURN_PREVIOUS)
      while (lackedRoom(engine))
      if (result[RESULT_PREVIOUS] === FOUND) return { version, found: { value: () => previous, bytes: undefined } }
      if (result[RESULT_PREVIOUS] === ENCODED) return { version, found: this.#foundInScratch(engine) }
      return { version, found: undefined }
    })
  }

  #foundInScratch(engine: Engine): Found {
    const bytes = engine.scratch.subarray(0, engine.result[RESULT_LENGTH] >>> 0)
    return { value: () => this.decodeScratch(engine), bytes }
  }

  /** Notes the outcome of the engine's read that is just over. */
  #noteRead(key: Key, value: unknown): void {
    this.#guard?.called(key)
    if (this.#probe === undefined) return
    if (!this.found) {
      this.#probe.read(key, 0, undefined)
      return
    }
    const { result, scratch } = this.open()
    // An object that is frozen stays as it was read; another one may be changed by the caller.
    const isMutable = result[RESULT_STATUS] === ENCODED && !this.isImmutable
    this.#probe.read(key, this.version, value, isMutable ? scratch.subarray(0, result[RESULT_LENGTH] >>> 0) : undefined)
  }

  #tell(engine: Engine, key: Key, loss: LossFound): void {
    addToCounter(engine.words, recordOf(engine.mark), COUNTER_LOST_UPDATES, 1)
    // A subscriber may use the map.
    const outcome = engine.result.slice()
    this.#alarm?.tell(key, loss)
    engine.result.set(outcome)
  }
}
