import type { Key } from '../../src/index.js'

/** Values of every kind. */
export const VALUES: readonly unknown[] = [
  undefined,
  true,
  12.5,
  'text',
  'Ünï😀',
  -(2n ** 70n),
  new Uint8Array(20),
  { name: 'Ada', list: [1, 'two', null, { three: 3 }], 'other name': { deep: { deeper: [[[]]] } } },
  Array.from({ length: 40 }, (_, i) => ({ i, text: `item ${i}` })),
  new Map<unknown, unknown>([
    ['a', new Set([1, 2])],
    [{ b: 1 }, new Date(0)],
  ]),
  { regexp: /a+/g, error: new TypeError('no'), floats: new Float64Array(9), sparse: new Array(3), big: 2n ** 200n },
]

/** Keys of every kind but the booleans. */
export const KEYS: readonly Key[] = Array.from({ length: 150 }, (_, i): Key => {
  const kinds: readonly Key[] = [`key ${i}`, i + 0.5, BigInt(i) ** 9n, new Uint8Array([i, 1, 2]), `ключ ${i}`]
  return kinds[i % kinds.length]
})
