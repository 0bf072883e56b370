import { isDeepStrictEqual } from 'node:util'
import { MapsafeError } from '../../src/index.js'
import type { Shift } from '../support/crew.js'
import { tellingValue } from '../support/telling-value.js'

/** More than one worker can have: a key is this times the worker, plus its own number. */
const KEYS_PER_WORKER = 1_000_000

/** What one worker stored before there was no room, and what was wrong. */
export interface Filled {
  readonly stored: number
  readonly refusals: readonly string[]
  readonly faults: readonly string[]
}

/**
 * Every worker inserts until there is no room; all that was stored must be there, and what was refused must not. Then
 * each deletes every second of its keys, and there must be room again: for the same keys, after everybody has deleted.
 */
export function fillAndEmpty({ map, worker, rendezvous }: Shift, rounds: number): Filled {
  const keyOf = (index: number): number => worker * KEYS_PER_WORKER + index
  const refusals = new Set<string>()
  const faults: string[] = []
  /** @returns whether there was room */
  const attempt = (index: number, number: number): boolean => {
    try {
      map.set(keyOf(index), tellingValue(keyOf(index), number))
      return true
    } catch (error) {
      refusals.add(error instanceof MapsafeError ? error.code : String(error))
      return false
    }
  }
  const check = (index: number, number: number | undefined): void => {
    const expected = number === undefined ? undefined : tellingValue(keyOf(index), number)
    if (!isDeepStrictEqual(map.get(keyOf(index)), expected)) faults.push(`key ${keyOf(index)} is not number ${number}`)
  }
  const numbers: (number | undefined)[] = []
  for (let index = 0; attempt(index, index); index++) numbers.push(index)
  for (let round = 1; round <= rounds; round++) {
    rendezvous()
    for (const [index, number] of numbers.entries()) check(index, number)
    check(numbers.length, undefined)
    // An entry that cannot be replaced for want of room stays as it was.
    for (const [index, number] of numbers.entries()) {
      if (attempt(index, index + round)) numbers[index] = index + round
      else check(index, number)
    }
    rendezvous()
    for (let index = round % 2; index < numbers.length; index += 2) {
      map.delete(keyOf(index))
      numbers[index] = undefined
    }
    rendezvous()
    let room = 0
    for (let index = round % 2; index < numbers.length; index += 2) {
      if (!attempt(index, index)) continue
      numbers[index] = index
      room++
    }
    if (room === 0) faults.push(`round ${round}: no room after half of all was deleted`)
  }
  rendezvous()
  for (const [index, number] of numbers.entries()) check(index, number)
  return { stored: numbers.filter((number) => number !== undefined).length, refusals: [...refusals], faults }
}
