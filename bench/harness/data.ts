/** Kind of an entry's value. */
export type ValueKind = 'number' | 'string' | 'object' | 'page' | 'flat' | 'session' | 'row'

export const VALUE_NAMES: Readonly<Record<ValueKind, string>> = {
  number: 'number',
  string: '100-byte string',
  object: 'small object',
  page: '4 KiB string',
  flat: 'flat object',
  session: 'session',
  row: 'row with two dates',
}

/** Bytes of a value in a map, about. */
export const VALUE_BYTES: Readonly<Record<ValueKind, number>> = {
  number: 8,
  string: 100,
  object: 100,
  page: 4096,
  flat: 100,
  session: 250,
  row: 100,
}

/** A value shows its key's number modulo this, so that a read that returns another key's value is noticed. */
const MARKS = 4096
const FIRST_CHARACTER = 48

export interface SmallObject {
  readonly id: number
  readonly name: string
  readonly active: boolean
  readonly balance: number
  readonly roles: readonly string[]
}

/** A time that needs all of its digits. */
const SINCE = 1_790_000_000_123

/** Key number `n`, built anew: 20 characters. */
export const keyOf = (n: number): string => `user:session${10_000_000 + n}`

/** A key like {@link keyOf}'s that no map has. */
export const missingKeyOf = (n: number): string => `user:missing${10_000_000 + n}`

/** Keys 0 to `size` - 1 in a form that does not change: flat strings, not the ropes that concatenation makes. */
export const lastingKeys = (size: number, keyOfNumber = keyOf): string[] =>
  Array.from({ length: size }, (_, n) => Buffer.from(keyOfNumber(n), 'latin1').toString('latin1'))

/** The mark that {@link markOf} finds in the values of key `n`. */
export const expectedMark = (n: number): number => n & (MARKS - 1)

/**
 * A value for key `n`.
 *
 * @param generation 0 to 25; values of one key and different generations differ
 */
export function valueOf(kind: ValueKind, n: number, generation: number): unknown {
  const mark = expectedMark(n)
  switch (kind) {
    case 'number':
      return mark + generation * MARKS + 0.5
    case 'string':
    case 'page':
      return text(VALUE_BYTES[kind], mark, generation)
    case 'object':
      return {
        id: mark,
        name: `user number ${mark}`,
        active: generation % 2 === 0,
        balance: mark + generation / 4,
        roles: ['reader', 'writer'],
      } satisfies SmallObject
    case 'flat':
      return {
        id: mark,
        n: mark + generation / 4,
        name: `user number ${mark}`,
        tags: ['new', 'paying', 'verified'],
        ts: SINCE + mark * 61 + generation,
      }
    case 'session':
      return {
        id: mark,
        user: { id: mark, name: `user number ${mark}`, roles: ['reader', 'writer'] },
        preferences: { language: 'en', theme: generation % 2 === 0 ? 'dark' : 'light', pageSize: 50 },
        cart: [
          { item: 'book', quantity: 1 + generation },
          { item: 'lamp', quantity: 2 },
        ],
        seen: SINCE + mark * 61,
      }
    case 'row':
      return {
        id: mark,
        title: `row number ${mark}`,
        created: new Date(SINCE + mark * 61),
        changed: new Date(SINCE + mark * 61 + generation * 1000),
        state: 'open',
      }
  }
}

/** Reads a value's mark: a little of its beginning and of its end, so that checking costs next to nothing. */
export function markOf(kind: ValueKind): (value: unknown) => number {
  switch (kind) {
    case 'number':
      return (value) => (value as number) & (MARKS - 1)
    case 'string':
    case 'page': {
      const last = VALUE_BYTES[kind] - 1
      // An index past the end gives NaN, hence 0 - FIRST_CHARACTER, which is no mark.
      return (value) =>
        (((value as string).charCodeAt(0) - FIRST_CHARACTER) << 6) |
        ((value as string).charCodeAt(last) - FIRST_CHARACTER)
    }
    case 'object':
    case 'flat':
    case 'session':
    case 'row':
      return (value) => (value as { readonly id: number }).id
  }
}

/** Whether `value` is, to the last byte, one that {@link valueOf} gives for key `n`. */
export function isValueOf(kind: ValueKind, n: number, value: unknown): boolean {
  const given = JSON.stringify(value)
  for (let generation = 0; generation < 26; generation++) {
    if (given === JSON.stringify(valueOf(kind, n, generation))) return true
  }
  return false
}

/** One character for each half of the mark, first and last; the generation's letter between them. Flat, not a rope. */
function text(length: number, mark: number, generation: number): string {
  const bytes = Buffer.alloc(length, 97 + generation)
  bytes[0] = FIRST_CHARACTER + (mark >> 6)
  bytes[length - 1] = FIRST_CHARACTER + (mark & 63)
  return bytes.toString('latin1')
}
