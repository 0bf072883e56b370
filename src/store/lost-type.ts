import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import type { Key } from '../format/key.js'
import type { Store } from './store.js'

/** Makes the error for a counter that holds no integer any more. It tells what is there now, which says who wrote it. */
export function lostType(store: Store<unknown>, key: Key): MapsafeTypeError {
  return new MapsafeTypeError(
    'ERR_MAPSAFE_COUNTER',
    `Key ${describe(key)} holds ${named(store.readPassing(key))}; expected a safe integer, which alone can be incremented. ` +
      'A write gave the counter another type: set it to an integer, and count with increment alone.',
  )
}

function named(value: unknown): string {
  const isNamed = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  return isNamed ? `the ${typeof value} ${describe(value)}` : describe(value)
}
