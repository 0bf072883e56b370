import { afterEach, beforeEach, describe, expect } from 'vitest'
import { ConcurrentMap, type ConcurrentMapOptions, type Key } from '../../src/index.js'
import { lineups, type Lineup } from './run.js'

/** A map under test, open once for each engine of the lineup. */
export class Subject {
  readonly maps: readonly ConcurrentMap<Key, unknown>[]
  private turn = 0

  constructor(lineup: Lineup, options: Omit<ConcurrentMapOptions, 'engine'> = {}) {
    const first = new ConcurrentMap<Key, unknown>({ maxBytes: 4 * 2 ** 20, ...options, engine: lineup.engineOf(0) })
    const { freeze, nearCache } = options
    this.maps =
      lineup.engineOf(1) === lineup.engineOf(0)
        ? [first]
        : [first, ConcurrentMap.attach(first.handle, { freeze, nearCache, engine: lineup.engineOf(1) })]
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

/** Runs a suite for every lineup of engines, each test on a new map, which is verified at the end of the test. */
export function describeEachLineup(define: (subject: () => Subject) => void, options?: ConcurrentMapOptions): void {
  describe.each(lineups)('$name', (lineup) => {
    let subject: Subject
    beforeEach(() => {
      subject = new Subject(lineup, options)
    })
    afterEach(() => {
      subject.end()
    })
    define(() => subject)
  })
}
