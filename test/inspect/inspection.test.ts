import { createHash } from 'node:crypto'
import { chmodSync, chownSync, copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { MapsafeError, openInspection, type Inspection, type InspectionSource } from '../../src/inspect/index.js'
import { FORMAT_VERSION, HEADER_CLOCK_BOOT, HEADER_FORMAT_VERSION, HEADER_STATE } from '../../src/format/layout.js'
import { Clock } from '../support/clock.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'

type AnyMap = ConcurrentMap<Key, unknown>
type AnyCache = ConcurrentCache<Key, unknown>

const MIB = 2 ** 20
const scratch = new Scratch()
afterAll(() => scratch[Symbol.dispose]())

const VALUES: readonly [unknown, string, number][] = [
  [undefined, 'undefined', 0],
  [null, 'null', 0],
  [true, 'boolean', 0],
  [1.5, 'number', 8],
  ['text', 'string', 4],
  ['\u2603', 'string', 2],
  [2n ** 70n, 'bigint', 16],
  [new Uint8Array(5), 'bytes', 5],
  [new Uint8Array(0), 'bytes', 0],
]

/** Entries of every kind, with some deleted and replaced again. */
function fill(map: AnyMap): void {
  for (let i = 0; i < 2000; i++) map.set(`key ${i}`, 'x'.repeat(i % 300))
  for (let i = 0; i < 2000; i += 3) map.delete(`key ${i}`)
  for (let i = 1; i < 2000; i += 7) map.set(`key ${i}`, i)
  VALUES.forEach(([value], i) => map.set(i, value))
  map.set(-0, { a: [1, { b: 'c' }] })
  map.set(true, new Map([[1, 2]]))
  map.set(10n ** 30n, 1)
  map.set(new Uint8Array([1, 2, 3]), 2)
  map.set('\u2603', 'x'.repeat(70_000))
  map.increment('counter')
  map.increment('counter')
}

/** What a map and an inspection of it both tell. */
function expectSame(map: AnyMap, seen: Inspection, where: string): void {
  const { hotKeys, file, ...stats } = map.stats()
  expect(hotKeys).toBeDefined()
  // Reads of this test are counted in the map, and not in bytes that were copied before.
  const counters: unknown = seen.isLive ? stats.counters : expect.anything()
  // A name is what this thread calls the map.
  expect(seen.stats(), where).toEqual({ ...stats, name: undefined, counters, file: seen.file })
  expect(file === undefined || seen.file === undefined || file === seen.file || seen.isCopy).toBe(true)
  const problems = seen.verify().problems.filter((problem) => !problem.startsWith('it was copied'))
  expect(problems, where).toEqual(map.verify().problems)
  const [ours, theirs] = [map.health(), seen.health()].map(({ verdicts }) =>
    // Near reads are those since each of the two was opened.
    verdicts.filter(({ name }) => name !== 'nearStaleness'),
  )
  expect(theirs, where).toEqual(ours)
  expectSameEntries(map, seen, where)
}

function expectSameEntries(map: AnyMap, seen: Inspection, where: string): void {
  const told = [...seen.entries()].map(({ key, version, expiresAt }) => ({ key, version, expiresAt }))
  const there = [...map.keys()].map((key) => {
    const { version, expiresAt } = map.getEntry(key)!
    return { key, version, expiresAt }
  })
  expect(told, where).toEqual(there)
  expect([...seen.keys()], where).toEqual([...map.keys()])
}

function* sourcesOf(bytes: Uint8Array): Generator<[string, InspectionSource]> {
  yield ['an ArrayBuffer', new Uint8Array(bytes).buffer]
  yield ['a Uint8Array', new Uint8Array(bytes)]
  yield ['a Buffer', Buffer.from(bytes)]
  const longer = new Uint8Array(bytes.length + 10_001)
  longer.set(bytes, 3)
  yield ['a piece of a longer one, not aligned', longer.subarray(3)]
  const memory = new SharedArrayBuffer(bytes.length + 4096)
  new Uint8Array(memory).set(bytes, 16)
  yield ['a piece of shared memory', new Uint8Array(memory, 16)]
}

describe.each(lineups)('figures and entries are those of the map ($name)', (lineup) => {
  test.each(['map', 'cache'])('of a %s in memory, from every kind of source', (kind) => {
    const options = { maxBytes: 8 * MIB, engine: lineup.engineOf(0) }
    using map: AnyMap = kind === 'map' ? new ConcurrentMap(options) : new ConcurrentCache({ ...options, ttl: 60_000 })
    fill(map)
    using shared = openInspection(map.handle)
    expect(shared.isLive).toBe(true)
    expectSame(map, shared, 'the handle')
    const region = map.handle.region!
    using again = openInspection(region)
    expectSame(map, again, 'the SharedArrayBuffer')
    map.set('later', 1)
    expectSame(map, shared, 'after a write')
    for (const [where, source] of sourcesOf(new Uint8Array(region))) {
      using seen = openInspection(source)
      expect(seen.isLive).toBe(false)
      expectSame(map, seen, where)
      // Bytes of memory that is shared were copied while the map was open.
      expect(seen.verify().ok, where).toBe(where !== 'a piece of shared memory')
    }
  })

  test.each(['map', 'cache'])('of a %s in a file, and of a copy of it', (kind) => {
    const options = { maxBytes: 4 * MIB, engine: lineup.engineOf(1), file: scratch.file() }
    const open = (): AnyMap => (kind === 'map' ? new ConcurrentMap(options) : new ConcurrentCache(options))
    {
      using map = open()
      fill(map)
      using seen = openInspection(options.file)
      expect([seen.isLive, seen.isCopy, seen.file]).toEqual([true, false, options.file])
      expectSame(map, seen, 'the file')
      using read = openInspection(options.file, { copy: true })
      expectSameEntries(map, read, 'the file, read')
      expect(read.verify().problems[0]).toMatch(/copied while threads \(1\) had it open/)
    }
    const copy = scratch.file()
    copyFileSync(options.file, copy)
    using map = open()
    using seen = openInspection(copy)
    expect([seen.isCopy, seen.verify(), seen.threads()]).toEqual([true, { ok: true, problems: [] }, []])
    expectSameEntries(map, seen, 'the copy')
    expect(seen.settings).toMatchObject({ kind, maxBytes: 4 * MIB, formatVersion: FORMAT_VERSION })
    const inUse = scratch.file()
    copyFileSync(options.file, inUse)
    using torn = openInspection(inUse)
    expect(torn.verify().problems[0]).toMatch(/copied while threads \(1\) had it open/)
    expectSameEntries(map, torn, 'the copy of a file in use')
    // The copy has no locks, but the kernel shows the thread.
    expect(torn.threads()).toMatchObject([{ pid: process.pid, state: 'running' }])
  })

  test('each value has its kind and its size', () => {
    using map: AnyMap = new ConcurrentMap({ maxBytes: 2 * MIB, engine: lineup.engineOf(0) })
    fill(map)
    using seen = openInspection(map.handle)
    const told = new Map([...seen].map((entry) => [entry.key, entry]))
    VALUES.forEach(([, kind, valueBytes], i) => {
      if (i > 0) expect(told.get(i)).toMatchObject({ kind, valueBytes, keyBytes: 8, state: 'live' })
    })
    expect(told.get(0)).toMatchObject({ kind: 'plain' })
    expect(told.get(true)).toMatchObject({ kind: 'plain', keyBytes: 1 })
    expect(told.get('counter')).toMatchObject({ kind: 'counter', valueBytes: 8 })
    const bytes = [...seen].reduce((sum, entry) => sum + entry.bytes, 0)
    const { figures } = seen.health().verdicts.find(({ name }) => name === 'memoryAmplification')!
    expect(bytes).toBe(figures.bytesLive)
  })

  test('what has expired is told as such, and a lease as none', async () => {
    using cache: AnyCache = new ConcurrentCache({ maxBytes: 2 * MIB, engine: lineup.engineOf(0), ttl: 60_000 })
    cache.set('short', 1, { ttl: 1000 })
    cache.set('long', 2, { ttl: 10_000 })
    cache.set('for ever', 3, { ttl: Infinity })
    let finish: (value: number) => void = () => undefined
    const load = cache.getOrLoad('loading', () => new Promise<number>((resolve) => (finish = resolve)))
    using seen = openInspection(cache.handle)
    expectSameEntries(cache, seen, 'before')
    new Clock(cache.handle).advance(2000)
    expect([...seen.keys()].sort()).toEqual(['for ever', 'long'])
    expect([...seen.keys({ expired: true })].sort()).toEqual(['for ever', 'long', 'short'])
    const states = [...seen.entries({ expired: true, leases: true })].map(({ key, state, kind }) => [key, state, kind])
    expect(states.sort()).toEqual([
      ['for ever', 'live', 'number'],
      ['loading', 'lease', 'lease'],
      ['long', 'live', 'number'],
      ['short', 'expired', 'number'],
    ])
    expect(seen.stats().entries).toBe(cache.stats().entries)
    expect(seen.health().verdicts[0].figures).toEqual(cache.health().verdicts[0].figures)
    finish(1)
    await load
    expect([...seen.keys()]).toContain('loading')
    const { expiresAt } = cache.getEntry('long')!
    using before = openInspection(cache.handle, { now: expiresAt! - 1 })
    using after = openInspection(cache.handle, { now: expiresAt! + 1 })
    expect([[...before.keys()].includes('long'), [...after.keys()].includes('long')]).toEqual([true, false])
  })

  test('after a start of the system, lifetimes go on by its clock', () => {
    using cache: AnyCache = new ConcurrentCache({ maxBytes: 2 * MIB, engine: lineup.engineOf(0) })
    cache.set('short', 1, { ttl: 60_000 })
    const bytes = new Uint8Array(cache.handle.region!).slice()
    new BigUint64Array(bytes.buffer)[HEADER_CLOCK_BOOT / 2] = 12_345n
    const doubles = new Float64Array(bytes.buffer)
    const memory = new SharedArrayBuffer(bytes.length)
    doubles[5] += 2 ** 40 // the offset to a monotonic clock that is no more
    new Uint8Array(memory).set(bytes)
    using seen = openInspection(memory)
    const [told] = seen.entries()
    expect(told).toMatchObject({ key: 'short', state: 'live' })
    using opened = ConcurrentCache.attach({ kind: 'mapsafe.cache', region: memory })
    expect(opened.getEntry('short')?.expiresAt).toBeCloseTo(told.expiresAt!, -2)
  })
})

describe('the file', () => {
  const fingerprint = (file: string): object => {
    const { mtimeNs, ctimeNs, size, mode } = statSync(file, { bigint: true })
    return { mtimeNs, ctimeNs, size, mode, hash: createHash('sha256').update(readFileSync(file)).digest('hex') }
  }
  const locksOf = (file: string): string[] => {
    const { ino } = statSync(file)
    return (
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter((line) => line.includes(`:${ino} `))
        // They are numbered among all locks of the machine.
        .map((line) => line.replace(/^\d+: /, ''))
    )
  }

  function lookAll(file: string, options = {}): void {
    using seen = openInspection(file, options)
    seen.stats()
    seen.verify()
    seen.health()
    seen.threads()
    expect([...seen.entries({ expired: true, leases: true })].length).toBeGreaterThan(0)
  }

  test('is left as it is, by a byte and by its times, without a lock or a thread record', () => {
    const file = scratch.file()
    {
      using map: AnyMap = new ConcurrentMap({ file, maxBytes: MIB })
      map.set('key', 1)
      const before = fingerprint(file)
      const locks = process.platform === 'linux' ? locksOf(file) : []
      using seen = openInspection(file)
      expect([...seen.keys()]).toEqual(['key'])
      expect(seen.threads()).toHaveLength(1)
      lookAll(file)
      expect(fingerprint(file)).toEqual(before)
      if (process.platform === 'linux') {
        expect(locksOf(file)).toEqual(locks)
        expect(locks.length).toBeGreaterThan(0)
        const mappings = readFileSync('/proc/self/maps', 'utf8').split('\n')
        const own = mappings.filter((line) => line.includes(file)).map((line) => line.split(' ')[1])
        expect(own).toContain('r--s')
      }
    }
    const before = fingerprint(file)
    lookAll(file)
    lookAll(file, { copy: true })
    expect(fingerprint(file)).toEqual(before)
    if (process.platform === 'linux') expect(locksOf(file)).toEqual([])
  })

  test('may be one that can only be read, and with trustFile one of another user', () => {
    const file = scratch.file()
    {
      using map: AnyMap = new ConcurrentMap({ file, maxBytes: MIB })
      map.set('key', 1)
    }
    chmodSync(file, 0o400)
    lookAll(file)
    chmodSync(file, 0o466)
    expect(codeOf(() => openInspection(file))).toBe('ERR_MAPSAFE_FILE')
    lookAll(file, { trustFile: true })
    chmodSync(file, 0o444)
    if (process.geteuid?.() !== 0) return
    chownSync(file, 12_345, 12_345)
    expect(codeOf(() => openInspection(file))).toBe('ERR_MAPSAFE_FILE')
    const before = fingerprint(file)
    lookAll(file, { trustFile: true })
    expect(fingerprint(file)).toEqual(before)
  })
})

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(MapsafeError)
    return (error as MapsafeError).code
  }
}

describe('what cannot be inspected is refused with a code', () => {
  using map: AnyMap = new ConcurrentMap({ maxBytes: MIB })
  const region = map.handle.region!
  const changed = (word: number, value: number): ArrayBuffer => {
    const words = new Int32Array(region).slice()
    words[word] = value
    return words.buffer
  }
  const file = scratch.file()
  writeFileSync(file, new Uint8Array(region))
  const cut = scratch.file()
  copyFileSync(file, cut)
  truncateSync(cut, MIB / 2)
  const empty = scratch.file()
  writeFileSync(empty, '')

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'OPTIONS'],
    ['a number', 1, 'OPTIONS'],
    ['an empty path', '', 'OPTIONS'],
    ['another object', { file: 1 }, 'OPTIONS'],
    ['another view', new Int32Array(region), 'OPTIONS'],
    ['no bytes', new ArrayBuffer(0), 'FORMAT'],
    ['zeros', new ArrayBuffer(MIB), 'FORMAT'],
    ['a part', new Uint8Array(region, 0, MIB - 1), 'FORMAT'],
    ['another version', changed(HEADER_FORMAT_VERSION, FORMAT_VERSION + 1), 'FORMAT'],
    ['one that was never formatted', changed(HEADER_STATE, 0), 'FORMAT'],
    ['no file', scratch.file(), 'FILE'],
    ['a directory', scratch.path, 'FILE'],
    ['an empty file', empty, 'FORMAT'],
    ['a file that was cut off', cut, 'FORMAT'],
  ])('%s', (_, source, code) => {
    expect(codeOf(() => openInspection(source as string))).toBe(`ERR_MAPSAFE_${code}`)
  })

  test.each([{ trust: true }, { trustFile: 1 }, { copy: 'yes' }, { now: NaN }, { now: 'noon' }])(
    'option %o',
    (options) => {
      expect(codeOf(() => openInspection(region, options as object))).toBe('ERR_MAPSAFE_OPTIONS')
    },
  )

  test('options of a walk', () => {
    using seen = openInspection(new Uint8Array(region))
    for (const options of [{ all: true }, { expired: 1 }, { leases: 'x' }, { onProblem: 1 }]) {
      expect(codeOf(() => seen.entries(options as object))).toBe('ERR_MAPSAFE_OPTIONS')
    }
  })

  test('anything once it is closed, or its memory was transferred', () => {
    using other: AnyMap = new ConcurrentMap({ maxBytes: MIB })
    for (let i = 0; i < 100; i++) other.set(i, i)
    const closed = openInspection(other.handle)
    const walk = closed.entries()
    walk.next()
    closed.close()
    closed.close()
    const buffer = new Uint8Array(other.handle.region!).slice().buffer
    const moved = openInspection(buffer)
    structuredClone(buffer, { transfer: [buffer] })
    expect(codeOf(() => walk.next())).toBe('ERR_MAPSAFE_CLOSED')
    for (const seen of [closed, moved]) {
      for (const name of ['stats', 'verify', 'health', 'threads', 'entries'] as const) {
        expect(
          codeOf(() => seen[name]()),
          name,
        ).toBe('ERR_MAPSAFE_CLOSED')
      }
      expect(codeOf(() => seen.settings)).toBe('ERR_MAPSAFE_CLOSED')
    }
  })
})
