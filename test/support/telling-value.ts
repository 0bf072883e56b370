import { inspect, isDeepStrictEqual } from 'node:util'

/** A few sizes, up to many cache lines, so that freed blocks soon come back as blocks of other keys. */
const SIZES = [1, 30, 100, 500, 4000, 30_000]
const FORMS = ['latin1', 'utf16', 'bytes', 'object', 'empty'] as const

/**
 * A value that tells by itself whether it is whole: every part of it follows from `key` and `number`, which it starts
 * with. Its form and its size, 0 to 30,000 characters or bytes, follow from `number`.
 */
export function tellingValue(key: number, number: number): unknown {
  const size = SIZES[number % SIZES.length]
  const start = `${key}:${number}:`
  switch (FORMS[number % FORMS.length]) {
    case 'latin1':
      return start + String.fromCharCode(0x61 + (number % 100)).repeat(size)
    case 'utf16':
      return start + String.fromCharCode(0x2600 + (number % 100)).repeat(size)
    case 'bytes':
      return Uint8Array.from(Buffer.from(start + String.fromCharCode(0x21 + (number % 90)).repeat(size), 'latin1'))
    case 'object':
      return { start, list: [number, { text: String.fromCharCode(0x41 + (number % 26)).repeat(size) }], key }
    default:
      return ''
  }
}

/**
 * What is wrong with a value that was read under `key`; undefined if it is one that {@link tellingValue} made for it.
 */
export function faultOf(key: number, value: unknown): string | undefined {
  if (value === '') return undefined
  const found = startOf(value)
  if (found === undefined) return `key ${key} has ${show(value)}`
  if (found.key !== key) return `key ${key} has a value of key ${found.key}`
  if (isDeepStrictEqual(value, tellingValue(found.key, found.number))) return undefined
  return `key ${key} has a torn value number ${found.number}: ${show(value)}`
}

function startOf(value: unknown): { key: number; number: number } | undefined {
  const text =
    value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, 40)).toString('latin1')
      : isStarted(value)
        ? value.start
        : value
  const match = typeof text === 'string' ? /^(\d+):(\d+):/.exec(text) : null
  return match === null ? undefined : { key: Number(match[1]), number: Number(match[2]) }
}

function isStarted(value: unknown): value is { start: unknown } {
  return typeof value === 'object' && value !== null && 'start' in value
}

function show(value: unknown): string {
  const text = inspect(value)
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text
}
