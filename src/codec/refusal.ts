/**
 * Finds objects that keep data where no copy of their fields would find it.
 *
 * Objects of the language and of the host keep their data in slots, private fields or native memory. No list of them
 * would be complete, so they are recognized by their classes: a class that is native code, or that is tagged as the
 * platform tags its own, or that has methods although the object has no field for them to work on.
 */
import { describe } from '../base/describe.js'
import { isBranded, isListened, isNativeFunction } from '../platform/brands.js'

/** The reason for refusing an object, completing "value is ...", and what to store in its place. */
export interface Refusal {
  readonly what: string
  /** Completes "Leave it out, or ...". */
  readonly instead?: string
}

/** The verdict on the objects of one class. */
interface Verdict {
  /** Refusal of all objects of the class. */
  readonly refusal: Refusal | undefined
  /** Refusal of objects of the class without fields. */
  readonly whenEmpty: Refusal | undefined
}

const INSTEAD: Readonly<Record<string, string | undefined>> = {
  ...{ URL: 'store its href', URLSearchParams: 'store its toString()', FormData: 'store the array of its entries' },
  ...{ Headers: 'store Object.fromEntries(headers)', Request: 'store its url, method and headers' },
  ...{ Response: 'store its status, headers and what its arrayBuffer() gives' },
  ...{ Blob: 'store what its arrayBuffer() gives', File: 'store its name and what its arrayBuffer() gives' },
  ...{ Promise: 'await it first', WeakRef: 'store the object', WeakMap: 'store a Map', WeakSet: 'store a Set' },
  ...{ Generator: 'store Array.from(generator)' },
  ...{ SharedArrayBuffer: 'copy the bytes with slice() first', Module: 'store an object with copies of its exports' },
  ...{ CryptoKey: 'store the exported key', KeyObject: 'store the exported key', Script: 'store its source' },
}

/** Advice for a class such as Intl.Collator, by the name before the point. */
const INSTEAD_IN: Readonly<Record<string, string | undefined>> = {
  Intl: 'store its locale and options, and make it anew',
  Temporal: 'store its toString(), and read it with from()',
  WebAssembly: 'store the bytes of the module',
}

/** Native classes whose objects have data only in fields, unless a brand says otherwise. */
const OPEN_CLASSES = new Set(['Object', 'Array', 'Error', 'Function'])

/** Verdicts found so far, by prototype. */
const verdicts = new WeakMap<object, Verdict>()

/**
 * Returns why `object`, which is of no kind that can be stored otherwise, cannot be stored as its fields; undefined if
 * it can.
 */
export function refusal(object: object): Refusal | undefined {
  const tag = ownTag(object)
  if (tag !== undefined) return named(tag)
  const prototype = Object.getPrototypeOf(object) as object | null
  return prototype === null ? undefined : verdictOn(prototype).refusal
}

/** Returns the same as {@link refusal}, for an object that turned out to have no fields. */
export function refusalOfEmpty(object: object): Refusal | undefined {
  // The object has the prototype of another class.
  if (isBranded(object)) return { what: `${describe(object)} in disguise` }
  const prototype = Object.getPrototypeOf(object) as object | null
  return prototype === null ? undefined : verdictOn(prototype).whenEmpty
}

function verdictOn(prototype: object): Verdict {
  let verdict = verdicts.get(prototype)
  if (verdict === undefined) {
    verdict = { refusal: refusalOfClass(prototype), whenEmpty: refusalOfMethods(prototype) }
    verdicts.set(prototype, verdict)
  }
  return verdict
}

function refusalOfClass(prototype: object): Refusal | undefined {
  const name = classOf(prototype)
  if (isListened(prototype)) {
    const what =
      name === undefined || name === 'EventEmitter' ? 'an EventEmitter' : `${withArticle(name)}, an EventEmitter`
    return { what, instead: 'store what it gives' }
  }
  let subclass: string | undefined
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const tag = ownTag(at)
    if (tag !== undefined) return named(subclass ?? tag)
    const constructor = ownData(at, 'constructor')
    if (isNativeFunction(constructor) && !isOpen(constructor)) return named(name ?? 'host object')
    if (constructor !== undefined) subclass ??= name
  }
  return undefined
}

/** Refuses objects of a class with methods. A class without any could not use data outside of fields. */
function refusalOfMethods(prototype: object): Refusal | undefined {
  for (let at = prototype; ;) {
    const next = Object.getPrototypeOf(at) as object | null
    const constructor = ownData(at, 'constructor')
    // Ends at Object.prototype, of any realm.
    if (next === null && isNativeFunction(constructor) && constructor.name === 'Object') return undefined
    if (Reflect.ownKeys(at).some((key) => key !== 'constructor')) {
      const name = classOf(prototype)
      return {
        what: `an instance of ${name ?? 'a class'} that has no fields of its own`,
        instead: "store what its methods give: private fields and a prototype's properties are not copied",
      }
    }
    if (next === null) return undefined
    at = next
  }
}

function isOpen({ name }: { readonly name: string }): boolean {
  return OPEN_CLASSES.has(name) || name.endsWith('Error')
}

/**
 * Returns the tag of an object if it is defined as the platform does it: not an accessor, and neither enumerable nor
 * writable.
 */
function ownTag(object: object): string | undefined {
  if (!(Symbol.toStringTag in object)) return undefined
  const tag = Object.getOwnPropertyDescriptor(object, Symbol.toStringTag)
  if (tag?.writable !== false || tag.enumerable === true || typeof tag.value !== 'string') return undefined
  return tag.value
}

function classOf(prototype: object): string | undefined {
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const constructor = ownData(at, 'constructor')
    const name = typeof constructor === 'function' ? ownData(constructor, 'name') : undefined
    if (typeof name === 'string' && name !== '' && name !== 'Object') return name
  }
  return undefined
}

function ownData(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value as unknown
}

function named(name: string): Refusal {
  const instead =
    lookUp(INSTEAD, name) ??
    (name.endsWith(' Iterator') ? 'store Array.from(iterator)' : lookUp(INSTEAD_IN, name.split('.')[0]))
  if (NAMESPACES.has(name)) return { what: `the object ${name}` }
  return { what: withArticle(name), ...(instead !== undefined && { instead }) }
}

function lookUp(table: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function withArticle(name: string): string {
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`
}

const NAMESPACES = new Set([
  'Math',
  'JSON',
  'Atomics',
  'Reflect',
  'Intl',
  'WebAssembly',
  'Temporal',
  'global',
  'process',
])
