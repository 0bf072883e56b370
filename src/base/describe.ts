import { types } from '../platform/brands.js'

const MAX_TEXT = 60

/** Names `value` in an error message: short and on one line. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value)
    case 'bigint':
      // Making the decimal digits of a large bigint would take quadratic time.
      return BigInt.asIntN(256, value) === value ? shorten(`${value.toString()}n`) : 'a bigint of more than 256 bits'
    case 'symbol':
      return shorten(value.toString())
    case 'function':
      return 'a function'
    case 'object':
      return value === null ? 'null' : describeObject(value)
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

function describeObject(value: object): string {
  if (types.isProxy(value)) return 'a Proxy'
  if (Array.isArray(value)) return 'an array'
  const tag = tagOf(value)
  return tag === 'Object' ? 'an object' : `an object of type ${shorten(tag)}`
}

function tagOf(value: object): string {
  try {
    return Object.prototype.toString.call(value).slice('[object '.length, -1)
  } catch {
    return 'Object' // the tag is a getter that throws
  }
}

function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text
}
