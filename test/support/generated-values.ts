import { Random } from './random.js'

/** Few names, so that objects meet shapes that are there; and names of every kind. */
const NAMES = ['id', 'name', 'tags', 'at', 'a', 'b', 'c', 'd', 'e']
const ODD_NAMES = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'length',
  '7',
  '0',
  '4294967294',
  '4294967295',
  '-1',
  '01',
  '1e3',
]
const WIDE_NAMES = [
  '\u2603',
  '\ud800',
  '\udc00x',
  '\u2028',
  'a"b',
  "a'b",
  '\\',
  '${x}',
  '`',
  '\0',
  '\u00e9',
  'n'.repeat(300),
]
const NUMBERS = [
  0,
  -0,
  1,
  63,
  64,
  127,
  128,
  -1,
  -128,
  -129,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 48 - 1,
]
const MORE_NUMBERS = [2 ** 48, 2 ** 53, -(2 ** 40), 1.5, NaN, Infinity, -Infinity, Number.MIN_VALUE, 1_700_000_000_123]
const UNITS = ['a', 'Z', '0', ' ', '\0', '\u007f', '\u0080', '\u00ff', '\u0100', '\u2603', '\ud83d', '\ude00']
const LENGTHS = [0, 1, 2, 5, 24, 25, 63, 64, 127, 128, 300]

/**
 * Makes values of every kind that a map stores, of a handful of parts each: trees of plain data, most of them, and some
 * with what is shared, cyclic or of another kind. The same randomness makes the same values.
 */
export class GeneratedValues {
  readonly #random: Random
  /** Objects made for the present value, of which it may hold one twice. */
  #made: object[] = []
  #left = 0

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  next(): unknown {
    this.#made = []
    this.#left = 1 + this.#random.below(30)
    return this.#random.chance(0.05) ? this.#value(0) : this.#object(0)
  }

  #value(depth: number): unknown {
    const random = this.#random
    this.#left--
    if (this.#left > 0 && depth < 8 && random.chance(0.4)) return this.#object(depth)
    switch (random.below(9)) {
      case 0:
        return random.pick([undefined, null, true, false])
      case 1:
      case 2:
        return random.pick(random.chance(0.5) ? NUMBERS : MORE_NUMBERS)
      case 3:
        return random.below(2 ** 31) - 2 ** 30
      case 4:
        return random.pick([0n, -1n, 2n ** 64n, -(2n ** 200n)])
      case 5:
        return new Date(random.pick([0, -1, 1.7e12, NaN]))
      default:
        return this.#text()
    }
  }

  #text(): string {
    const random = this.#random
    const units = random.chance(0.7) ? UNITS.slice(0, 4) : UNITS.slice(0, random.chance(0.5) ? 8 : UNITS.length)
    const length = random.chance(0.8) ? random.below(20) : random.pick(LENGTHS)
    return Array.from({ length }, () => random.pick(units)).join('')
  }

  #object(depth: number): object {
    const random = this.#random
    if (this.#made.length > 0 && random.chance(0.02)) return random.pick(this.#made)
    switch (random.below(20)) {
      case 0:
        return this.#map(depth)
      case 1:
        return this.#set(depth)
      case 2:
        return random.pick([new Uint8Array([1, 2, 3]), Buffer.from('pooled'), new Uint8Array(0)])
      case 3:
        return random.chance(0.3) ? this.#special() : new Date(random.below(2 ** 31) * 1000)
      case 4:
      case 5:
      case 6:
      case 7:
        return this.#array(depth)
      case 8:
        return this.#instance(depth)
      default:
        return this.#properties({}, depth)
    }
  }

  #properties<T extends object>(object: T, depth: number): T {
    const random = this.#random
    this.#made.push(object)
    const isOdd = random.chance(0.1)
    for (let i = random.chance(0.02) ? 70 + random.below(10) : random.below(6); i > 0; i--) {
      const name = isOdd ? random.pick(random.chance(0.5) ? ODD_NAMES : WIDE_NAMES) : random.pick(NAMES)
      const unique = random.chance(0.03) ? `${name}${random.below(2 ** 31)}` : name
      // Assigning to __proto__ would change the prototype.
      const value = this.#value(depth + 1)
      Object.defineProperty(object, unique, { value, writable: true, enumerable: true, configurable: true })
    }
    return object
  }

  #instance(depth: number): object {
    const made = this.#random.chance(0.5) ? new Instance() : (Object.create(null) as object)
    return this.#properties(made, depth)
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = []
    this.#made.push(array)
    for (let i = this.#random.below(this.#random.chance(0.1) ? 20 : 4); i > 0; i--) array.push(this.#value(depth + 1))
    if (this.#random.chance(0.02)) array.length += 2
    if (this.#random.chance(0.02)) Object.assign(array, { extra: 1 })
    return array
  }

  #map(depth: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    this.#made.push(map)
    for (let i = this.#random.below(4); i > 0; i--) map.set(this.#value(depth + 1), this.#value(depth + 1))
    return map
  }

  #set(depth: number): Set<unknown> {
    const set = new Set<unknown>()
    this.#made.push(set)
    for (let i = this.#random.below(4); i > 0; i--) set.add(this.#value(depth + 1))
    return set
  }

  #special(): object {
    const bytes = new Uint8Array([1, 2, 3, 4])
    return this.#random.pick([
      /a+/gi,
      new TypeError('no', { cause: { at: new Date(1) } }),
      Float64Array.of(1.5),
      new DataView(new ArrayBuffer(4)),
      new ArrayBuffer(3),
      Object(5) as object,
      Object('boxed') as object,
      [bytes, new Uint8Array(bytes.buffer)],
    ])
  }
}

class Instance {
  own = 1

  get length(): number {
    return this.own
  }
}
