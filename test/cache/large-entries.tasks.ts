import type { ConcurrentMap } from '../../src/index.js'
import { maxCacheEntryBytes } from '../../src/format/geometry.js'
import { ENTRY_HEADER_BYTES } from '../../src/format/layout.js'
import type { Shift } from '../support/crew.js'
import type { Random } from '../support/random.js'

const NUMBER_BYTES = 8
/** Keys from here on are those of large entries. */
export const LARGE = 1_000_000

/** Most bytes of a value under a number, in a cache without `ttl`. */
export const mostBytes = (maxBytes: number): number => maxCacheEntryBytes(maxBytes) - ENTRY_HEADER_BYTES - NUMBER_BYTES

/** Whole if it has the length that it begins with, and ends alike. */
export function bytesOf(length: number): Uint8Array {
  const value = new Uint8Array(length)
  new DataView(value.buffer).setUint32(0, length)
  value[length - 1] = length & 0xff
  return value
}

export function isWhole(value: Uint8Array): boolean {
  const { length } = value
  const start = new DataView(value.buffer, value.byteOffset).getUint32(0)
  return start === length && value[length - 1] === (length & 0xff)
}

/**
 * Sets small entries of all sizes, until the cache has been full for a while; a few keys are deleted or overwritten.
 */
export function setSmall(map: ConcurrentMap<number, unknown>, random: Random, bytes: number): void {
  for (let left = bytes; left > 0;) {
    const key = random.below(200_000)
    if (random.chance(0.05)) map.delete(key)
    else {
      const length = 5 + Math.floor(2 ** (3 + 12 * random.next()))
      map.set(key, bytesOf(length))
      left -= length
    }
  }
}

/** Sets an entry of any size up to the bound and reads it; tells what went wrong. */
export function setLarge(map: ConcurrentMap<number, unknown>, random: Random, maxBytes: number): string[] {
  const most = mostBytes(maxBytes)
  const length = random.chance(0.2) ? most : Math.ceil(most ** (0.5 + 0.5 * random.next()))
  const key = LARGE + random.below(50)
  try {
    map.set(key, bytesOf(length))
    const value = map.get(key)
    return value === undefined || isWhole(value as Uint8Array) ? [] : [`${length} bytes came back as others`]
  } catch (error) {
    return [`${length} bytes: ${String(error)}`]
  }
}

/**
 * All fill the cache; then the first sets large entries while the others keep what free blocks they have, or write on.
 */
export function fillAndSetLarge(
  { map, worker, random, rendezvous }: Shift,
  maxBytes: number,
  times: number,
  areOthersBusy: boolean,
): string[] {
  const numbers = map as ConcurrentMap<number, unknown>
  const faults: string[] = []
  setSmall(numbers, random, maxBytes)
  rendezvous()
  for (let i = 0; i < times; i++) {
    if (worker === 0 || (worker === 1 && areOthersBusy)) faults.push(...setLarge(numbers, random, maxBytes))
    else if (areOthersBusy) setSmall(numbers, random, maxBytes / 64)
    if (worker === 0) setSmall(numbers, random, maxBytes / 64)
  }
  rendezvous()
  return faults
}
