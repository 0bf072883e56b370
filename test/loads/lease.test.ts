import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/format/key.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FOUND,
  HASH_END,
  NO_LIMIT,
  NOT_DONE,
  PUT_ALWAYS,
  PUT_IF_ABSENT,
  PUT_IF_PRESENT,
  PUT_IF_VERSION,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  RETURN_PREVIOUS,
  UNCHANGED,
  type Engine,
} from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import type { CacheSettings } from '../../src/format/cache-settings.js'
import { VALUE_BYTES, VALUE_LAPSED_LEASE, VALUE_LEASE, VALUE_NUMBER } from '../../src/format/layout.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'

function statusOf(engine: Engine): number {
  return engine.result[RESULT_STATUS]
}

function versionOf(engine: Engine): number {
  return (engine.result[RESULT_VERSION_LOW] >>> 0) + engine.result[RESULT_VERSION_HIGH] * 2 ** 32
}

/** Takes the lease of a key, with `mark` in it. @returns the status */
function lease(engine: Engine, key: Key, mark: number, mode = PUT_IF_ABSENT, version = 0): number {
  engine.scratch.fill(mark, 0, 9)
  engine.put(key, VALUE_LEASE, 9, mode, version)
  return statusOf(engine)
}

/** Kind and mark of the lease of a key, if there is one. */
function leaseOf(engine: Engine, key: Key): { kind: number; mark: number } | undefined {
  engine.getForLoad(key)
  if (statusOf(engine) !== ENCODED) return undefined
  expect(engine.result[RESULT_LENGTH]).toBe(9)
  expect(new Set(engine.scratch.subarray(0, 9)).size).toBe(1)
  return { kind: engine.result[RESULT_KIND], mark: engine.scratch[0] }
}

describe.each(lineups)('leases ($name)', (lineup) => {
  function open(bytes = 8 * 2 ** 20, settings?: CacheSettings): [Engine, Engine] {
    const region = new SharedArrayBuffer(bytes)
    formatRegion(region, settings)
    return [openEngine(region, lineup.engineOf(0)), openEngine(region, lineup.engineOf(1))]
  }

  test('a key with a lease is absent', () => {
    const [a, b] = open()
    expect(lease(a, 'key', 1)).toBe(DONE)
    expect(b.get('key')).toBeUndefined()
    expect(statusOf(b)).toBe(ABSENT)
    b.peek('key')
    expect(statusOf(b)).toBe(ABSENT)
    b.getMany(['key'], [], 0)
    expect(b.result[RESULT_LENGTH]).toBe(0)
    expect(b.size()).toBe(0)
    b.collect(0, HASH_END, NO_LIMIT)
    expect(b.result[RESULT_LENGTH]).toBe(0)
    expect(b.snapshot()).toEqual([])
    expect(b.result[RESULT_LENGTH]).toBe(0)
    b.hold('key')
    expect(statusOf(b)).toBe(ABSENT)
    b.letGo()
    expect(b.put('key', VALUE_NUMBER, 1, PUT_IF_PRESENT)).toBeUndefined()
    expect(statusOf(b)).toBe(NOT_DONE)
    expect(leaseOf(b, 'key')).toEqual({ kind: VALUE_LEASE, mark: 1 })
    expect(b.verify()).toEqual([])
  })

  test('only one thread takes it, and who knows its version may replace it or take it away', () => {
    const [a, b] = open()
    lease(a, 'key', 1)
    const first = versionOf(a)
    expect(lease(b, 'key', 2)).toBe(NOT_DONE)
    expect(leaseOf(b, 'key')).toEqual({ kind: VALUE_LEASE, mark: 1 })
    expect(versionOf(b)).toBe(first)
    b.getIfChanged('key', first)
    expect(statusOf(b)).toBe(UNCHANGED)

    expect(lease(b, 'key', 3, PUT_IF_VERSION, first)).toBe(DONE)
    const second = versionOf(b)
    a.getIfChanged('key', first)
    expect(statusOf(a)).toBe(ABSENT)
    expect(lease(a, 'key', 4, PUT_IF_VERSION, first)).toBe(NOT_DONE)
    a.put('key', VALUE_NUMBER, 5, PUT_IF_VERSION, second)
    expect(statusOf(a)).toBe(DONE)
    expect(b.get('key')).toBe(5)
    expect(b.size()).toBe(1)

    a.remove('key', PUT_ALWAYS)
    lease(a, 'key', 6)
    const third = versionOf(a)
    expect(third).toBeGreaterThan(second)
    b.remove('key', PUT_IF_VERSION, third)
    expect(statusOf(b)).toBe(DONE)
    expect(leaseOf(a, 'key')).toBeUndefined()
    expect(statusOf(a)).toBe(ABSENT)
    expect(a.size()).toBe(0)
    expect(a.verify()).toEqual([])
  })

  test('a lease gives way to every write, and does not come back', () => {
    const [a, b] = open()
    const writes: [(key: string) => unknown, number][] = [
      [(key) => b.put(key, VALUE_NUMBER, 1, PUT_ALWAYS), 1],
      [(key) => b.put(key, VALUE_NUMBER, 2, PUT_IF_ABSENT), 2],
      [(key) => b.put(key, VALUE_NUMBER, 3, PUT_ALWAYS | RETURN_PREVIOUS), 3],
      [(key) => b.increment(key, 4), 4],
      [(key) => b.putMany([key], [VALUE_NUMBER], [5], 0, 1), 5],
      [
        (key) => {
          b.hold(key)
          b.putHeld(key, VALUE_NUMBER, 6)
        },
        6,
      ],
    ]
    for (const [write, value] of writes) {
      const key = `key ${value}`
      lease(a, key, value)
      const version = versionOf(a)
      write(key)
      expect(statusOf(b)).toBe(DONE)
      if (value < 4) expect(b.result[RESULT_PREVIOUS]).toBe(ABSENT)
      expect(a.get(key)).toBe(value)
      expect(a.size()).toBe(value)
      a.put(key, VALUE_NUMBER, -1, PUT_IF_VERSION, version)
      expect(statusOf(a)).toBe(NOT_DONE)
    }
    expect(a.verify()).toEqual([])
  })

  test('a deletion finds nothing, and the lease lapses', () => {
    const [a, b] = open()
    const deletions: ((key: string) => unknown)[] = [
      (key) => b.remove(key, PUT_ALWAYS),
      (key) => b.remove(key, PUT_ALWAYS | RETURN_PREVIOUS),
      (key) => b.removeMany([key]),
      (key) => {
        b.hold(key)
        b.removeHeld(key)
      },
      () => {
        b.clear(0, NO_LIMIT)
      },
    ]
    for (const [i, deletion] of deletions.entries()) {
      const key = `key ${i}`
      lease(a, key, i)
      const version = versionOf(a)
      for (let times = 0; times < 2; times++) {
        deletion(key)
        if (i < 2) {
          expect(statusOf(b)).toBe(NOT_DONE)
          expect(b.result[RESULT_PREVIOUS]).toBe(ABSENT)
        } else if (i === 2) expect(b.result[RESULT_LENGTH]).toBe(0)
        expect(leaseOf(a, key)).toEqual({ kind: VALUE_LAPSED_LEASE, mark: i })
      }
      expect(versionOf(a)).toBeGreaterThan(version)
      expect(lease(b, key, i)).toBe(NOT_DONE)
      a.put(key, VALUE_NUMBER, -1, PUT_IF_VERSION, version)
      expect(statusOf(a)).toBe(NOT_DONE)
      expect(a.size()).toBe(0)
      expect(a.verify()).toEqual([])
    }
  })

  test('a lease whose time is up gives way, and is swept away', () => {
    const [a, b] = open(8 * 2 ** 20, { ttl: Infinity, maxEntries: 0 })
    const expireAt = (key: string, expiresAt: number): number => {
      a.put(key, VALUE_LEASE, 9, PUT_IF_ABSENT, 0, expiresAt)
      return statusOf(a)
    }
    for (const key of ['one', 'two', 'three']) expect(expireAt(key, a.now() - 5000)).toBe(DONE)
    a.put('value', VALUE_NUMBER, 1, PUT_ALWAYS, 0, a.now() - 5000)
    expect(leaseOf(b, 'one')).toBeUndefined()
    expect(expireAt('one', a.now() + 60_000)).toBe(DONE)
    expect(b.size()).toBe(1)
    b.sweep(0, 1000)
    expect(b.size()).toBe(0)
    b.clear(0, NO_LIMIT)
    expect(leaseOf(a, 'one')?.kind).toBe(VALUE_LAPSED_LEASE)
    expect(a.verify()).toEqual([])
  })

  test('agrees with a model, wherever in a segment a key lies and however segments split', () => {
    const [a, b] = open()
    const random = new Random(seed)
    const values = new Map<number, number>()
    const leases = new Map<number, { kind: number; mark: number; version: number }>()
    const steps = scaled(40_000)
    for (let i = 0; i < steps; i++) {
      const engine = random.chance(0.5) ? a : b
      const key = random.below(3000)
      const held = leases.get(key)
      const mark = i & 0xff
      const choice = random.below(i % 10_000 === 5000 ? 100 : 99)
      if (choice < 30) {
        const isTaken = lease(engine, key, mark) === DONE
        expect(isTaken).toBe(!values.has(key) && held === undefined)
        if (isTaken) leases.set(key, { kind: VALUE_LEASE, mark, version: versionOf(engine) })
      } else if (choice < 50) {
        engine.put(key, VALUE_NUMBER, i, PUT_IF_VERSION, held?.version ?? 0)
        expect(statusOf(engine)).toBe(held === undefined ? NOT_DONE : DONE)
        if (held === undefined) continue
        leases.delete(key)
        values.set(key, i)
      } else if (choice < 60) {
        engine.remove(key, PUT_IF_VERSION, held?.version ?? 0)
        expect(statusOf(engine)).toBe(held === undefined ? NOT_DONE : DONE)
        leases.delete(key)
      } else if (choice < 70) {
        if (random.chance(0.5)) engine.put(key, VALUE_NUMBER, i, PUT_ALWAYS)
        else {
          engine.growScratch(1000)
          engine.put(key, VALUE_BYTES, 1000, PUT_ALWAYS)
          engine.put(key, VALUE_NUMBER, i, PUT_ALWAYS)
        }
        leases.delete(key)
        values.set(key, i)
      } else if (choice < 99) {
        engine.remove(key, PUT_ALWAYS)
        expect(statusOf(engine)).toBe(values.delete(key) ? DONE : NOT_DONE)
        if (held === undefined) continue
        engine.getForLoad(key)
        if (held.kind === VALUE_LEASE) expect(versionOf(engine)).toBeGreaterThan(held.version)
        leases.set(key, { ...held, kind: VALUE_LAPSED_LEASE, version: versionOf(engine) })
      } else {
        engine.clear(0, NO_LIMIT)
        values.clear()
        for (const [each, known] of leases) {
          engine.getForLoad(each)
          leases.set(each, { ...known, kind: VALUE_LAPSED_LEASE, version: versionOf(engine) })
        }
        expect(engine.verify()).toEqual([])
      }
      const now = leases.get(key)
      expect(engine.get(key)).toBe(values.get(key))
      expect(statusOf(engine)).toBe(values.has(key) ? FOUND : ABSENT)
      expect(leaseOf(engine, key)).toEqual(now && { kind: now.kind, mark: now.mark })
      if (i % 1000 === 0) expect(engine.size()).toBe(values.size)
    }
    for (const engine of [a, b]) {
      expect(engine.size()).toBe(values.size)
      engine.snapshot()
      expect(engine.result[RESULT_LENGTH]).toBe(values.size)
      expect(engine.verify()).toEqual([])
    }
  })
})
