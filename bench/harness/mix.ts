/** Operations of worker threads at the same time. */
export interface Mix {
  readonly name: string
  /** How the operation at `index` is decided, of 10,000 in a row. */
  readonly isWrite: (index: number) => boolean
}

const PERIOD = 10_000
const BURST = 1000

/**
 * 41 and 100 have no common divisor: the writes are spread evenly, and every 100 operations hold exactly `percent` of
 * them.
 */
const spreadEvenly = (percent: number) => (index: number) => (index * 41) % 100 < percent

export const mixes = {
  '100:0': { name: 'reads only', isWrite: () => false },
  '95:5': { name: '95 % reads', isWrite: spreadEvenly(5) },
  '50:50': { name: '50 % reads', isWrite: spreadEvenly(50) },
  burst: { name: 'bursts of writes', isWrite: (index) => index < BURST },
} satisfies Record<string, Mix>

export type MixName = keyof typeof mixes

export const mixNames = Object.keys(mixes) as MixName[]

/** For each of {@link PERIOD} operations in a row, 1 if it is a write. Workers go through it again and again. */
export function writePattern(name: MixName): Uint8Array {
  return Uint8Array.from({ length: PERIOD }, (_, index) => (mixes[name].isWrite(index) ? 1 : 0))
}
