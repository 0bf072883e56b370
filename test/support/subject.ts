import { afterEach, beforeEach, describe, expect } from 'vitest'
import {
  ConcurrentCache,
  ConcurrentMap,
  type AttachOptions,
  type CacheHandle,
  type ConcurrentMapOptions,
  type Key,
  type MapHandle,
} from '../../src/index.js'
import { lineups, type Lineup } from './run.js'

/** A map under test, open once for each engine of the lineup. */
export class Subject {
  readonly maps: readonly ConcurrentMap<Key, unknown>[]
  private turn = 0

  /** @param isCache whether it is a ConcurrentCache in which nothing expires, and which must behave like a map */
  constructor(
    lineup: Lineup,
    options: Omit<ConcurrentMapOptions<boolean>, 'engine'> = {},
    readonly isCache = false,
  ) {
    // An unknown value has the same type, whether it is frozen or not.
    const allOptions = { maxBytes: 4 * 2 ** 20, ...options, engine: lineup.engineOf(0) } as ConcurrentMapOptions
    const first = isCache ? new ConcurrentCache<Key, unknown>(allOptions) : new ConcurrentMap<Key, unknown>(allOptions)
    const { freeze, nearCache } = options
    this.maps =
      lineup.engineOf(1) === lineup.engineOf(0)
        ? [first]
        : [first, this.attach(first.handle, { freeze, nearCache, engine: lineup.engineOf(1) })]
  }

  /** Opens a handle of the map once more. */
  attach(handle: MapHandle, options?: AttachOptions<boolean>): ConcurrentMap<Key, unknown> {
    return this.isCache ? ConcurrentCache.attach(handle as CacheHandle, options) : ConcurrentMap.attach(handle, options)
  }

  /** The map, through another engine each time if there are two. */
  get map(): ConcurrentMap<Key, unknown> {
    return this.maps[this.turn++ % this.maps.length]
  }

  /** Lets the other engine begin. */
  skipTurn(): void {
    this.turn++
  }

  /** Everything in the map, by each engine alike. */
  content(): [Key, unknown][] {
    const [first, ...others] = this.maps.map((map) => [...map])
    for (const other of others) expect(other).toEqual(first)
    return first
  }

  /** Checks that an action throws an error with `code` and leaves the content as it was. @returns the error */
  expectRefused(code: string, action: (map: ConcurrentMap<Key, unknown>) => unknown): Error {
    let refusal: unknown
    for (const map of this.maps) {
      const before = this.content()
      const versions = before.map(([key]) => map.getEntry(key)?.version)
      refusal = undefined
      try {
        action(map)
      } catch (error) {
        refusal = error
      }
      expect(refusal).toMatchObject({ code })
      expect(this.content()).toEqual(before)
      expect(before.map(([key]) => map.getEntry(key)?.version)).toEqual(versions)
      this.verify()
    }
    return refusal as Error
  }

  verify(): void {
    for (const map of this.maps) expect(map.verify()).toEqual({ ok: true, problems: [] })
  }

  end(): void {
    this.verify()
    for (const map of this.maps) map.close()
  }
}

const subjects = [
  ...lineups.map((lineup) => ({ name: lineup.name, lineup, isCache: false })),
  ...lineups.slice(-1).map((lineup) => ({ name: `cache, ${lineup.name}`, lineup, isCache: true })),
]

/**
 * Runs a suite for every lineup of engines, and for a cache with one of them, each test on a new map, which is verified
 * at the end of the test.
 */
export function describeEachLineup(
  define: (subject: () => Subject) => void,
  options?: ConcurrentMapOptions<boolean>,
): void {
  describe.each(subjects)('$name', ({ lineup, isCache }) => {
    let subject: Subject
    beforeEach(() => {
      subject = new Subject(lineup, options, isCache)
    })
    afterEach(() => {
      subject.end()
    })
    define(() => subject)
  })
}
