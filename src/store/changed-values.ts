/**
 * Tells of values that were changed in place although nothing stores the change: with `freeze: false` a read returns an
 * open copy, and `map.get(key).count++` changes that copy alone.
 *
 * Meant for development. A read that finds an entry in the version of the read before has made the same value once more,
 * so the two must be equal. Was the entry written in between, by this thread or another, nothing is compared: the change
 * may be what was stored.
 */
import { describe } from '../base/describe.js'
import type { Key } from '../format/key.js'
import { isDeepStrictEqual } from '../platform/equality.js'
import { variable, warn } from '../platform/process.js'
import { serialize } from '../platform/serializer.js'

/** The most keys whose last value is remembered, and the largest value, in bytes, that is compared. */
const MAX_KEYS = 256
const MAX_BYTES = 65_536
/** The most warnings for one map object: the same line of code mostly changes many values. */
const MAX_WARNINGS = 5

/** The variable of the environment that says what to do, and its values. */
const VARIABLE = 'MAPSAFE_CHANGED_VALUES'
const CHOICES = ['off', 'warn', 'keys']

/** A value that was read. It can be collected all the same. */
interface Seen {
  readonly version: number
  readonly value: WeakRef<object>
}

/** Returns what notices changed values; undefined where that is not asked for. */
export function watchValues(freeze: boolean): ChangedValues | undefined {
  if (freeze) return undefined
  const usual = variable('NODE_ENV') === 'development' ? 'warn' : 'off'
  const chosen = variable(VARIABLE) ?? usual
  if (!CHOICES.includes(chosen)) {
    warn(`${VARIABLE} is ${describe(chosen)}; expected one of ${CHOICES.join(', ')}.`, 'MAPSAFE_ENVIRONMENT')
    return undefined
  }
  return chosen === 'off' ? undefined : new ChangedValues(chosen === 'keys')
}

/** The values that one map object has read last, in a thread. */
export class ChangedValues {
  /** By key, the one read longest ago first. Bytes, which a `Map` compares by identity, are left out. */
  readonly #seen = new Map<Key, Seen>()
  #warnings = 0

  /** @param tellsKeys whether a warning names the key, which may be a secret */
  constructor(private readonly tellsKeys: boolean) {}

  /** Compares the value of `key` with the one that was read before, and remembers it instead. */
  read(key: Key, version: number, value: unknown, bytes: number): void {
    if (typeof key === 'object' || typeof value !== 'object' || value === null) return
    const last = this.#seen.get(key)
    this.#seen.delete(key)
    if (bytes > MAX_BYTES || this.#warnings === MAX_WARNINGS) return
    const before = last?.version === version ? last.value.deref() : undefined
    if (before !== undefined && !areEqual(before, value)) this.#tell(key)
    this.#seen.set(key, { version, value: new WeakRef(value) })
    if (this.#seen.size > MAX_KEYS) this.#forgetOldest()
  }

  #tell(key: Key): void {
    const which = this.tellsKeys ? ` of key ${describe(key)}` : ''
    const more = ++this.#warnings === MAX_WARNINGS ? ' This map object warns no more.' : ''
    warn(
      `A value${which} that a map returned was changed in place, and nothing has stored the change: a read returns a copy. ` +
        'Store what should stay, with update or set; copy what should only serve here, with structuredClone. ' +
        `(${VARIABLE}=keys names the key, =off keeps silent.)${more}`,
      'MAPSAFE_CHANGED_VALUE',
    )
  }

  #forgetOldest(): void {
    const [oldest] = this.#seen.keys()
    this.#seen.delete(oldest)
  }
}

function areEqual(before: object, value: object): boolean {
  if (isDeepStrictEqual(before, value)) return true
  try {
    // Up to Node.js 20, isDeepStrictEqual finds an invalid Date unequal even to itself.
    return serialize(before).equals(serialize(value))
  } catch {
    return false // something was put in that no map can hold
  }
}
