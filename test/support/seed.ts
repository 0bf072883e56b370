import { randomInt } from 'node:crypto'

/**
 * The seed of this run's random tests: MAPSAFE_SEED, or a fresh one. fast-check prints it, with the failing case, when a property fails.
 */
export const seed = Number(process.env.MAPSAFE_SEED ?? randomInt(2 ** 31))

/** How many random cases a property is tried on: MAPSAFE_SEQUENCES, or `usual`. */
export function runs(usual: number): number {
  return Number(process.env.MAPSAFE_SEQUENCES ?? usual)
}
