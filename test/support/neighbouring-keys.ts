import { RESULT_HOME } from '../../src/engine/engine.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { findPlace } from '../../src/public/handle.js'
import type { MapHandle } from '../../src/index.js'
import { BLOCK_BYTES, LINE_BYTES } from '../../src/format/layout.js'

/**
 * Keys for a home bucket and for those after it, `counts` of each: where hashes lead is secret, and different in every
 * region, so keys are tried one after the other. The map must still be small, of one segment.
 */
export function neighbouringKeys(handle: MapHandle, counts: readonly number[]): string[][] {
  const engine = new TypescriptEngine(findPlace(handle).region)
  const byHome = new Map<number, string[]>()
  const keysAt = (home: number): string[] => byHome.get(home) ?? []
  for (let i = 0; ; i++) {
    const key = `key ${i}`
    engine.peek(key)
    const home = engine.result[RESULT_HOME]
    byHome.set(home, [...keysAt(home), key])
    for (const first of byHome.keys()) {
      const found = counts.map((count, j) => keysAt(first + (j * LINE_BYTES) / BLOCK_BYTES).slice(0, count))
      if (found.some((keys, j) => keys.length < counts[j])) continue
      engine.close()
      return found
    }
  }
}
