/** Operations on many keys in one call. Each key is treated as if it came alone; see {@link Engine.getMany}. */
import type { Key } from '../../format/key.js'
import { isEncodedKind } from '../../format/kinds.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FOUND,
  PUT_ALWAYS,
  PUT_GIVEN,
  RESULT_GIVEN_LABELS,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_STATUS,
  SCRATCH_TOO_SMALL,
  VALUE_RECORD_WORDS,
  type Engine,
} from '../engine.js'
import type { Core } from './core.js'
import { wordsFor } from '../../format/entry.js'

export function getMany(core: Core, engine: Engine, keys: readonly Key[], values: unknown[], from: number): number {
  const { result, scratchWords } = core
  let records = 0
  let used = 0
  let i = from
  result[RESULT_STATUS] = DONE
  for (; i < keys.length && used + VALUE_RECORD_WORDS <= scratchWords.length; i++) {
    core.scratchStart = used + VALUE_RECORD_WORDS
    const value = engine.get(keys[i])
    const status = result[RESULT_STATUS]
    if (status === FOUND) values[i] = value
    else if (status === ENCODED) {
      scratchWords[used] = i
      scratchWords[used + 1] = result[RESULT_KIND]
      scratchWords[used + 2] = result[RESULT_LENGTH]
      used = core.scratchStart + wordsFor(result[RESULT_LENGTH])
      records++
    } else if (status !== ABSENT) break
    result[RESULT_STATUS] = DONE
  }
  core.scratchStart = 0
  if (result[RESULT_STATUS] !== SCRATCH_TOO_SMALL) result[RESULT_LENGTH] = records
  else if (i === from) result[RESULT_LENGTH] += VALUE_RECORD_WORDS * 4
  else {
    result[RESULT_STATUS] = DONE
    result[RESULT_LENGTH] = records
  }
  return i
}

export function putMany(
  core: Core,
  engine: Engine,
  keys: readonly Key[],
  kinds: readonly number[],
  operands: readonly unknown[],
  from: number,
  to: number,
  expiresAt: number,
): number {
  const { result } = core
  const labels = result[RESULT_GIVEN_LABELS]
  result[RESULT_STATUS] = DONE
  let i = from
  for (; i < to; i++) {
    result[RESULT_GIVEN_LABELS] = labels
    engine.put(keys[i], kinds[i], operands[i], PUT_ALWAYS | PUT_GIVEN, 0, expiresAt)
    if (result[RESULT_STATUS] !== DONE) break
    if (isEncodedKind(kinds[i])) core.scratchStart += wordsFor(operands[i] as number)
  }
  core.scratchStart = 0
  result[RESULT_GIVEN_LABELS] = 0
  return i
}

export function removeMany(core: Core, engine: Engine, keys: readonly Key[]): number {
  const { result } = core
  let removed = 0
  let i = 0
  result[RESULT_STATUS] = DONE
  for (; i < keys.length; i++) {
    engine.remove(keys[i], PUT_ALWAYS)
    if (result[RESULT_STATUS] < 0) break
    if (result[RESULT_STATUS] === DONE) removed++
    result[RESULT_STATUS] = DONE
  }
  result[RESULT_LENGTH] = removed
  return i
}
