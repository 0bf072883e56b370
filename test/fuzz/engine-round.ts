import assert from 'node:assert/strict'
import {
  DONE,
  HASH_END,
  NO_LIMIT,
  RESULT_LENGTH,
  RESULT_STATUS,
  PUT_IF_PRESENT,
  RENEW_EXPIRY,
  RETURN_PREVIOUS,
  SCRATCH_TOO_SMALL,
  UNCHANGED,
  UNKNOWN_KIND,
  type Engine,
} from '../../src/engine/engine.js'
import { setWaitBound } from '../../src/engine/typescript/threads/wait-budget.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { abandon } from '../support/abandon.js'
import { markOf } from '../../src/format/thread-record.js'
import { MapsafeError } from '../../src/base/errors.js'
import {
  BLOCK_WORDS,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  HEADER_DIRECTORY_MUTEX,
  HEADER_HEAP_MUTEX,
  MIN_REGION_BYTES,
  SEGMENT_MUTEX,
  VALUE_BYTES,
  VALUE_LATIN1,
  VALUE_NUMBER,
} from '../../src/format/layout.js'
import type { Random } from '../support/random.js'
import { Damage } from './damage.js'

const KEYS = 900
const LENGTHS = [0, 3, 8, 30, 300, 600, 5000, 33_000, 200_000]
/** Far more calls than an iteration over the smallest region takes. */
const MOST_COLLECTS = 4096

const image = makeImage()

/** A region with keys, tombstones, a large value, several segments, and some blocks in a thread's cache. */
function makeImage(): Int32Array {
  const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
  formatRegion(buffer)
  const engine = new TypescriptEngine(buffer)
  for (let i = 0; i < KEYS; i++)
    engine.put(i, i % 7 === 0 ? VALUE_NUMBER : VALUE_LATIN1, i % 7 === 0 ? i : 'v'.repeat((i * 13) % 400), 0)
  for (let i = 0; i < KEYS; i += 3) engine.remove(i, 0)
  engine.put('large', VALUE_LATIN1, 'v'.repeat(50_000), 0)
  engine.close()
  return new Int32Array(buffer).slice()
}

/**
 * One region, damaged and worked on by turns. Throws if an operation throws, or ends with a status it must not have;
 * all but the opening of an engine, which may be refused.
 */
export function runEngineRound(random: Random): void {
  setWaitBound(0)
  const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
  const words = new Int32Array(buffer)
  words.set(image)
  const damage = new Damage(words, random)
  let engine = open(buffer)
  for (let step = 0; step < 60; step++) {
    const event = random.below(100)
    if (event < 30) damage.strike()
    else if (engine === undefined) return
    else if (event < 32) {
      engine.close()
      engine = open(buffer)
    } else if (event < 34) {
      if (random.chance(0.5)) engine.hold(random.below(KEYS))
      die(engine, words, random)
      engine = open(buffer)
    } else operate(engine, random)
  }
  engine?.verify()
  engine?.close()
}

/**
 * All attached threads die: with the key that they hold, perhaps with a mutex, perhaps with what damage announced. What
 * they leave is taken over when the next one comes.
 */
function die(engine: Engine, words: Int32Array, random: Random): void {
  const last = words.slice()
  engine.close()
  words.set(last)
  const segment = words[words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES + random.below(8)]
  const mutex = random.pick([HEADER_HEAP_MUTEX, HEADER_DIRECTORY_MUTEX, segment * BLOCK_WORDS + SEGMENT_MUTEX])
  if (random.chance(0.8) && words[mutex] === 0) words[mutex] = markOf(words, 0)
  abandon(words)
}

function open(buffer: SharedArrayBuffer): Engine | undefined {
  try {
    return new TypescriptEngine(buffer)
  } catch (error) {
    if (error instanceof MapsafeError) return undefined
    throw error
  }
}

function operate(engine: Engine, random: Random): void {
  const key = random.chance(0.05) ? 'large' : random.below(KEYS + 50)
  const mode = random.below(4) + (random.chance(0.5) ? RETURN_PREVIOUS : 0)
  const value = 'w'.repeat(random.pick(LENGTHS))
  switch (random.below(14)) {
    case 0:
      engine.get(key)
      engine.getPassing(key)
      break
    case 1:
      engine.getIfChanged(key, random.below(10))
      break
    case 2:
      engine.peek(key)
      break
    case 3:
      engine.put(key, VALUE_LATIN1, value, mode, random.below(10))
      break
    case 4:
      engine.put(key, VALUE_BYTES, random.below(engine.scratch.length), mode, random.below(10))
      break
    case 5:
      for (let i = 0, end = random.below(400); i < end; i++) engine.put(random.below(5000), VALUE_NUMBER, i, 0)
      break
    case 6:
      for (let i = 0, end = random.below(400); i < end; i++)
        engine.remove(random.below(KEYS), random.chance(0.5) ? 0 : RETURN_PREVIOUS)
      break
    case 7:
      engine.increment(
        key,
        1,
        random.below(3) * 1e12,
        random.pick([0, PUT_IF_PRESENT]) | random.pick([0, RENEW_EXPIRY]),
      )
      break
    case 8:
      holdAndEnd(engine, key, value, random)
      break
    case 9:
      collect(engine, random)
      break
    case 10:
      batch(engine, random)
      break
    case 11:
      engine.repair()
      break
    case 12:
      if (random.chance(0.3)) engine.clear(0, NO_LIMIT)
      else engine.snapshot()
      break
    default:
      engine.size()
      engine.getForLoad(key)
      engine.sweep(random.below(2 ** 32), 1000)
      assert.ok(engine.verify().length <= 100)
  }
  check(engine)
}

function holdAndEnd(engine: Engine, key: number | string, value: string, random: Random): void {
  engine.hold(key)
  check(engine)
  const status = engine.result[RESULT_STATUS]
  if (status < 0 || status > 2) return
  switch (random.below(3)) {
    case 0:
      engine.putHeld(key, VALUE_LATIN1, value)
      break
    case 1:
      engine.removeHeld(key)
      break
    default:
      engine.letGo()
  }
}

function collect(engine: Engine, random: Random): void {
  let from = random.below(2 ** 32)
  for (let calls = 0; from < HASH_END; calls++) {
    assert.ok(calls < MOST_COLLECTS, 'an iteration does not end')
    const next = engine.collect(from, HASH_END, random.chance(0.5) ? NO_LIMIT : 1 + random.below(100))
    check(engine)
    if (engine.result[RESULT_STATUS] !== DONE) return
    assert.ok(next > from, 'an iteration stands still')
    from = next
  }
}

function batch(engine: Engine, random: Random): void {
  const keys = Array.from({ length: 50 }, () => random.below(KEYS))
  const values: unknown[] = []
  engine.getMany(keys, values, 0)
  check(engine)
  engine.removeMany(keys)
  check(engine)
  engine.putMany(
    keys,
    keys.map(() => VALUE_NUMBER),
    keys,
    0,
    keys.length,
  )
  check(engine)
}

/** Checks the status, and grows the scratch buffer as the facade does. */
function check(engine: Engine): void {
  const status = engine.result[RESULT_STATUS]
  assert.ok(status >= UNKNOWN_KIND && status <= UNCHANGED, `status ${status}`)
  if (status !== SCRATCH_TOO_SMALL) return
  const bytes = engine.result[RESULT_LENGTH] >>> 0
  assert.ok(bytes <= 2 * MIN_REGION_BYTES, `${bytes} bytes are asked for`)
  engine.growScratch(bytes)
}
