import { describe } from '../base/describe.js'
import { MapsafeError, MapsafeRangeError, MapsafeTypeError } from '../base/errors.js'
import { isUint8Array } from '../base/views.js'
import { KeyBuffer, type Key } from '../format/key.js'
import { maxCacheEntryBytes } from '../format/geometry.js'
import { unknownKind } from '../format/kinds.js'
import { FLAG_CACHE, HEADER_FLAGS, MAX_KEY_BYTES, REGISTRY_THREADS } from '../format/layout.js'
import {
  CORRUPT,
  COUNTER_RANGE,
  ENTRY_TOO_LARGE,
  FULL,
  KEY_TYPE,
  RESULT_KIND,
  RESULT_STATUS,
  TIMEOUT,
  UNKNOWN_KIND,
  type Engine,
} from './engine.js'
import { timeoutMessage } from './timeout-message.js'

/**
 * Makes the error for the negative status that the last call left in `engine.result`.
 * @param key the key of the call, which the message names
 * @param status a status in place of that of the last call
 */
export function engineError(engine: Engine, key?: unknown, status = engine.result[RESULT_STATUS]): Error {
  switch (status) {
    case FULL:
      return new MapsafeError(
        'ERR_MAPSAFE_FULL',
        `No room is left for ${key === undefined ? 'it' : `the entry of key ${describe(key)}`} in a map of ${engine.words.byteLength} bytes. ` +
          'Delete entries, or create the map with a larger maxBytes.',
      )
    case TIMEOUT:
      return new MapsafeError('ERR_MAPSAFE_TIMEOUT', timeoutMessage(engine))
    case CORRUPT:
      return new MapsafeError(
        'ERR_MAPSAFE_CORRUPT',
        "The region's bytes contradict themselves: something wrote into it past the map. verify() tells where. " +
          'Create a new map.',
      )
    case ENTRY_TOO_LARGE:
      return tooLarge(engine, key as Key)
    case KEY_TYPE:
      return new MapsafeTypeError(
        'ERR_MAPSAFE_KEY_TYPE',
        isUint8Array(key)
          ? 'The key is a Uint8Array whose memory is gone: its ArrayBuffer was detached, as by a transfer, or shrunk. ' +
              'Make the key before that, or of a copy.'
          : `The key is ${describe(key)}; expected a string, number, bigint, boolean or Uint8Array.`,
      )
    case COUNTER_RANGE:
      return new MapsafeRangeError(
        'ERR_MAPSAFE_COUNTER',
        `The sum under key ${describe(key)} would leave the safe integers (-(2^53 - 1) to 2^53 - 1). Count in a ` +
          'bigint or in several keys.',
      )
    case UNKNOWN_KIND:
      return unknownKind(engine.result[RESULT_KIND], `key ${describe(key)}`)
    default:
      return new MapsafeError(
        'ERR_MAPSAFE_CORRUPT',
        `The ${engine.kind} engine answered with status ${status}, which this version does not know. Please report it.`,
      )
  }
}

/** Makes the error for a map in which every thread record is taken. */
export function tooManyThreads(): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_THREADS',
    `All ${REGISTRY_THREADS} thread records of the map are taken. Close maps that are no longer used, and use one map ` +
      'object a thread.',
  )
}

function tooLarge({ words }: Engine, key: Key): Error {
  const bytes = words.byteLength
  const keyBuffer = new KeyBuffer()
  if (!keyBuffer.encode(key)) {
    return new MapsafeRangeError(
      'ERR_MAPSAFE_ENTRY_TOO_LARGE',
      `The key ${describe(key)} takes more than ${MAX_KEY_BYTES} bytes, the most that a key can have. Shorten it, or use ` +
        'its hash in its place.',
    )
  }
  const why =
    (words[HEADER_FLAGS] & FLAG_CACHE) === 0
      ? `fits into no empty map of ${bytes} bytes`
      : `takes more than ${maxCacheEntryBytes(bytes)} bytes, the most that a cache of ${bytes} bytes can always make room for`
  return new MapsafeRangeError(
    'ERR_MAPSAFE_ENTRY_TOO_LARGE',
    `The entry of key ${describe(key)} ${why}. Use a map with a larger maxBytes, or split the value.`,
  )
}
