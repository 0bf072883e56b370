import { MapsafeError, MapsafeTypeError } from '../base/errors.js'

/**
 * Makes the error for a value, or a part of one, that a map cannot hold.
 *
 * @param path the way to the part, such as `value.user`
 * @param what completes the sentence "... is", such as "a function"
 * @param instead what to do, such as "store its href"
 */
export function notStorable(path: string, what: string, instead = 'store the data behind it'): MapsafeTypeError {
  return new MapsafeTypeError(
    'ERR_MAPSAFE_VALUE_TYPE',
    `${path} is ${what}, which a map cannot hold. Values are what structuredClone copies: data, but no functions, ` +
      `symbols or host objects. Leave it out, or ${instead}.`,
  )
}

/** Makes the error for bytes that are not an encoding of a value. */
export function corruptValue(cause?: unknown): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_CORRUPT',
    "The bytes of a value are no encoding of one: something wrote into the map's region past the map. Create a new map.",
    cause === undefined ? undefined : { cause },
  )
}
