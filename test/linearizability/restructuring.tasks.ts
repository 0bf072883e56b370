import { FOUND, HASH_END, RESULT_ENTRY, RESULT_STATUS, type Engine } from '../../src/engine/engine.js'
import type { Core } from '../../src/engine/typescript/core.js'
import { Mover, MOVED } from '../../src/engine/typescript/write/move.js'
import { HEADER_SEGMENT_COUNT } from '../../src/format/layout.js'
import { ConcurrentMap } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import type { Shift } from '../support/crew.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import type { Operation } from './checker.js'
import type { MapCall } from './map-model.js'
import { pickRead, recordCalls, type Extent } from './recorder.tasks.js'

/** Bytes of the clock that the tasks here take: its first word is that of {@link recordCalls}. */
export const CLOCK_BYTES = 12

// The words after it: steps that the first worker took, and how often what they are for has happened.
const STEPS = 1
export const HAPPENED = 2

/** Keys that come and go: enough for two splits or three. */
const PASSING = 1400

/** What the first worker does, again and again, while the others record. */
interface Programme {
  readonly length: number
  /** Steps to each history. */
  readonly pace: number
  take(shift: Shift, step: number, key: number, happened: () => void): void
}

/** Histories that the first worker may be ahead of the others. */
const LEAD = 20
/** Keys of past histories that are left alone. */
const LAG = 10
/** Looks at whether another worker came along, before a rest of a millisecond. */
const LOOKS = 2000

/** Segments split when the keys have come, and join when these have gone. */
const joining: Programme = {
  length: 2 * PASSING + 1,
  pace: 24,
  take({ map }, step, _, happened) {
    if (step < PASSING) map.set(`passing ${step}`, 0)
    else if (step < 2 * PASSING) map.delete(`passing ${step - PASSING}`)
    else sweep(map, happened)
  },
}

/** Whatever engines the others have, it is the one in TypeScript that moves the very entry that they fight over. */
const moving: Programme = {
  length: 1,
  pace: 8,
  take(shift, _, key, happened) {
    const { engine, mover } = moverOf(shift)
    engine.peek(key)
    if (engine.result[RESULT_STATUS] === FOUND && mover.move(engine.result[RESULT_ENTRY], 0, 0) === MOVED) happened()
  },
}

let current: { map: Shift['map']; engine: Engine; mover: Mover } | undefined

function moverOf({ map }: Shift): { engine: Engine; mover: Mover } {
  if (current?.map !== map) {
    const engine = storeOf(ConcurrentMap.attach(map.handle, { engine: 'typescript', nearCache: false })).open()
    current = { map, engine, mover: new Mover((engine as unknown as { core: Core }).core) }
  }
  return current
}

/** Twice: what a first sweep has joined may be joined again. */
function sweep(map: Shift['map'], happened: () => void): void {
  const engine = storeOf(map).open()
  const { words } = engine
  for (let times = 0; times < 2; times++) {
    for (let hash = 0; hash < HASH_END;) {
      const before = Atomics.load(words, HEADER_SEGMENT_COUNT)
      hash = engine.sweep(hash, 1_000_000)
      if (engine.result[RESULT_STATUS] < 0) return
      for (let joined = Atomics.load(words, HEADER_SEGMENT_COUNT); joined < before; joined++) happened()
    }
  }
}

function recordAmong(programme: Programme, shift: Shift, clock: SharedMemory, extent: Extent): Operation<MapCall>[] {
  const counts = new Int32Array(openMemory(clock))
  if (shift.worker === 0) return run(programme, shift, counts, extent)
  // No history runs ahead of what it is to meet.
  const keepPace = (history: number): void => waitUntil(() => Atomics.load(counts, STEPS) >= history * programme.pace)
  return recordCalls(shift as Shift<number>, clock, extent, pickRead, keepPace)
}

/** Also deletes the keys of old histories, as a part of these: so many keys would keep segments from joining. */
function run(
  { pace, length, take }: Programme,
  shift: Shift,
  counts: Int32Array,
  { histories, calls, keys }: Extent,
): Operation<MapCall>[] {
  const happened = (): void => void Atomics.add(counts, HAPPENED, 1)
  const operations: Operation<MapCall>[] = []
  const { map, random } = shift
  let deleted = 0
  for (let step = 0; step < histories * pace; step++) {
    const history = (): number => Math.floor(Atomics.load(counts, 0) / (2 * calls))
    waitUntil(() => step / pace <= history() + LEAD)
    take(shift, step % length, history() * keys + random.below(keys), happened)
    Atomics.store(counts, STEPS, step + 1)
    for (const old = Math.min(history(), histories) * keys - LAG; deleted < old; deleted++) {
      const invoked = Atomics.add(counts, 0, 1)
      const result = map.delete(deleted)
      const returned = Atomics.add(counts, 0, 1)
      operations.push({ worker: 0, invoked, returned, call: { key: deleted, name: 'delete', result } })
    }
  }
  return operations
}

const nothing = new Int32Array(new SharedArrayBuffer(4))

function waitUntil(isSo: () => boolean): void {
  for (let looks = 0; !isSo(); looks++) if (looks >= LOOKS) Atomics.wait(nothing, 0, 0, 1)
}

/** Records calls on one key each while segments split and join. */
export function recordWhileJoining(shift: Shift, clock: SharedMemory, extent: Extent): Operation<MapCall>[] {
  return recordAmong(joining, shift, clock, extent)
}

/** Records calls on one key each while entries, theirs among them, are moved to other blocks. */
export function recordWhileMoving(shift: Shift, clock: SharedMemory, extent: Extent): Operation<MapCall>[] {
  return recordAmong(moving, shift, clock, extent)
}
