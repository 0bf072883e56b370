import { MapsafeError } from '../base/errors.js'
import { fromJson as decode, NotAnEncoding } from './encoding.js'

export { toJson, type Json } from './encoding.js'

/**
 * Returns the key or value that {@link toJson} made `json` of. O(size).
 *
 * @throws MapsafeError `ERR_MAPSAFE_FORMAT` if it made it of none
 */
export function fromJson(json: unknown): unknown {
  try {
    return decode(json)
  } catch (error) {
    if (!(error instanceof NotAnEncoding)) throw error
    throw new MapsafeError('ERR_MAPSAFE_FORMAT', `The JSON is no key or value: it ${error.problem}.`)
  }
}
