/**
 * Exponent of the YCSB benchmarks' skewed access (Cooper et al., "Benchmarking cloud serving systems with YCSB", SoCC
 * 2010).
 */
const ZIPF_EXPONENT = 0.99

/** Coprime to every size used, so that neighbours in rank are not neighbours in the order of insertion. */
const SCATTER = 7919

/** Seeded pseudorandom numbers from 0 up to 1: Mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Ranks from 0 up to `size`, independent draws by Zipf's law. */
export function rankDraws(size: number, exponent: number, random: () => number): () => number {
  const cumulative = new Float64Array(size)
  let sum = 0
  for (let rank = 0; rank < size; rank++) {
    sum += (rank + 1) ** -exponent
    cumulative[rank] = sum
  }
  return () => firstAbove(cumulative, random() * sum)
}

/**
 * Numbers of keys in the order in which they are accessed: independent draws by Zipf's law, in shared memory so that
 * all threads use the same ones.
 *
 * @param size number of keys
 * @param count number of draws
 * @param exponent of Zipf's law; 0 draws all keys alike
 */
export function drawKeys(size: number, count: number, seed: number, exponent = ZIPF_EXPONENT): Uint32Array {
  const next = rankDraws(size, exponent, randomNumbers(seed))
  const draws = new Uint32Array(new SharedArrayBuffer(count * Uint32Array.BYTES_PER_ELEMENT))
  for (let index = 0; index < count; index++) draws[index] = (next() * SCATTER) % size
  return draws
}

function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle] > value) high = middle
    else low = middle + 1
  }
  return low
}
