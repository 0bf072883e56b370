import { DONE, RESULT_STATUS } from './engine.js'
import { openEngine } from './open.js'

/**
 * Repairs a region that no other thread uses, and checks all of it.
 *
 * @returns the problems that remain, one line each
 */
export function repairAndVerify(region: ArrayBuffer): readonly string[] {
  const engine = openEngine(region, 'auto')
  try {
    engine.repair()
    const status = engine.result[RESULT_STATUS]
    return status === DONE ? engine.verify() : [`its repair ends with status ${status}`]
  } finally {
    engine.close()
  }
}
