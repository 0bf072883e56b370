/**
 * Keys and values as JSON, so that each comes back equal. What JSON has is itself. Anything else is an object whose only
 * name begins with `$`; names of properties that begin with `$` have another one in front. See docs/guide/29-program.md, "Dumps".
 */
import { deserializeWhole, serializeWhole } from '../platform/serializer.js'
import { base64Of, bytesOfBase64 } from '../platform/buffer.js'
import { isUint8Array, types } from '../platform/brands.js'

/** A value that JSON has. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Deeper values are passed to V8 as a whole, so that no stack overflows here. */
const MAX_DEPTH = 200

/** Thrown where a value is met that has no form of its own. */
class NoForm extends Error {}

/** Returns a key or value as JSON has it. O(size). */
export function toJson(value: unknown): Json {
  try {
    return new Encoder().encode(value, 0)
  } catch (error) {
    if (!(error instanceof NoForm)) throw error
    return { $v8: base64Of(serializeWhole(value)) }
  }
}

class Encoder {
  /** Objects and buffers that were met: what is met twice, V8 keeps one. */
  readonly #met = new Set<object>()

  encode(value: unknown, depth: number): Json {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'undefined':
        return { $undefined: true }
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : { $number: Object.is(value, -0) ? '-0' : String(value) }
      case 'bigint':
        return { $bigint: String(value) }
      default:
        return value === null ? null : this.#encodeObject(value as object, depth + 1)
    }
  }

  #encodeObject(value: object, depth: number): Json {
    if (depth > MAX_DEPTH || this.#met.has(value)) throw new NoForm()
    this.#met.add(value)
    if (Array.isArray(value)) return this.#encodeArray(value, depth)
    if (isUint8Array(value)) return this.#encodeBytes(value)
    if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() }
    if (types.isMap(value)) {
      return { $map: [...value].map((pair) => pair.map((each) => this.encode(each, depth))) }
    }
    if (types.isSet(value)) return { $set: [...value].map((each) => this.encode(each, depth)) }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype) throw new NoForm()
    // Unlike an assignment, this makes a property of `__proto__`, too.
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name.startsWith('$') ? `$${name}` : name, this.encode(each, depth)]),
    )
  }

  #encodeArray(array: readonly unknown[], depth: number): Json {
    // Holes, and properties beside the elements.
    if (Object.keys(array).length !== array.length || !(array.length === 0 || array.length - 1 in array))
      throw new NoForm()
    return array.map((each) => this.encode(each, depth))
  }

  #encodeBytes(bytes: Uint8Array): Json {
    if (Object.getPrototypeOf(bytes) !== Uint8Array.prototype || this.#met.has(bytes.buffer)) throw new NoForm()
    this.#met.add(bytes.buffer)
    return { $bytes: base64Of(bytes) }
  }
}

/** Thrown by {@link fromJson}. */
export class NotAnEncoding extends Error {
  /** @param problem the end of a sentence about the value */
  constructor(readonly problem: string) {
    super(problem)
  }
}

/**
 * Returns the key or value that {@link toJson} made `json` of. O(size).
 *
 * @throws NotAnEncoding if it made it of none
 */
export function fromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(fromJson)
  const names = Object.keys(json)
  if (names.length === 1 && /^\$(?!\$)/.test(names[0])) {
    return decodeForm(names[0], (json as Record<string, unknown>)[names[0]])
  }
  return Object.fromEntries(
    Object.entries(json).map(([name, each]) => {
      if (name.startsWith('$') && !name.startsWith('$$'))
        throw new NotAnEncoding(`has a property ${name} beside others`)
      return [name.startsWith('$') ? name.slice(1) : name, fromJson(each)]
    }),
  )
}

const NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 }
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function decodeForm(name: string, content: unknown): unknown {
  const text = typeof content === 'string' ? content : ''
  switch (name) {
    case '$undefined':
      if (content === true) return undefined
      break
    case '$number':
      if (Object.hasOwn(NUMBERS, text)) return NUMBERS[text]
      break
    case '$bigint':
      if (/^-?\d+$/.test(text)) return BigInt(text)
      break
    case '$date':
      if (content === null) return new Date(NaN)
      if (typeof content === 'number' && Math.abs(content) <= 8.64e15) return new Date(content)
      break
    case '$bytes':
      if (typeof content === 'string' && BASE64.test(text)) return bytesOfBase64(text)
      break
    case '$map':
      if (Array.isArray(content) && content.every((pair) => Array.isArray(pair) && pair.length === 2)) {
        return new Map((content as [unknown, unknown][]).map(([key, value]) => [fromJson(key), fromJson(value)]))
      }
      break
    case '$set':
      if (Array.isArray(content)) return new Set(content.map(fromJson))
      break
    case '$v8':
      if (typeof content === 'string' && BASE64.test(text)) return decodeV8(text)
      break
    default:
      throw new NotAnEncoding(`has the form ${name}, which this version does not know`)
  }
  throw new NotAnEncoding(`has something else in ${name} than belongs there`)
}

function decodeV8(text: string): unknown {
  try {
    return deserializeWhole(bytesOfBase64(text))
  } catch (error) {
    throw new NotAnEncoding(`has bytes that V8 cannot read (${(error as Error).message})`)
  }
}
