import { MapsafeError } from '../base/errors.js'
import { isOutOfReach } from '../base/views.js'
import { tooManyThreads } from './engine-error.js'
import type { Engine, EngineChoice } from './engine.js'
import { loadNative, nativeFailure, warnWithoutNative } from '../platform/addon.js'
import { pid, threadId } from '../platform/process.js'
import { isSharedArrayBuffer } from '../platform/brands.js'
import { TypescriptEngine } from './typescript/engine.js'
import { checkRegion } from '../format/header.js'

export { formatRegion } from './typescript/format.js'

/**
 * Attaches this thread to a region with an engine of its choice.
 *
 * @throws MapsafeError `ERR_MAPSAFE_FORMAT` if `region` is not a region, `ERR_MAPSAFE_ENGINE` if the native engine is
 * required and cannot be loaded, `ERR_MAPSAFE_THREADS` if every thread record is taken
 */
export function openEngine(region: SharedArrayBuffer | ArrayBuffer, choice: EngineChoice): Engine {
  const native = choice === 'typescript' ? undefined : loadNative()
  if (native === undefined) {
    if (choice === 'native') {
      throw new MapsafeError(
        'ERR_MAPSAFE_ENGINE',
        `The native engine was asked for, but ${nativeFailure()}. Build it with "npm run build:native", or use the option ` +
          "engine: 'auto'.",
      )
    }
    if (choice === 'auto') warnWithoutNative()
  }
  if (native === undefined) return new TypescriptEngine(region)
  checkRegion(region)
  const words = new Int32Array(region)
  const engine = native.createEngine(words, pid, threadId, isOutOfReach, wakerOf(words)) as Engine | null
  if (engine !== null) return engine
  throw tooManyThreads()
}

/** Returns the part of a wake-up that only JavaScript can do: in the memory of one process. */
function wakerOf(words: Int32Array): ((at: number) => void) | undefined {
  if (!isSharedArrayBuffer(words.buffer)) return undefined
  return (at) => {
    Atomics.notify(words, at)
  }
}
