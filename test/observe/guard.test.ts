import { execFileSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type GuardEvent, type GuardOptions, type Key } from '../../src/index.js'
import { Once } from '../../src/observe/guard/once.js'
import { Rates } from '../../src/observe/guard/rates.js'
import { logTo } from '../../src/observe/log.js'
import { nearAndFarLineups } from '../support/run.js'

/** Collects what is told while `run` runs. */
function told(run: () => void): GuardEvent[] {
  const events: GuardEvent[] = []
  const listener = (event: unknown): void => void events.push(event as GuardEvent)
  subscribe('mapsafe.guard', listener)
  try {
    run()
  } finally {
    unsubscribe('mapsafe.guard', listener)
  }
  return events
}

const off = { callsPerSecond: Infinity, largeValueBytes: Infinity, slowUpdateMs: Infinity, keys: true }

/** Runs in processor time, so that a busy machine makes nothing slower than it says. */
function spin(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

describe.each(nearAndFarLineups)(
  'a key that exceeds a threshold is told once a minute, with its stack ($name)',
  (lineup) => {
    const open = (guard: GuardOptions): ConcurrentMap<Key, unknown> =>
      new ConcurrentMap<Key, unknown>({ maxBytes: 4 * 2 ** 20, engine: lineup.engineOf(0), ...lineup.attach, guard })

    test('of calls', () => {
      // A second may end between two calls, so there are far more than the threshold.
      using map = open({ ...off, callsPerSecond: 100 })
      const many = 20_000
      const events = told(() => {
        map.set('quiet', 1)
        for (let i = 0; i < many; i++) map.get('hot')
        for (let i = 0; i < many; i++) map.set(Uint8Array.of(1), i)
        for (let i = 0; i < many; i++) map.increment('counter')
        for (let i = 0; i < many / 100; i++) map.getMany(Array(100).fill('many'))
      })
      expect(events.map(({ guard, key, threshold }) => [guard, key, threshold])).toEqual(
        ['hot', Uint8Array.of(1), 'counter', 'many'].map((key) => ['callsPerSecond', key, 100]),
      )
      for (const { value, stack } of events) {
        expect(value).toBe(101)
        expect(stack[0]).toContain('guard.test.ts')
      }
    })

    test('of the size of values', () => {
      using map = open({ ...off, largeValueBytes: 1000 })
      const large = { text: 'x'.repeat(2000) }
      const events = told(() => {
        for (let i = 0; i < 2; i++) {
          map.set('fits', 'x'.repeat(1000)).set('number', 1e9)
          map.set('string', 'x'.repeat(1001))
          map.setMany([['many', large]])
          map.update('update', () => large)
          map.getOrInsert(`insert`, large)
          map.swap('swap', large)
        }
      })
      expect(events.map(({ guard, key }) => [guard, key])).toEqual(
        ['string', 'many', 'update', 'insert', 'swap'].map((key) => ['largeValueBytes', key]),
      )
      expect(events[0]).toMatchObject({ value: 1001, threshold: 1000, map: 'ConcurrentMap', pid: process.pid })
      expect(events[1].value).toBeGreaterThan(2000)
      for (const { stack } of events) expect(stack[0]).toContain('guard.test.ts')
    })

    test('of the function of an update, also if it throws', () => {
      using map = open({ ...off, slowUpdateMs: 5 })
      const events = told(() => {
        for (let i = 0; i < 2; i++) {
          map.update('slow', () => {
            spin(6)
            return 1
          })
          expect(() =>
            map.update('throws', () => {
              spin(6)
              throw new Error('on purpose')
            }),
          ).toThrow('on purpose')
        }
      })
      expect(events.map(({ guard, key }) => [guard, key])).toEqual(
        ['slow', 'throws'].map((key) => ['slowUpdateMs', key]),
      )
      for (const { value, stack } of events) {
        expect(value).toBeGreaterThan(5)
        expect(stack[0]).toContain('guard.test.ts')
      }
    })
  },
)

test('keys are told on request alone; the log has the rest', () => {
  const records: object[] = []
  using logging = logTo((record) => records.push(record))
  using cache = new ConcurrentCache<string, string>({ guard: true, lostUpdates: true })
  cache.set('secret', 'x'.repeat(65_537))
  logging.stop()
  cache.set('another', 'x'.repeat(65_537))
  expect(records).toEqual([
    {
      level: 'warn',
      event: 'mapsafe.guard',
      msg: 'A key of a ConcurrentCache got a value of 65537 bytes, above 65536.',
      map: 'ConcurrentCache',
      name: 'cache',
      guard: 'largeValueBytes',
      value: 65_537,
      threshold: 65_536,
      stack: expect.arrayContaining([expect.stringContaining('guard.test.ts')]),
      pid: process.pid,
      threadId: expect.any(Number),
      time: expect.any(Number),
    },
  ])
})

test('without a subscriber, the first key of a map object is a warning; without the option, nothing is', () => {
  const script = `
    import { ConcurrentMap } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    process.on('warning', ({ code, message }) => console.log(code, message.split('\\n')[0]))
    for (const guard of [true, false]) {
      const map = new ConcurrentMap({ guard })
      for (let i = 0; i < 3; i++) map.set(i, 'x'.repeat(70_000))
    }`
  const run = ['--import', 'tsx', '--input-type=module', '-e', script]
  const lines = execFileSync(process.execPath, run, { encoding: 'utf8' }).trim().split('\n')
  expect(lines).toEqual([
    expect.stringMatching(/^MAPSAFE_GUARD A key of a ConcurrentMap got a value of 70000 bytes, above 65536\. Divide/),
  ])
})

test('counts are never too large, and of a bounded number of keys', () => {
  const rates = new Rates()
  for (let i = 0; i < 100_000; i++) {
    expect(rates.count(`key ${i}`, 0)).toBe(1)
    if (i % 4 === 0) expect(rates.count('hot', 0)).toBeLessThanOrEqual(i / 4 + 1)
    expect(rates.size).toBeLessThanOrEqual(1024)
  }
  // Too small by a thousandth of all calls at most.
  expect(rates.count('hot', 0)).toBeGreaterThan(25_000 - 125_000 / 1024 - 2)
  expect(rates.count('hot', 999)).toBeGreaterThan(24_000)
  expect(rates.count('hot', 1000)).toBe(1)
  expect(rates.size).toBe(1)
})

test('a key passes once a minute, and a thousand keys at most', () => {
  const once = new Once()
  expect([0, 1, 59_999, 60_000, 60_001, 119_999, 120_000].map((now) => once.passes('key', now))).toEqual([
    ...[true, false, false, true, false, false, true],
  ])
  let passed = 0
  for (let i = 0; i < 5000; i++) if (once.passes(i, 130_000)) passed++
  expect(passed).toBe(1023)
  expect(once.size).toBe(1024)
  expect(once.passes('new', 179_999)).toBe(false)
  expect(once.passes('new', 180_000)).toBe(true)
  expect(once.passes('newer', 190_000)).toBe(true)
  expect(once.size).toBe(2)
})

test('wrong thresholds are refused', () => {
  const refuse = (guard: unknown): void =>
    expect(() => new ConcurrentMap({ guard: guard as boolean })).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }),
    )
  for (const wrong of ['yes', 1, null, [], { calls: 1 }, { keys: 1 }]) refuse(wrong)
  for (const wrong of [0, -1, 1.5, '9', NaN]) {
    refuse({ callsPerSecond: wrong })
    refuse({ largeValueBytes: wrong })
  }
  for (const wrong of [0, -1, '9', NaN]) refuse({ slowUpdateMs: wrong })
})
