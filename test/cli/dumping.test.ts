import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { dumpLines, fromJson, loadLines, toJson } from '../../src/dump/index.js'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { GeneratedValues } from '../support/generated-values.js'
import { Random } from '../support/random.js'
import { scaled, seed } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { end, mapsafe, start } from './program.js'

const scratch = new Scratch()
afterAll(() => scratch[Symbol.dispose]())

const HOUR = 3_600_000

/** Keys of every kind. */
const KEYS: Key[] = [
  ...['', 'text', '\u2603', '\ud800', '__proto__', '$date', 'a\nb'],
  ...[0, -1.5, NaN, Infinity, 2 ** 60, 0n, -(2n ** 70n), true, false, new Uint8Array(0), new Uint8Array([0, 255])],
]

/** What is told of each entry; versions are of one map alone. */
function entriesOf(path: string): Map<string, object> {
  using seen = openInspection(path)
  const entries = Array.from(seen.entries({ values: true }), ({ key, ...rest }): [string, object] => [
    JSON.stringify(toJson(key)),
    // How many bytes a value takes depends on the names that others have already.
    { ...rest, version: 0, bytes: 0, valueBytes: 0 },
  ])
  return new Map(entries)
}

describe('a dump and its load', () => {
  test.each(['from a snapshot', 'by looking alone'])(
    'make an equal cache of every kind of key, value, life and group, %s',
    async (way) => {
      const [from, to, lines] = [scratch.file(), scratch.file(), scratch.file()]
      const random = new Random(seed)
      {
        using cache = new ConcurrentCache<Key, unknown>({ file: from, maxBytes: 2 ** 23, ttl: HOUR })
        const values = new GeneratedValues(random.below(2 ** 31))
        for (const key of KEYS) cache.set(key, values.next())
        for (let i = 0; i < scaled(400); i++) cache.set(`generated ${i}`, values.next())
        for (const [i, value] of [
          undefined,
          null,
          true,
          -0,
          NaN,
          'x',
          5n,
          new Date(3),
          new Array<number>(3),
          Object(1),
        ].entries())
          cache.set(`value ${i}`, value)
        cache.set('for ever', 1, { ttl: Infinity })
        cache.set('sliding', 1, { slidingTtl: HOUR })
        cache.set('tagged', 1, { tags: ['a', 'b'] })
        cache.increment('counter', 25)
        cache.increment('mortal counter', -3, { ttl: HOUR })
        cache.namespace('ns:').set('key', { in: 'it' }, { tags: ['a'] })
        await cache.getOrLoad('loaded', () => 'value', { ttl: HOUR, staleWhileRevalidate: HOUR })
        await cache.getOrLoad('kept for failures', () => 'value', { ttl: HOUR, staleIfError: HOUR })
        cache.set('gone', 1, { expiresAt: 1000 })
      }
      expect(mapsafe(['dump', from, lines, ...(way === 'from a snapshot' ? [] : ['--look'])])).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      })
      expect(mapsafe(['load', to, lines])).toMatchObject({ status: 0, stderr: '' })
      expect(entriesOf(to)).toEqual(entriesOf(from))
      expect(mapsafe(['verify', to]).status).toBe(0)
      using again = new ConcurrentCache<string, unknown>({ file: to, ttl: HOUR })
      expect(again.get('tagged')).toBe(1)
      again.invalidateTags(['b'])
      expect(again.has('tagged')).toBe(false)
      expect(again.has('ns:key')).toBe(true)
      again.namespace('ns:').clear()
      expect(again.has('ns:key')).toBe(false)
      expect(again.increment('counter')).toBe(26)
    },
  )

  test('of a map with namespaces', () => {
    using map = new ConcurrentMap<string, unknown>({ maxBytes: 2 ** 20 })
    map.namespace('ns:').set('a', 1)
    map.set('ns:b', 2)
    const { map: again, entries } = loadLines(dumpLines(map as never))
    expect(entries).toBe(2)
    ;(again as ConcurrentMap<string, unknown>).namespace('ns:').clear()
    expect([...again.keys()]).toEqual(['ns:b'])
    again.close()
  })

  test('settings of the cache come back', () => {
    using cache = new ConcurrentCache<string, number>({
      maxBytes: 2 ** 21,
      slidingTtl: 5000,
      ttlJitter: 0.25,
      maxEntries: 9000,
    })
    const { map } = loadLines(dumpLines(cache as never))
    using seen = openInspection(map.handle)
    expect(seen.settings).toMatchObject({
      kind: 'cache',
      maxBytes: 2 ** 21,
      slidingTtl: 5000,
      ttlJitter: 0.25,
      maxEntries: 9000,
    })
    map.close()
  })

  test('of pairs, as another version gives them', () => {
    const old = new Map<Key, unknown>([
      ['a', { at: new Date(5) }],
      [1n, [undefined]],
    ])
    const { map, entries } = loadLines(dumpLines(old), { maxBytes: 2 ** 20 })
    expect(entries).toBe(2)
    expect(map.get('a')).toEqual({ at: new Date(5) })
    expect(map.get(1n)).toEqual([undefined])
    map.close()
  })

  test('of a map that another process writes to are of one instant', async () => {
    const live = scratch.file('live.map')
    const child = await start('writer.program.js', live)
    try {
      for (let i = 0; i < scaled(3); i++) {
        const { status, stdout } = mapsafe(['dump', live])
        expect(status).toBe(0)
        const { map } = loadLines(stdout.trimEnd().split('\n'))
        // The writer deletes as many as it makes: of one instant there are 150, and one that it has just made.
        const passing = [...map.keys()].filter((key) => String(key).startsWith('passing'))
        expect([150, 151]).toContain(passing.length)
        map.close()
      }
    } finally {
      await end(child, 'SIGKILL')
    }
  })
})

describe('what is no whole dump is refused, and leaves nothing', () => {
  const whole = [
    ...dumpLines(
      new Map<Key, unknown>([
        ['a', 1],
        ['b', { c: [1, 2n] }],
      ]),
    ),
  ]
  const cases: [string, string[] | string, RegExp][] = [
    ['nothing', [], /it is empty/],
    ['a dump without its end', whole.slice(0, -1), /cut off after line 3/],
    ['half a line', `${whole[0]}\n${whole[1].slice(0, 9)}`, /line 2 is no JSON .*cut off/],
    [
      'a dump without a line of its middle',
      [whole[0], whole[2], whole[3]],
      /says that there are 2 entries, but there were 1/,
    ],
    ['more after the end', [...whole, whole[1]], /line 5 comes after the last one/],
    ['another file', ['hello'], /line 1 is no JSON/],
    ['JSON that is none', ['{"a":1}'], /does not say that it begins a dump/],
    ['a later version', ['{"mapsafe":"dump","version":9,"kind":"map"}'], /says version 9, expected 1/],
    ['an unknown form', [whole[0], '{"key":{"$what":1},"value":1}'], /line 2 has the form \$what/],
    ['bytes that are none', [whole[0], '{"key":{"$bytes":"*"},"value":1}'], /line 2 has something else in \$bytes/],
    [
      'V8 bytes that are none',
      [whole[0], '{"key":"a","value":{"$v8":"AAAA"}}'],
      /line 2 has bytes that V8 cannot read/,
    ],
    ['a key that is none', [whole[0], '{"key":{"a":1},"value":1}'], /expected|key/],
    [
      'a deep value',
      [whole[0], `{"key":1,"value":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
      /line 2 is nested too deeply/,
    ],
    ['groups that are none', [whole[0], '{"key":1,"value":1,"groups":["tmine"]}'], /line 2 has groups that are none/],
    ['a size that is none', ['{"mapsafe":"dump","version":1,"kind":"map","maxBytes":"x"}'], /maxBytes/],
  ]
  test.each(cases)('%s', (_, lines, message) => {
    const file = scratch.file()
    const input = typeof lines === 'string' ? lines : lines.map((line) => `${line}\n`).join('')
    const { status, stderr, stdout } = mapsafe(['load', file], input)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(existsSync(file)).toBe(false)
  })

  test('a file that is there stays as it is', () => {
    const file = scratch.file('there.map')
    writeFileSync(file, 'mine')
    expect(mapsafe(['load', file], whole.join('\n')).status).toBe(3)
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect(mapsafe(['load', scratch.file(), scratch.file('none')]).status).toBe(3)
  })

  test('every cut of a dump', () => {
    const text = whole.map((line) => `${line}\n`).join('')
    for (let length = 0; length < text.length - 1; length++) {
      expect(() =>
        loadLines(
          text
            .slice(0, length)
            .split('\n')
            .filter((line) => line !== ''),
        ),
      ).toThrow(/Cannot load the dump/)
    }
  })
})

test('whatever is generated comes back equal from JSON', () => {
  const values = new GeneratedValues(seed)
  for (let i = 0; i < scaled(3000); i++) {
    // A clone, since a map gives no instances of classes.
    const value: unknown = structuredClone(values.next())
    expect(fromJson(JSON.parse(JSON.stringify(toJson(value)))), `seed ${seed}, value ${i}`).toEqual(value)
  }
})
