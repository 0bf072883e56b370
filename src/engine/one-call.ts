import { RESULT_CALL, type Engine } from './engine.js'

const LAST_CALL = 2 ** 31 - 1

let calls = 0

/**
 * Runs operations of an engine that are parts of one call, so that all their waits together last no longer than those
 * of one operation may. Nested in another such call, it changes nothing.
 */
export function asOneCall<T>({ result }: Engine, run: () => T): T {
  if (result[RESULT_CALL] !== 0) return run()
  calls = calls === LAST_CALL ? 1 : calls + 1
  result[RESULT_CALL] = calls
  try {
    return run()
  } finally {
    result[RESULT_CALL] = 0
  }
}
