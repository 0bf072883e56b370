/** Access to doubles in words of a region, which may lie off a multiple of 8 bytes. */

// A double and its two halves.
const doubles = new Float64Array(1)
const halves = new Int32Array(doubles.buffer)

export function loadDouble(words: Int32Array, at: number): number {
  halves[0] = words[at]
  halves[1] = words[at + 1]
  return doubles[0]
}

export function storeDouble(words: Int32Array, at: number, number: number): void {
  doubles[0] = number
  words[at] = halves[0]
  words[at + 1] = halves[1]
}

/** Returns the low and the high word of `number`, valid until the next call of any function here. */
export function halvesOf(number: number): Int32Array {
  doubles[0] = number
  return halves
}
