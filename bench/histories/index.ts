import { mixes as m, type MixName } from './mixes.js'
import { EXPIRE, type Planner } from './planner.js'

/** What becomes of a map in a day. */
export interface History {
  readonly name: string
  /** Whether entries expire, which takes a cache. */
  readonly isCache?: boolean | undefined
  /** The sizes with which the map is filled afterwards. */
  readonly last: MixName
  plan(planner: Planner): void
}

const names = Object.fromEntries(Object.keys(m).map((name) => [name, name])) as { [N in MixName]: N }

/** Fills the map with one size after the other, each time to 0.8 of its promise, by new entries in place of old ones. */
const shifting = (...steps: readonly MixName[]): History['plan'] => {
  return (planner) => {
    for (const name of steps) planner.churn(m[name], planner.room(m[name], 2), planner.room(m[name], 0.8))
  }
}

const churning = (share: number): History => ({
  name: `churn at ${share * 100} % live`,
  last: names.common,
  plan(planner: Planner): void {
    planner.fill(m.common, planner.room(m.common, share))
    planner.churn(m.common, planner.maxBytes * 4, planner.room(m.common, share))
  },
})

export const histories: readonly History[] = [
  {
    name: 'steady',
    last: names.common,
    plan(planner: Planner): void {
      planner.fill(m.common, planner.room(m.common, 0.95))
      planner.overwrite(m.common, planner.maxBytes * 3, planner.room(m.common))
    },
  },
  {
    name: 'growing',
    last: names.common,
    plan: (planner: Planner): void => planner.fill(m.common, planner.room(m.common)),
  },
  {
    name: 'growing and shrinking',
    last: names.common,
    plan(planner: Planner): void {
      for (const share of [1, 0.1, 1, 0.02, 0.9]) {
        planner.fill(m.common, planner.room(m.common, share))
        planner.dropTo(planner.room(m.common, share))
      }
    },
  },
  { name: 'sizes up, 100 B to 200 kB', last: names.large, plan: shifting('hundred', 'one', 'ten', 'large') },
  { name: 'sizes down, 200 kB to 100 B', last: names.hundred, plan: shifting('large', 'ten', 'one', 'hundred') },
  { name: 'sizes up a little', last: names.four, plan: shifting('one', 'oneAndHalf', 'twoAndHalf', 'four') },
  { name: 'sizes down a little', last: names.one, plan: shifting('four', 'twoAndHalf', 'oneAndHalf', 'one') },
  {
    name: 'sizes up and down, by the hour',
    last: names.ten,
    plan: shifting('small', 'ten', 'small', 'ten', 'small', 'ten'),
  },
  {
    name: 'bimodal, 100 B and 50 kB',
    last: names.bimodal,
    plan(planner: Planner): void {
      planner.fill(m.bimodal, planner.room(m.bimodal, 0.8))
      planner.churn(m.bimodal, planner.maxBytes * 3, planner.room(m.bimodal, 0.8))
    },
  },
  {
    name: 'logs of 1 kB to 1 MB, oldest deleted',
    last: names.logs,
    plan: (planner: Planner): void => planner.churn(m.logs, planner.maxBytes * 6, planner.room(m.logs, 0.85), 'oldest'),
  },
  churning(0.7),
  churning(0.8),
  churning(0.9),
  {
    name: 'all but 1 % of 100 B deleted, then 30 kB',
    last: names.thirty,
    plan(planner: Planner): void {
      planner.fill(m.hundred, planner.room(m.hundred))
      planner.dropTo(planner.room(m.hundred, 0.01))
      planner.fill(m.thirty, planner.room(m.thirty, 0.9))
    },
  },
  {
    name: 'clear and refill, other sizes each time',
    last: names.ten,
    plan(planner: Planner): void {
      for (const name of ['hundred', 'large', 'common', 'ten'] as const) {
        planner.clear()
        planner.fill(m[name], planner.room(m[name], 0.95))
      }
    },
  },
  {
    name: 'mass expiry, other sizes each time',
    isCache: true,
    last: names.one,
    plan(planner: Planner): void {
      for (const name of ['small', 'ten', 'hundred', 'one'] as const) {
        planner.fill(m[name], planner.room(m[name], 0.5))
        planner.clear(EXPIRE)
      }
    },
  },
  {
    name: 'a cache of 100 B, cleared, then 30 kB',
    isCache: true,
    last: names.thirty,
    plan(planner: Planner): void {
      planner.fill(m.hundred, planner.room(m.hundred, 0.6))
      planner.clear()
      planner.fill(m.thirty, planner.room(m.thirty, 0.7))
    },
  },
  {
    name: 'sawtooth: half deleted, filled again',
    last: names.small,
    plan(planner: Planner): void {
      for (let tooth = 0; tooth < 5; tooth++) {
        const mix = tooth % 2 === 0 ? m.small : m.one
        planner.fill(mix, planner.room(m.small, 0.95))
        planner.dropTo(planner.room(m.small, 0.45))
      }
    },
  },
  {
    name: 'sessions that grow',
    last: names.common,
    plan(planner: Planner): void {
      planner.fill(m.one, planner.room(m.one, 0.5))
      planner.grow(400, 12_000, planner.maxBytes * 4, planner.room(m.one, 0.85))
    },
  },
  {
    name: 'heavy tail, 16 B and up',
    last: names.heavyTail,
    plan(planner: Planner): void {
      planner.fill(m.heavyTail, planner.room(m.heavyTail, 0.9))
      planner.churn(m.heavyTail, planner.maxBytes * 2, planner.room(m.heavyTail, 0.9))
    },
  },
]
