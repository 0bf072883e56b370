/**
 * A seeded random 32-bit number for each index, so that every thread can tell any request of the run without having
 * drawn the ones before it. The finalizer of MurmurHash3 over index and seed.
 */
export function randomAt(seed: number, index: number): number {
  let mixed = Math.imul(index, 0x9e3779b1) + seed
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
