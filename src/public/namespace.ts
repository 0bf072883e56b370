import type { Returned } from '../base/cloned.js'
import { checkFunction, optionOf, wrongInput } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import { refuseCloning } from '../base/thread-bound.js'
import { isUint8Array } from '../platform/brands.js'
import type { KeyChoice } from '../store/key-choice.js'
import { Membership, namespaceLabel } from '../store/membership.js'
import type { Store } from '../store/store.js'
import { entriesOf, keysOf, valuesOf } from '../store/walks.js'
import { adaptManyLoader } from './namespace-loader.js'

/**
 * Methods whose first argument is a key, with the place of the options that say what a new entry belongs to; 0 for those
 * that make none. The second number is the place of a function that is called with the key, 0 for none.
 */
const OF_ONE_KEY: Readonly<Record<string, readonly [options: number, callback: number]>> = {
  ...{ get: [0, 0], has: [0, 0], getEntry: [0, 0], peek: [0, 0], peekEntry: [0, 0] },
  ...{ delete: [0, 0], deleteIfVersion: [0, 0], compareAndDelete: [0, 0], take: [0, 0], touch: [0, 0] },
  ...{ set: [2, 0], setIfAbsent: [2, 0], replace: [2, 0], swap: [2, 0], getOrInsert: [2, 0], update: [2, 0] },
  ...{ setIfVersion: [3, 0], compareAndSwap: [3, 0], increment: [2, 0], incrementEntry: [2, 0] },
  ...{ getOrInsertComputed: [2, 1], getOrLoad: [2, 1] },
}
/** Methods whose first argument has keys. */
const OF_KEYS = ['getMany', 'hasMany', 'getEntries', 'deleteMany']

/** What a namespace has of a map as it is: methods about keys. */
export type KeyMethods =
  | ('get' | 'has' | 'getEntry' | 'peek' | 'peekEntry' | 'delete' | 'deleteIfVersion' | 'compareAndDelete' | 'take')
  | ('setIfAbsent' | 'setIfVersion' | 'replace' | 'compareAndSwap' | 'swap' | 'getOrInsert' | 'getOrInsertComputed')
  | ('update' | 'increment' | 'incrementEntry' | 'getMany' | 'hasMany' | 'getEntries' | 'deleteMany')

/** What the namespaces of maps and of caches have alike. */
export interface Walks<V, Freeze extends boolean> extends Iterable<[string, Returned<V, Freeze>]> {
  /** What the keys in the map begin with, those of the namespaces around it included. */
  readonly prefix: string
  /**
   * Takes every entry away that was written by a namespace with this prefix, or by one within it: from its return on, no
   * thread and no process finds one, and what is being computed or loaded for one is not kept. O(1), however many there are.
   * They are deleted in the background, or where their room is needed; `size` of the map counts them until then.
   *
   * Entries with the prefix that were written by the map itself stay. To delete those as well, in O(entries of the map),
   * call `deleteWhere({ prefix })` of the map.
   */
  clear(): void
  /**
   * Deletes entries by their keys, as {@link ConcurrentMap.deleteWhere} does, of the keys with the namespace's prefix.
   * `prefix` and `key` of the choice are about keys without it.
   */
  deleteWhere(choice: KeyChoice<string>): number
  /** Iterates over the keys, as {@link ConcurrentMap.keys} does. O(entries of the map), of which only these are read. */
  keys(): MapIterator<string>
  /** Iterates over the values, as {@link ConcurrentMap.keys} does. */
  values(): MapIterator<Returned<V, Freeze>>
  /** Iterates over pairs of key and value, as {@link ConcurrentMap.keys} does. */
  entries(): MapIterator<[string, Returned<V, Freeze>]>
  /** Calls `callback` for every entry, as {@link ConcurrentMap.forEach} does. */
  forEach(callback: (value: Returned<V, Freeze>, key: string, namespace: this) => void, thisArg?: unknown): void
}

/** How many namespaces may lie in each other. */
const MAX_DEPTH = 4

const SEND_HANDLE = Symbol(
  'A namespace belongs to the thread that made it: send the handle of its map, attach to that, and call namespace there. It',
)

type AnyFunction = (...parameters: unknown[]) => unknown
/** A map, with its methods by their names. */
type AnyMap = Readonly<Record<string, AnyFunction>>

class Namespace {
  readonly #map: AnyMap
  readonly #store: Store<unknown>
  readonly #prefix: string
  /** Names of its label, and of those around it. */
  readonly #labels: readonly string[]
  readonly #isCache: boolean
  /** The options of a call without any. */
  readonly #belonging: object

  static {
    const { prototype } = this
    const add = (name: string, method: AnyFunction): void => {
      Object.defineProperty(method, 'name', { value: name })
      Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true })
    }
    for (const [name, [options, callback]] of Object.entries(OF_ONE_KEY)) {
      add(name, function (this: Namespace, ...given: unknown[]) {
        const map = this.#map
        given[0] = this.#within(given[0])
        if (callback !== 0) given[callback] = this.#callingWithout(given[callback])
        if (options !== 0) given[options] = this.#belongingOf(given[options], name)
        const result = map[name](...given)
        return result === map ? this : result
      })
    }
    for (const name of OF_KEYS) {
      add(name, function (this: Namespace, keys: unknown, ...rest: unknown[]) {
        return this.#map[name](this.#allWithin(keys), ...rest)
      })
    }
    Object.defineProperty(prototype, Symbol.iterator, Object.getOwnPropertyDescriptor(prototype, 'entries')!)
    Object.defineProperty(prototype, Symbol.toStringTag, { value: 'Namespace', configurable: true })
  }

  constructor(map: AnyMap, store: Store<unknown>, prefix: string, around: readonly string[]) {
    refuseCloning(this, SEND_HANDLE)
    this.#map = map
    this.#store = store
    this.#prefix = prefix
    this.#labels = [...around, namespaceLabel(prefix)]
    this.#isCache = store.mayExpire
    this.#belonging = withTags({}, new Membership(this.#labels, undefined))
  }

  get prefix(): string {
    return this.#prefix
  }

  namespace(prefix: string): Namespace {
    const map = this.#map
    checkPrefix(prefix)
    if (this.#labels.length < MAX_DEPTH) return new Namespace(map, this.#store, this.#prefix + prefix, this.#labels)
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The namespace ${describe(this.#prefix)} lies in ${MAX_DEPTH - 1} others; expected ${MAX_DEPTH - 2} at most. Make one of a longer prefix.`,
    )
  }

  clear(): void {
    this.#store.invalidate(this.#labels.slice(-1))
  }

  deleteWhere(choice: KeyChoice<string>): unknown {
    const map = this.#map
    // Anything else is refused there.
    if (typeof choice !== 'object' || (choice as unknown) === null || Array.isArray(choice)) return refuseChoice(choice)
    const [prefix, key] = [optionOf(choice, 'prefix'), optionOf(choice, 'key')]
    const isChoice = (typeof prefix === 'string' && prefix !== '') || (prefix === undefined && key !== undefined)
    if (!isChoice || Object.keys(choice).some((name) => name !== 'prefix' && name !== 'key'))
      return map.deleteWhere(choice)
    return map.deleteWhere({ prefix: this.#prefix + (prefix ?? ''), key: key && this.#callingWithout(key) })
  }

  setMany(entries: Iterable<unknown>, options?: unknown): this {
    const map = this.#map
    const common = this.#belongingOf(options, 'setMany')
    map.setMany(isIterable(entries) ? this.#entriesWithin(entries) : entries, common)
    return this
  }

  getManyOrLoad(keys: unknown, loadMissing: unknown, options?: unknown): unknown {
    const map = this.#map
    const adapted =
      typeof loadMissing === 'function' ? adaptManyLoader(this.#prefix, loadMissing as never) : loadMissing
    return map.getManyOrLoad(this.#allWithin(keys), adapted, this.#belongingOf(options, 'getManyOrLoad'))
  }

  keys(): unknown {
    return stripped(keysOf(this.#store, this.#prefix), this.#prefix.length)
  }

  values(): unknown {
    return valuesOf(this.#store, this.#prefix)
  }

  entries(): unknown {
    return strippedEntries(entriesOf(this.#store, this.#prefix), this.#prefix.length)
  }

  forEach(callback: AnyFunction, thisArg?: unknown): void {
    const [store, prefix] = [this.#store, this.#prefix]
    checkFunction('callback', callback)
    for (const [key, value] of strippedEntries(entriesOf(store, prefix), prefix.length)) {
      Reflect.apply(callback, thisArg, [value, key, this])
    }
  }

  #within(key: unknown): string {
    if (typeof key === 'string') return this.#prefix + key
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_KEY_TYPE',
      `The key is ${describe(key)}; expected a string: keys of a namespace follow its prefix.`,
    )
  }

  /** Returns the keys with the prefix; what are no keys as it is, to be refused. */
  #allWithin(keys: unknown): unknown {
    return isIterable(keys) ? Array.from(keys, (key) => this.#within(key)) : keys
  }

  *#entriesWithin(entries: Iterable<unknown>): Generator {
    for (const entry of entries) {
      if (!Array.isArray(entry) || entry.length === 0) {
        yield entry // to be refused
        continue
      }
      const [key, value, options] = entry as [unknown, unknown, unknown]
      const isOwn = options !== undefined && this.#isCache
      yield [this.#within(key), value, isOwn ? this.#belongingOf(options, 'setMany') : undefined]
    }
  }

  #callingWithout(callback: unknown): unknown {
    if (typeof callback !== 'function') return callback // to be refused
    const { length } = this.#prefix
    return (key: string, ...rest: unknown[]): unknown =>
      Reflect.apply(callback, undefined, [key.slice(length), ...rest])
  }

  /** Returns options that say, besides what is given, that the entry belongs here. */
  #belongingOf(options: unknown, method: string): unknown {
    // A map has no options but those of increments.
    const has = this.#isCache || method.startsWith('increment')
    if (options === undefined || !has) return this.#belonging
    if (typeof options !== 'object' || options === null || Array.isArray(options)) return options // to be refused
    if (!this.#isCache && Object.hasOwn(options, 'tags')) return options // to be refused
    return withTags(options, new Membership(this.#labels, optionOf(options, 'tags')))
  }
}

/** Returns a copy of options with other tags, which are not enumerable: a map, which has no tags, refuses others. */
function withTags(options: object, tags: Membership): object {
  const properties = { ...Object.getOwnPropertyDescriptors(options), tags: { value: tags } }
  return Object.create(Object.getPrototypeOf(options) as object | null, properties) as object
}

function isIterable(given: unknown): given is Iterable<unknown> {
  return typeof given === 'object' && given !== null && !isUint8Array(given) && Symbol.iterator in given
}

function* stripped(keys: Iterable<unknown>, length: number): Generator {
  for (const key of keys) yield (key as string).slice(length)
}

function* strippedEntries(entries: Iterable<[unknown, unknown]>, length: number): Generator<[unknown, unknown]> {
  for (const [key, value] of entries) yield [(key as string).slice(length), value]
}

function refuseChoice(choice: unknown): never {
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `Argument choice is ${describe(choice)}; expected an object that has prefix, key or both. To delete all, use clear.`,
  )
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `prefix` is a text that is not empty */
function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix === 'string' && prefix !== '') return
  throw wrongInput('Argument prefix', prefix, 'a string that is not empty')
}

/** Returns the namespace of a map, whose store is given. @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong prefix */
export function openNamespace(map: object, store: Store<never>, prefix: unknown): unknown {
  store.open()
  checkPrefix(prefix)
  return new Namespace(map as AnyMap, store, prefix, [])
}
