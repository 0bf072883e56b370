import { describe, expect, test, vi } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { atOnce, inSlices, SLICE_WORK, type Job } from '../../src/base/slices.js'
import { ALL_BUCKETS, HEADER_PAGES_IN_USE, HEADER_SEGMENT_COUNT, SLOTS_PER_BUCKET } from '../../src/format/layout.js'
import { verifying } from '../../src/format/check/verify.js'
import { Region } from '../../src/format/region.js'
import { takingCensus } from '../../src/inspect/census.js'
import { findPlace } from '../../src/public/handle.js'
import { nextTurn } from '../../src/platform/turn.js'
import { lineups, scaled } from '../support/run.js'
import { describeEachLineup, type Subject } from '../support/subject.js'

/** Entries that one slice deals with at most: it ends with the step that brings it to its bound, and that may be a segment. */
const MOST = SLICE_WORK + ALL_BUCKETS * SLOTS_PER_BUCKET
const COUNT = scaled(20_000)

type AnyMap = ConcurrentMap<Key, unknown>

function fill(map: AnyMap, count = COUNT): void {
  for (let i = 0; i < count; i++) map.set(i, `value ${i}`)
}

/** Calls `look` in every turn of the event loop until `call` is over, and returns what that gives. */
async function watch<T>(call: Promise<T>, look: () => void): Promise<T> {
  let isOver = false
  const over = (): void => void (isOver = true)
  call.then(over, over)
  while (!isOver) {
    look()
    await nextTurn()
  }
  return call
}

describeEachLineup(
  (subject: () => Subject) => {
    describe('clearAsync', () => {
      test('deletes everything, no more than a slice in a turn', async () => {
        const { map } = subject()
        fill(map)
        let before = map.size
        let turns = 0
        const look = (): void => {
          expect(before - map.size).toBeLessThanOrEqual(MOST)
          before = map.size
          turns++
        }
        await watch(map.clearAsync(), look)
        expect(turns).toBeGreaterThanOrEqual(COUNT / MOST)
        expect(map.size).toBe(0)
        expect([...map]).toEqual([])
      })

      test('deletes every entry that was there, while this thread and others insert and the map grows', async () => {
        const [one, other = one] = subject().maps
        fill(one)
        let inserted = 0
        await watch(one.clearAsync(), () => {
          for (let i = 0; i < 3000 && inserted < COUNT; i++) other.set(`new ${inserted++}`, i)
        })
        expect(inserted).toBeGreaterThan(3000)
        expect([...one.keys()].filter((key) => typeof key === 'number')).toEqual([])
        expect(one.size).toBeGreaterThan(0)
      })

      test('is over at once in an empty map', async () => {
        await expect(subject().map.clearAsync()).resolves.toBeUndefined()
        await expect(subject().map.clearAsync({})).resolves.toBeUndefined()
        await expect(subject().map.clearAsync({ signal: undefined })).resolves.toBeUndefined()
      })
    })

    describe('deleteWhereAsync', () => {
      test('deletes what the predicate chooses, no more than a slice in a turn', async () => {
        const { map } = subject()
        fill(map)
        let calls = 0
        let before = 0
        const predicate = (value: unknown, key: Key): boolean => {
          expect(value).toBe(`value ${String(key)}`)
          calls++
          return (key as number) % 3 === 0
        }
        const deleted = await watch(map.deleteWhereAsync(predicate), () => {
          expect(calls - before).toBeLessThanOrEqual(MOST)
          before = calls
        })
        expect([calls, deleted]).toEqual([COUNT, Math.ceil(COUNT / 3)])
        expect(map.size).toBe(COUNT - deleted)
      })

      test('meets each key once that is there throughout, while others write', async () => {
        const [one, other = one] = subject().maps
        fill(one)
        const met = new Map<Key, number>()
        let inserted = 0
        await watch(
          one.deleteWhereAsync((_, key) => (met.set(key, (met.get(key) ?? 0) + 1), false)),
          () => {
            for (let i = 0; i < 1000 && inserted < COUNT; i++) other.set(`new ${inserted++}`, i)
          },
        )
        for (let i = 0; i < COUNT; i++) if (met.get(i) !== 1) expect.fail(`${i} was met ${met.get(i)} times`)
        expect(one.size).toBe(COUNT + inserted)
      })

      test('rejects with what the predicate throws, and keeps the rest', async () => {
        const { map } = subject()
        fill(map, 3000)
        let calls = 0
        const predicate = (): boolean => {
          if (++calls > 1000) throw new Error('enough')
          return true
        }
        await expect(map.deleteWhereAsync(predicate)).rejects.toThrow('enough')
        expect(map.size).toBe(2000)
        await expect(map.deleteWhereAsync(undefined as never)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
      })

      test('lets the predicate read, but not write', async () => {
        const { map } = subject()
        fill(map, 100)
        expect(await map.deleteWhereAsync((value, key) => map.get(key) === value && (key as number) < 50)).toBe(50)
        await expect(map.deleteWhereAsync(() => map.delete(99))).rejects.toMatchObject({
          code: 'ERR_MAPSAFE_REENTRANT',
        })
        expect(map.size).toBe(50)
      })
    })

    describe('healthAsync', () => {
      test('says what health() says, over many turns', async () => {
        const { map } = subject()
        fill(map)
        for (let i = 0; i < COUNT; i += 2) map.delete(i)
        map.health()
        let turns = 0
        const withoutTimes = ({ ok, verdicts }: ReturnType<AnyMap['health']>): unknown => ({
          ok,
          verdicts: verdicts.filter(({ name }) => name !== 'nearStaleness'),
        })
        const expected = withoutTimes(map.health())
        expect(withoutTimes(await watch(map.healthAsync(), () => turns++))).toEqual(expected)
        expect(turns).toBeGreaterThanOrEqual(COUNT / MOST)
      })

      test('finds nothing lost, and counts what stays, while the map grows and entries come and go', async () => {
        const [one, other = one] = subject().maps
        fill(one)
        for (let round = 0; round < 3; round++) {
          let inserted = 0
          const { verdicts } = await watch(one.healthAsync(), () => {
            if (inserted > COUNT) return
            for (let i = 0; i < 400; i++) other.set(`new ${inserted++}`, 'x'.repeat(i))
            for (let i = 0; i < 200; i++) other.delete(`new ${inserted - 1 - i}`)
          })
          const find = (name: string): (typeof verdicts)[number] => verdicts.find((verdict) => verdict.name === name)!
          expect(find('lostMemory')).toMatchObject({ ok: true, value: 0 })
          const { live } = find('liveRatio').figures
          expect(live).toBeGreaterThanOrEqual(COUNT)
          expect(live).toBeLessThanOrEqual(COUNT + (round + 1) * inserted)
        }
      })
    })

    describe('verifyAsync', () => {
      test('finds what verify() finds, over many turns', async () => {
        const { map } = subject()
        fill(map)
        for (let i = 0; i < COUNT; i += 3) map.delete(i)
        map.set('large', 'x'.repeat(100_000))
        let turns = 0
        expect(await watch(map.verifyAsync(), () => turns++)).toEqual({ ok: true, problems: [] })
        expect(turns).toBeGreaterThanOrEqual(COUNT / MOST)
        const words = new Int32Array(findPlace(map.handle).region)
        words[HEADER_SEGMENT_COUNT]++
        words[HEADER_PAGES_IN_USE]++
        const found = await map.verifyAsync()
        words[HEADER_SEGMENT_COUNT]--
        words[HEADER_PAGES_IN_USE]--
        expect(found.ok).toBe(false)
        expect(found.problems.length).toBe(2)
      })
    })

    describe('snapshotAsync', () => {
      test('copies what snapshot() copies, over many turns', async () => {
        const { map } = subject()
        fill(map)
        map.set('object', { a: [1] }).delete(5)
        let turns = 0
        const taken = await watch(map.snapshotAsync(), () => turns++)
        expect(turns).toBeGreaterThanOrEqual(COUNT / MOST)
        expect(taken.size).toBe(COUNT)
        const byKey = (one: [Key, unknown], other: [Key, unknown]): number =>
          String(one[0]) < String(other[0]) ? -1 : 1
        expect([...taken].sort(byKey)).toEqual([...map.snapshot()].sort(byKey))
        map.clear()
        expect([...taken].length).toBe(COUNT)
        expect((await map.snapshotAsync()).size).toBe(0)
      })

      test('shows one instant, while both engines write between its slices and the map grows', async () => {
        const [one, other = one] = subject().maps
        fill(one)
        const KEYS = 1000
        let written = 0
        const write = (): void => {
          for (let i = 0; i < 700; i++) {
            const map = i % 2 === 0 ? one : other
            // Values grow by one with each write of all; sizes change, so that blocks are used again.
            map.set(`n${written % KEYS}`, [written, 'x'.repeat(written % 50)])
            written++
          }
          for (let i = 0; i < 100; i++) other.set(`new ${written} ${i}`, i)
        }
        for (let round = 0; round < 3; round++) {
          const before = written
          const taken = new Map(await watch(one.snapshotAsync(), write))
          const numbers = new Map<Key, number>()
          for (const [key, value] of taken) if (/^n\d/.test(String(key))) numbers.set(key, (value as [number])[0])
          const last = Math.max(...numbers.values())
          expect(last).toBeGreaterThanOrEqual(before - 1)
          // Of all writes up to the last one that shows, each key shows its last.
          for (let n = Math.max(0, last - KEYS + 1); n <= last; n++) {
            if (numbers.get(`n${n % KEYS}`) !== n)
              expect.fail(`n${n % KEYS} is ${numbers.get(`n${n % KEYS}`)}, not ${n}`)
          }
          for (let i = 0; i < COUNT; i++) if (taken.get(i) !== `value ${i}`) expect.fail(`${i} is missing`)
        }
      })

      test('several at once, some of which are given up', async () => {
        const { map } = subject()
        fill(map)
        const control = new AbortController()
        const calls = [map.snapshotAsync(), map.snapshotAsync({ signal: control.signal }), map.snapshotAsync()]
        control.abort('enough')
        const [first, second, third] = await Promise.allSettled(calls)
        expect(second).toEqual({ status: 'rejected', reason: 'enough' })
        for (const each of [first, third]) expect((each as { value: { size: number } }).value.size).toBe(COUNT)
      })
    })

    test('a signal ends each of them between two slices', async () => {
      const { map } = subject()
      fill(map)
      const calls = [
        (signal: AbortSignal) => map.healthAsync({ signal }),
        (signal: AbortSignal) => map.verifyAsync({ signal }),
        (signal: AbortSignal) => map.snapshotAsync({ signal }),
        (signal: AbortSignal) => map.deleteWhereAsync(() => true, { signal }),
        (signal: AbortSignal) => map.clearAsync({ signal }),
      ]
      for (const call of calls) {
        const before = map.size
        const reason = new Error('no longer wanted')
        await expect(call(AbortSignal.abort(reason))).rejects.toBe(reason)
        expect(map.size).toBe(before)
        const control = new AbortController()
        const running = call(control.signal)
        control.abort(reason)
        await expect(running).rejects.toBe(reason)
        expect(before - map.size).toBeLessThanOrEqual(MOST)
        const { size } = map
        await nextTurn()
        expect(map.size).toBe(size)
      }
      expect(map.size).toBeGreaterThan(0)
    })

    test('wrong options are refused, and calls from inside a decision', async () => {
      const { map } = subject()
      fill(map, 10)
      for (const options of [{ signal: 1 }, { signal: null }, { signl: undefined }, 5, null, []] as never[]) {
        await expect(map.clearAsync(options)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
        await expect(map.deleteWhereAsync(() => true, options)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
        await expect(map.snapshotAsync(options)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
        await expect(map.healthAsync(options)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
        await expect(map.verifyAsync(options)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
      }
      const inside: Promise<unknown>[] = []
      map.update(1, (value) => {
        inside.push(
          map.clearAsync(),
          map.snapshotAsync(),
          map.deleteWhereAsync(() => true),
        )
        return value
      })
      for (const call of inside) await expect(call).rejects.toMatchObject({ code: 'ERR_MAPSAFE_REENTRANT' })
      expect(map.size).toBe(10)
    })
  },
  { maxBytes: 16 * 2 ** 20 },
)

describe.each(lineups)('$name', (lineup) => {
  test('a map that is closed meanwhile says so', async () => {
    const open = (): AnyMap => {
      const map: AnyMap = new ConcurrentMap<Key, unknown>({ maxBytes: 16 * 2 ** 20, engine: lineup.engineOf(0) })
      fill(map)
      return map
    }
    const calls: ((map: AnyMap) => Promise<unknown>)[] = [
      (map) => map.clearAsync(),
      (map) => map.deleteWhereAsync(() => false),
      (map) => map.healthAsync(),
      (map) => map.verifyAsync(),
      (map) => map.snapshotAsync(),
    ]
    for (const call of calls) {
      const map = open()
      const running = call(map)
      map.close()
      await expect(running).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
      await expect(call(map)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
    }
  })

  test('in a cache, clearAsync takes what has expired, too', async () => {
    using cache = new ConcurrentCache<Key, unknown>({ maxBytes: 8 * 2 ** 20, engine: lineup.engineOf(0) })
    for (let i = 0; i < 5000; i++) cache.set(i, i, { ttl: 1 + (i % 2) * 1_000_000 })
    const taken = await cache.snapshotAsync()
    expect([...taken].length).toBe(taken.size)
    expect(taken.size).toBeGreaterThanOrEqual(2500)
    await cache.clearAsync()
    expect(cache.size).toBe(0)
    expect(cache.stats().entries).toBe(0)
    expect(cache.verify().ok).toBe(true)
  })
})

test.each([ConcurrentMap, ConcurrentCache])(
  'no step of a verification of a %o is longer than a segment or a span',
  (Kind) => {
    using map = new Kind<Key, unknown>({ maxBytes: 16 * 2 ** 20, engine: 'typescript' })
    fill(map)
    const job = verifying(new Region(findPlace(map.handle).region))
    let work = 0
    let step = job.next()
    for (; step.done !== true; step = job.next()) {
      expect(step.value).toBeLessThanOrEqual(1025)
      work += step.value
    }
    expect(step.value).toEqual([])
    expect(work).toBeGreaterThan(COUNT)
  },
)

test('no step of a census is longer than a segment or a span', () => {
  using map: AnyMap = new ConcurrentMap<Key, unknown>({ maxBytes: 16 * 2 ** 20, engine: 'typescript' })
  fill(map)
  for (let i = 0; i < 2000; i++) map.set(`small ${i}`, null)
  const words = new Int32Array(findPlace(map.handle).region)
  const job = takingCensus(words)
  let work = 0
  let step = job.next()
  for (; step.done !== true; step = job.next()) {
    expect(step.value).toBeLessThanOrEqual(1025)
    work += step.value
  }
  expect(step.value.live).toBe(COUNT + 2000)
  expect(work).toBeGreaterThan(2 * step.value.live) // each in its slot and in its span
})

describe('slices', () => {
  function* steps(works: readonly number[], log: number[]): Job<string> {
    try {
      for (const [index, work] of works.entries()) {
        log.push(index)
        yield work
      }
      return 'done'
    } finally {
      log.push(-1)
    }
  }

  test('end with the step that brings them to the bound', async () => {
    const log: number[] = []
    const works = [SLICE_WORK, SLICE_WORK - 1, 1, 2 * SLICE_WORK, 1]
    const running = inSlices(steps(works, log), undefined)
    const seen = [[...log]]
    expect(await watch(running, () => seen.push([...log]))).toBe('done')
    expect(seen[0]).toEqual([0])
    for (let i = 1; i < seen.length; i++) {
      const fresh = seen[i].slice(seen[i - 1].length).filter((index) => index >= 0)
      const work = fresh.slice(0, -1).reduce((sum, index) => sum + works[index], 0)
      expect(work).toBeLessThan(SLICE_WORK)
    }
    expect(atOnce(steps(works, []))).toBe('done')
  })

  test('clear up what was under way when they end early', async () => {
    const log: number[] = []
    const control = new AbortController()
    const running = inSlices(steps([SLICE_WORK, 1], log), control.signal)
    control.abort('enough')
    await expect(running).rejects.toBe('enough')
    expect(log).toEqual([0, -1])
  })

  test('go on under fake timers', async () => {
    vi.useFakeTimers()
    try {
      const log: number[] = []
      expect(await inSlices(steps([SLICE_WORK, SLICE_WORK, 1], log), undefined)).toBe('done')
    } finally {
      vi.useRealTimers()
    }
  })

  test('let timers and other calls have their turn', async () => {
    using map: AnyMap = new ConcurrentMap<Key, unknown>({ maxBytes: 16 * 2 ** 20 })
    fill(map)
    let ticks = 0
    const timer = setInterval(() => ticks++, 0)
    const calls = [map.healthAsync(), map.deleteWhereAsync(() => false), map.healthAsync()]
    const [first, deleted] = await Promise.all(calls)
    clearInterval(timer)
    expect(first).toMatchObject({ ok: true })
    expect(deleted).toBe(0)
    expect(ticks).toBeGreaterThan(0)
  })
})
