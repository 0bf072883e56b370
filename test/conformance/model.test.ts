import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConcurrentMap, Key } from '../../src/index.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Subject } from '../support/subject.js'

/**
 * What a map should hold: the value of each key, and the highest version that the key ever had.
 */
class Model {
  readonly entries = new Map<Key, { value: unknown; version: number }>()
  readonly #highest = new Map<Key, number>()

  value(key: Key): unknown {
    return this.entries.get(key)?.value
  }

  /** Notes a write that the map should have made, and that its version is a new one. */
  wrote(map: ConcurrentMap<Key, unknown>, key: Key, value: unknown): void {
    const entry = map.getEntry(key)
    expect(entry).toBeDefined()
    const { version } = entry!
    expect(version).toBeGreaterThan(this.#highest.get(key) ?? 0)
    this.#highest.set(key, version)
    this.entries.set(key, { value: structuredClone(value), version })
  }
}

/** One operation: applies it to both, and compares what it returned. */
interface Step {
  readonly run: (model: Model, subject: Subject) => void
  readonly [fc.toStringMethod]: () => string
}

function step<Arguments extends unknown[]>(
  name: string,
  weight: number,
  parameters: fc.Arbitrary<Arguments>,
  run: (model: Model, subject: Subject, ...parameters: Arguments) => void,
): fc.WeightedArbitrary<Step> {
  const arbitrary = parameters.map((given): Step => {
    return {
      run: (model, subject) => {
        run(model, subject, ...given)
      },
      [fc.toStringMethod]: () => `${name}(${given.map((one) => fc.stringify(one)).join(', ')})`,
    }
  })
  return { weight, arbitrary }
}

// Few keys, so that operations meet; the long ones fill segments, so that these split.
const key: fc.Arbitrary<Key> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }).map((n) => `key-${n}`) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2000 }) },
  { weight: 1, arbitrary: fc.bigInt({ min: -3n, max: 3n }) },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
)

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(undefined, null, true, false, 0n, -(2n ** 70n)),
  fc.nat(20_000).map((length) => 'v'.repeat(length)),
  fc.uint8Array({ maxLength: 2000 }),
  fc.jsonValue(),
  fc.array(fc.date({ noInvalidDate: true }), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.constantFrom(new Map([[1, 2]]), new Set(['a']), undefined)),
)

const operation = fc.oneof(
  step('get', 6, fc.tuple(key), (model, subject, key) => {
    expect(subject.map.get(key)).toStrictEqual(model.value(key))
  }),

  step('has', 6, fc.tuple(key), (model, subject, key) => {
    expect(subject.map.has(key)).toBe(model.entries.has(key))
  }),

  step('getEntry', 6, fc.tuple(key), (model, subject, key) => {
    const expected = model.entries.get(key)
    expect(subject.map.getEntry(key)).toStrictEqual(expected && { ...expected, expiresAt: undefined })
  }),

  step('set', 6, fc.tuple(key, value), (model, subject, key, value) => {
    subject.map.set(key, value)
    model.wrote(subject.map, key, value)
  }),

  step('setIfAbsent', 6, fc.tuple(key, value), (model, subject, key, value) => {
    const isAbsent = !model.entries.has(key)
    expect(subject.map.setIfAbsent(key, value)).toBe(isAbsent)
    if (isAbsent) model.wrote(subject.map, key, value)
  }),

  step('setIfVersion', 6, fc.tuple(key, value, fc.constantFrom(0, -1, 1)), (model, subject, key, value, error) => {
    const current = model.entries.get(key)?.version ?? 0
    const version = Math.max(0, current + error)
    const isCurrent = version === current
    expect(subject.map.setIfVersion(key, value, version)).toBe(isCurrent)
    if (isCurrent) model.wrote(subject.map, key, value)
  }),

  step('swap', 6, fc.tuple(key, value), (model, subject, key, value) => {
    expect(subject.map.swap(key, value)).toStrictEqual(model.value(key))
    model.wrote(subject.map, key, value)
  }),

  step('getOrInsert', 6, fc.tuple(key, value), (model, subject, key, value) => {
    const isAbsent = !model.entries.has(key)
    expect(subject.map.getOrInsert(key, value)).toStrictEqual(isAbsent ? structuredClone(value) : model.value(key))
    if (isAbsent) model.wrote(subject.map, key, value)
  }),

  step('delete', 6, fc.tuple(key), (model, subject, key) => {
    expect(subject.map.delete(key)).toBe(model.entries.delete(key))
  }),

  step('deleteIfVersion', 6, fc.tuple(key, fc.constantFrom(0, -1, 1)), (model, subject, key, error) => {
    const current = model.entries.get(key)?.version ?? 0
    const version = Math.max(0, current + error)
    expect(subject.map.deleteIfVersion(key, version)).toBe(version === current && model.entries.delete(key))
  }),

  step('take', 6, fc.tuple(key), (model, subject, key) => {
    expect(subject.map.take(key)).toStrictEqual(model.value(key))
    model.entries.delete(key)
  }),

  step('increment', 6, fc.tuple(key, fc.maxSafeInteger()), (model, subject, key, by) => {
    const current = model.entries.has(key) ? model.value(key) : 0
    if (!Number.isSafeInteger(current) || !Number.isSafeInteger((current as number) + by)) {
      const refused = expect.objectContaining({ code: 'ERR_MAPSAFE_COUNTER' }) as Error
      expect(() => subject.map.increment(key, by)).toThrow(refused)
    } else {
      const sum = (current as number) + by
      expect(subject.map.increment(key, by)).toBe(sum)
      model.wrote(subject.map, key, sum)
    }
  }),

  step('fill', 2, fc.tuple(fc.nat(500)), (model, subject, start) => {
    for (let key = start; key < start + 300; key++) {
      subject.map.set(key, key)
      model.wrote(subject.map, key, key)
    }
  }),

  step('deleteWhileIterating', 2, fc.tuple(fc.nat(3)), (model, subject, remainder) => {
    const expected = new Set(model.entries.keys())
    let index = 0
    for (const [key, value] of subject.map) {
      expect(value).toStrictEqual(model.value(key))
      expect(expected.delete(key)).toBe(true)
      if (index++ % 4 <= remainder) expect(subject.map.delete(key)).toBe(model.entries.delete(key))
    }
    expect(expected.size).toBe(0)
  }),

  step('clear', 1, fc.tuple(), (model, subject) => {
    subject.map.clear()
    model.entries.clear()
  }),

  step('size', 6, fc.tuple(), (model, subject) => {
    expect(subject.map.size).toBe(model.entries.size)
  }),
)

describe.each(lineups)('$name', (lineup) => {
  test('any sequence of operations does what a Map would do', { timeout: scaled(60_000) }, () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), fc.boolean(), (steps, skipsTurn) => {
        const subject = new Subject(lineup, { maxBytes: 8 * 2 ** 20 })
        const model = new Model()
        if (skipsTurn) subject.skipTurn()
        for (const { run } of steps) run(model, subject)
        expect(subject.map.size).toBe(model.entries.size)
        expect(new Map(subject.content())).toStrictEqual(
          new Map([...model.entries].map(([key, { value }]) => [key, value])),
        )
        subject.end()
      }),
      { seed, numRuns: scaled(60) },
    )
  })
})
