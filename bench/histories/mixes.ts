/** A distribution of the sizes of values, in bytes. */
export interface Mix {
  readonly name: string
  /** The share of `maxBytes` that a map promises to fill with keys and values of these sizes. */
  readonly promise: number
  /** @param random from 0 to 1 */
  size(random: () => number): number
}

/** Bytes of every key of the histories. */
export const KEY_BYTES = 9

const between = (least: number, most: number): Mix['size'] => {
  const span = Math.log(most / least)
  return (random) => Math.round(least * Math.exp(random() * span))
}

const around = (bytes: number): Mix['size'] => between(bytes * 0.8, bytes * 1.25)

export const mixes = {
  hundred: { name: '100 B', promise: 0.62, size: () => 100 - KEY_BYTES },
  small: { name: '64 B to 1 kB', promise: 0.8, size: between(64, 1000) },
  one: { name: '1 kB', promise: 0.85, size: around(1000) },
  oneAndHalf: { name: '1.5 kB', promise: 0.85, size: around(1500) },
  twoAndHalf: { name: '2.5 kB', promise: 0.85, size: around(2500) },
  four: { name: '4 kB', promise: 0.85, size: around(4000) },
  common: { name: '64 B to 4 kB', promise: 0.85, size: between(64, 4096) },
  ten: { name: '10 kB', promise: 0.85, size: around(10_000) },
  thirty: { name: '30 kB', promise: 0.85, size: around(30_000) },
  hundredThousand: { name: '100 kB', promise: 0.95, size: around(100_000) },
  large: { name: '200 kB', promise: 0.95, size: around(200_000) },
  logs: { name: '1 kB to 1 MB', promise: 0.85, size: between(1000, 1_000_000) },
  bimodal: {
    name: '100 B and 50 kB',
    promise: 0.75,
    // As many bytes of each.
    size: (random) => (random() < 1 / 500 ? 50_000 : 100),
  },
  heavyTail: {
    name: '16 B and up',
    promise: 0.62,
    size: (random) => Math.min(500_000, Math.round(16 * (1 - random()) ** -0.9)),
  },
} satisfies Record<string, Mix>

export type MixName = keyof typeof mixes
export const mixOf = (name: MixName): Mix => mixes[name]
