import { describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { lineups } from '../support/run.js'

interface Row {
  readonly created: Date
  readonly visits: ReadonlyMap<string, Date>
  readonly days: ReadonlySet<Date>
  readonly n?: number
}

const row = (n: number): Row => ({
  created: new Date(1000 + n),
  visits: new Map([['first', new Date(2000 + n)]]),
  days: new Set([new Date(NaN), new Date(3000 + n)]),
  n,
})

const allDates = ({ created, visits, days }: Row): Date[] => [created, ...visits.values(), ...days]

describe.each(lineups)('values with dates ($name)', (lineup) => {
  function open(): { near: ConcurrentMap<string, Row>; other: ConcurrentMap<string, Row>; close: () => void } {
    const near = new ConcurrentMap<string, Row>({ engine: lineup.engineOf(0), maxBytes: 2 ** 21 })
    const other = ConcurrentMap.attach<string, Row>(near.handle, { engine: lineup.engineOf(1), nearCache: false })
    return {
      near,
      other,
      close: () => {
        other.close()
        near.close()
      },
    }
  }

  test('are near hits, as one object, while nobody changes a date', () => {
    const { near, other, close } = open()
    other.set('k', row(1))
    const first = near.get('k')
    expect(first).toEqual(row(1))
    for (let i = 0; i < 5; i++) expect(near.get('k')).toBe(first)
    expect(near.stats().counters.nearHits).toBe(5)
    // Entries that share the bucket change its version, and not the value.
    for (let i = 0; i < 300; i++) other.set(`neighbour ${i}`, row(i))
    expect(near.get('k')).toBe(first)
    other.set('k', row(2))
    expect(near.get('k')).toEqual(row(2))
    close()
  })

  test.each([0, 1, 2, 3])('are decoded anew once date %i was changed in place', (which) => {
    const { near, other, close } = open()
    near.set('k', row(1))
    const change = (value: Row): void => void allDates(value)[which].setTime(77)
    change(near.get('k')!)
    expect(near.get('k')).toEqual(row(1))
    change(near.get('k')!)
    expect(near.getEntry('k')?.value).toEqual(row(1))
    change(near.get('k')!)
    expect(near.getMany(['k'])[0]).toEqual(row(1))
    change(near.get('k')!)
    expect(near.getOrInsert('k', row(9))).toEqual(row(1))
    // A write beside it asks the engine whether the entry is still the same: it is, but the value kept is not.
    change(near.get('k')!)
    for (let i = 0; i < 300; i++) other.set(`neighbour ${i}`, row(i))
    expect(near.get('k')).toEqual(row(1))
    change(near.get('k')!)
    expect(near.update('k', (value) => ({ ...value!, n: 5 }))).toEqual({ ...row(1), n: 5 })
    expect(near.get('k')).toEqual({ ...row(1), n: 5 })
    // A date that became invalid, and one that became valid.
    allDates(near.get('k')!)[which].setTime(NaN)
    expect(near.get('k')).toEqual({ ...row(1), n: 5 })
    expect(other.get('k')).toEqual({ ...row(1), n: 5 })
    close()
  })
})
