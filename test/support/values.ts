/** Values of every kind a map stores, by name. Each call makes new ones. */
export function storableValues(): Record<string, unknown> {
  return { ...primitives(), ...plainValues(), ...clonedValues(), ...graphs() }
}

function primitives(): Record<string, unknown> {
  return {
    undefined: undefined,
    null: null,
    false: false,
    true: true,
    zero: 0,
    'minus zero': -0,
    NaN: NaN,
    Infinity: Infinity,
    'minus Infinity': -Infinity,
    'largest safe integer': Number.MAX_SAFE_INTEGER,
    'smallest double': Number.MIN_VALUE,
    fraction: 0.1,
    'empty string': '',
    'ASCII string': 'hello',
    'Latin-1 string': 'na\u00efve \u00ff',
    'wide string': 'snow \u2603',
    'astral string': '\u{1f600}',
    'lone surrogate': 'a\ud800b',
    'string with zero': 'a\0b',
    'long string': 'x'.repeat(100_000),
    'long wide string': '\u2603'.repeat(100_000),
    'zero bigint': 0n,
    'small bigint': 1n,
    'negative bigint': -12345678901234567890n,
    'large bigint': 2n ** 1000n - 1n,
    'bigint with a zero word': 2n ** 64n,
  }
}

function plainValues(): Record<string, unknown> {
  return {
    'empty object': {},
    'empty array': [],
    object: { id: 1, name: 'Alice', tags: ['a', 'b'], nested: { deep: { deeper: true } } },
    'object without prototype': Object.assign(Object.create(null) as object, { a: 1 }),
    'object with integer names': { 2: 'b', 1: 'a', z: 0 },
    'object with wide name': { '\u2603': 1, '\ud800': 2, '': 3 },
    'object with long name': { ['n'.repeat(300)]: 1 },
    'object with own __proto__': JSON.parse('{"__proto__": {"polluted": true}, "a": 1}'),
    'undefined property': { a: undefined, b: null },
    numbers: [
      0,
      -0,
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      -1,
      -32,
      -33,
      -128,
      -129,
      -32_768,
      -32_769,
      -(2 ** 31),
      -(2 ** 31) - 1,
      2 ** 53,
      1.5,
      NaN,
      -Infinity,
    ],
    strings: [
      '',
      'a',
      'b'.repeat(31),
      'c'.repeat(32),
      'd'.repeat(300),
      'e'.repeat(70_000),
      '\u2603',
      '\ud83d',
      '\u00e9',
    ],
    bigints: [0n, -1n, 2n ** 200n],
    'long array': Array.from({ length: 70_000 }, (_, i) => i),
    'class instance': new Point(1, 2),
  }
}

function clonedValues(): Record<string, unknown> {
  return {
    Date: new Date(1_700_000_000_123),
    RegExp: /a(b)?\/[\u2603]/giu,
    Map: new Map<unknown, unknown>([
      [1, 'one'],
      ['k', { v: [1] }],
      [{ object: 'key' }, null],
    ]),
    Set: new Set<unknown>([1, '1', { a: 1 }, NaN]),
    'sparse array': sparse(),
    'array with a property': Object.assign([1, 2, 3], { extra: 'x' }),
    'array with a hole and a property': Object.assign([1, , 3], { extra: 'x' }), // eslint-disable-line no-sparse-arrays -- the case
    'match result': /(?<year>\d+)/.exec('in 2024'),
    Error: Object.assign(new Error('plain'), { ignored: 1 }),
    TypeError: new TypeError('typed'),
    'renamed Error': Object.assign(new Error('renamed'), { name: 'CustomError' }),
    'Boolean object': Object(true),
    'Number object': Object(-0),
    'String object': Object('text \u2603'),
    'BigInt object': Object(5n),
    Uint8Array: new Uint8Array([1, 2, 255]),
    'empty Uint8Array': new Uint8Array(0),
    'mebibyte of bytes': new Uint8Array(2 ** 20).fill(7),
    ArrayBuffer: new Uint8Array([1, 2, 3]).buffer,
    DataView: new DataView(new Uint8Array([1, 2, 3, 4]).buffer),
    ...Object.fromEntries(
      [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array].map(
        (View) => [View.name, View.of(1, 2, 3)],
      ),
    ),
    BigInt64Array: BigInt64Array.of(1n, -1n),
    BigUint64Array: BigUint64Array.of(1n),
    'everything nested': {
      date: new Date(1),
      map: new Map([['a', new Set([1])]]),
      bytes: new Uint8Array([9]),
      big: 7n,
    },
  }
}

function graphs(): Record<string, unknown> {
  const cycle: Record<string, unknown> = { name: 'cycle' }
  cycle.self = cycle
  const shared = { shared: true }
  const map = new Map<unknown, unknown>()
  map.set('self', map).set(map, 'as key')
  const set = new Set<unknown>()
  set.add(set)
  const array: unknown[] = [1]
  array.push(array)
  return {
    cycle,
    'shared reference': { a: shared, b: shared, list: [shared, { shared }] },
    'cyclic Map': map,
    'cyclic Set': set,
    'cyclic array': array,
    'many shared references': Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? shared : { i, shared, array })),
    'shared Date': ((date) => [date, date])(new Date(5)),
  }
}

function sparse(): unknown[] {
  const array: unknown[] = []
  array[3] = 'three'
  array[1_000_000] = 'far'
  array.length = 2_000_000
  return array
}

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}

  get length(): number {
    return Math.hypot(this.x, this.y)
  }
}
