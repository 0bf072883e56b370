import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { Snapshot } from '../../src/public/snapshot.js'
import { Crew } from '../support/crew.js'
import { lineups } from '../support/run.js'
import { calls, codeOf } from './contract-calls.js'
import type * as tasks from './contract.tasks.js'

// The table of docs/concurrency-contract.md, as its script reads it from the docstrings, against what the methods do.

interface Row {
  readonly class: string
  readonly name: string
  readonly absent: string
  readonly waits: string
  readonly near: string
  readonly throws: string
}

const script = fileURLToPath(new URL('../../scripts/contract.js', import.meta.url))
const rows = JSON.parse(execFileSync(process.execPath, [script, '--json'], { encoding: 'utf8' })) as Row[]
const callable = rows.filter((row) => row.class !== 'Snapshot')
const ofMaps = callable.filter((row) => row.class === 'ConcurrentMap')
const ofCaches = callable.filter((row) => row.class === 'ConcurrentCache')

const crew = new Crew<typeof tasks>(new URL('./contract.tasks.js', import.meta.url), 8, 'threads')
afterAll(() => crew.dismiss())

test.each([
  ['ConcurrentMap', ConcurrentMap.prototype, []],
  ['ConcurrentCache', ConcurrentCache.prototype, ofMaps.map(({ name }) => name)],
  ['Snapshot', Snapshot.prototype, []],
])('the table has every method of %s, and a call of it here', (name, prototype, inherited) => {
  const own = rows.filter((row) => row.class === name).map((row) => row.name)
  const there = Object.getOwnPropertyNames(prototype).filter((each) => each !== 'constructor')
  const fields = name === 'Snapshot' ? ['size'] : []
  expect([...own, ...inherited].filter((each) => there.includes(each) || fields.includes(each)).sort()).toEqual(
    [...there, ...fields].sort(),
  )
  if (name !== 'Snapshot') expect(own.filter((each) => !Object.hasOwn(calls, each))).toEqual([])
})

describe.each(lineups)('$name', (lineup) => {
  const options = { engine: lineup.engineOf(0), maxBytes: 2 ** 20 }

  /** A map, for a method of caches a cache. */
  const open = (row: Row): ConcurrentMap<Key, unknown> =>
    row.class === 'ConcurrentCache'
      ? new ConcurrentCache<Key, unknown>(options)
      : new ConcurrentMap<Key, unknown>(options)

  test.each(callable)('$name says what it returns where there is no entry: $absent', async (row) => {
    using map = open(row)
    const result: unknown = await calls[row.name](map as never, 'key', 'new')
    const [does, returns = does] = row.absent.split(', ')
    if (row.name === 'close') return
    expect(map.has('key'), 'whether there is an entry afterwards').toBe(does === 'stores' || does === 'loads')
    const expected: Record<string, unknown> = {
      undefined: undefined,
      false: false,
      true: true,
      '0': 0,
      nothing: [],
      'undefined for it': [undefined],
      'false for it': [false],
    }
    if (returns in expected) expect(result).toEqual(expected[returns])
    else expect(['stores', 'loads', 'figures', 'a report', 'a watcher', 'a namespace']).toContain(returns)
  })

  describe('throws what it says, and nothing else:', () => {
    const key = 'key'
    const isKey = (row: Row): boolean => row.throws.includes('KEY_TYPE')
    const stores = (row: Row): boolean => row.throws.includes('VALUE_TYPE') && row.name !== 'compareAndDelete'
    /** What a call meets: the code that it ends with, if the method has that; whether it can be met at all. */
    const circumstances: [
      string,
      string,
      (row: Row) => boolean,
      (map: ConcurrentMap<Key, unknown>, row: Row) => unknown,
    ][] = [
      ['an object as the key', 'KEY_TYPE', isKey, (map, { name }) => calls[name](map as never, {} as never, 'new')],
      [
        'a long key',
        'ENTRY_TOO_LARGE',
        isKey,
        (map, { name }) => calls[name](map as never, 'x'.repeat(1_048_576), 'new'),
      ],
      [
        'a long value',
        'ENTRY_TOO_LARGE',
        stores,
        (map, { name }) => calls[name](map as never, absentFor(map, name), 'x'.repeat(2 ** 21)),
      ],
      [
        'a function as the value',
        'VALUE_TYPE',
        isKey,
        (map, { name }) => calls[name](map as never, absentFor(map, name), () => 1),
      ],
      ['another type', 'COUNTER', isKey, (map, { name }) => calls[name](map as never, key, 'new')],
      [
        'a function that decides',
        'REENTRANT',
        () => true,
        (map, { name }) => {
          const target = absentFor(map, name)
          return within(map, () => calls[name](map as never, target, 'new'))
        },
      ],
      [
        'a full map',
        'FULL',
        (row) => row.class === 'ConcurrentMap' && row.name !== 'close',
        (map, { name }) => {
          const target = absentFor(map, name)
          fill(map)
          return calls[name](map as never, target, 'x'.repeat(5000))
        },
      ],
    ]

    /** The key that a method writes: one that is absent, or there with the value 'old'. */
    function absentFor(map: ConcurrentMap<Key, unknown>, name: string): string {
      if (/^(setIfAbsent|getOrInsert|getOrInsertComputed|increment|incrementEntry|getOrLoad|getManyOrLoad)$/.test(name))
        return 'absent'
      map.set(key, 'old')
      return key
    }

    function fill(map: ConcurrentMap<Key, unknown>): void {
      for (let length = 4096; length > 0; length = length >> 1) {
        try {
          for (let i = 0; i < 10_000; i++) map.set(`${length}:${i}`, 'x'.repeat(length))
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
        }
      }
      for (let i = 0; i < 64; i++) {
        try {
          map.set(i, 1)
        } catch {
          return
        }
      }
    }

    /** Calls inside a function that decides on a write of another key. */
    function within(map: ConcurrentMap<Key, unknown>, act: () => unknown): unknown {
      let result: unknown
      map.update('other', () => {
        result = codeOf(act)
        return 1
      })
      return Promise.resolve(result).then((code) => {
        if (code !== 'none') throw Object.assign(new Error(), { code })
      })
    }

    test.each(
      circumstances.flatMap(([what, code, isMet, act]) =>
        callable.filter(isMet).map((row) => [row.name, what, code, row, act] as const),
      ),
    )('%s, of %s: %s or none', async (name, _what, code, row, act) => {
      using map = open(row)
      map.set(key, 'old')
      const expected = row.throws.split(' ').includes(code) ? code : 'none'
      if (name === 'close') return
      const met = await codeOf(() => act(map, row))
      // Without a value to store, a method has none that could be too large, or of another type.
      expect(met).toBe(expected)
    })

    test.each(callable)('$name of a closed map: CLOSED', async (row) => {
      const map = open(row)
      map.close()
      expect(await codeOf(() => calls[row.name](map as never, key, 'new'))).toBe(
        row.name === 'close' || row.name === 'toJSON' ? 'none' : 'CLOSED',
      )
    })
  })

  test.each([
    ['ConcurrentMap', ofMaps],
    ['ConcurrentCache', ofCaches],
  ])('methods of %s wait for another thread that holds the key, as they say', async (className, all) => {
    using map =
      className === 'ConcurrentCache'
        ? new ConcurrentCache<Key, unknown>(options)
        : new ConcurrentMap<Key, unknown>(options)
    map.set('key', 'old')
    for (const key of ['key', 'absent']) {
      const subjects = all.filter(
        ({ name, waits }) => name !== 'close' && (waits === 'if absent') === (key === 'absent'),
      )
      storeOf(map).hold(key)
      try {
        const names = subjects.map(({ name }) => name)
        const ends = await crew.run({ lineup, handle: map.handle }, 'callHeld', names, key)
        const expected = subjects.map(({ name, waits }) => [name, waits === 'no' ? 'none' : 'TIMEOUT'])
        expect(Object.fromEntries(ends.flat())).toEqual(Object.fromEntries(expected))
      } finally {
        storeOf(map).letGo()
      }
    }
  })

  test.each(callable.filter(({ name }) => name !== 'close'))(
    '$name leaves the near-cache as it says: $near',
    async (row) => {
      using map = open(row)
      const key = 'key'
      const isAbsent = row.near === 'outdated' && row.absent.startsWith('stores') && /Absent|increment/.test(row.name)
      if (!isAbsent) map.set(key, 'old')
      const counts = (): { near: number; all: number } => {
        const { nearHits, hits, misses } = map.stats().counters
        return { near: nearHits, all: hits + misses }
      }
      for (let i = 0; i < 3; i++) map.get(key)
      const start = counts()
      map.get(key)
      expect(counts().near - start.near, 'it is near').toBe(1)
      const before = counts()
      await calls[row.name](map as never, key, 'new')
      const after = counts()
      expect({ near: after.near - before.near, all: after.all - before.all }, 'what the call counts').toEqual(
        row.near === 'hit' ? { near: 1, all: 1 } : { near: 0, all: 0 },
      )
      map.get(key)
      expect(counts().near - after.near, 'whether the next read is near').toBe(row.near === 'outdated' ? 0 : 1)
      expect(['hit', 'asked', 'none', 'outdated']).toContain(row.near)
    },
  )
})
