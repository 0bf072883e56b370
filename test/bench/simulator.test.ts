import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { BenchError } from '../../bench/harness/bench-error.js'
import { FrequencySketch } from '../../bench/simulator/frequency-sketch.js'
import { lru, mapsafe, opt, rivals } from '../../bench/simulator/policies/index.js'
import type { PolicyKind } from '../../bench/simulator/policy.js'
import { hitRatio } from '../../bench/simulator/simulate.js'
import { syntheticTraces } from '../../bench/simulator/synthetic.js'
import { readTraces, traceOf } from '../../bench/simulator/trace.js'
import { Random } from '../support/random.js'

const SEED = 1

/** Which accesses are hits, as one letter each. */
function hitsOf(kind: PolicyKind, sequence: string, capacity: number): string {
  const { accesses, keys } = traceOf('sequence', sequence.split(''))
  const policy = kind.create(capacity, accesses, keys)
  return Array.from(accesses, (key) => (policy.access(key) ? 'h' : '.')).join('')
}

const named = (name: string): PolicyKind => rivals.find((kind) => kind.name === name)!

describe('by hand:', () => {
  test.each([
    ['LRU', 'abcaddba', 3, '...h.h.h'],
    ['SIEVE', 'abcadbae', 3, '...h..h.'], // d evicts b, the oldest not visited, and b then c
    ['ARC', 'abaccdab', 2, '..h.h...'],
  ])('%s on %s with %i entries', (name, sequence, capacity, hits) => {
    expect(hitsOf(named(name), sequence, capacity)).toBe(hits)
  })

  test("OPT on the example of Belady's anomaly", () => {
    expect(hitsOf(opt, 'abcdabeabcde', 3)).toBe('....hh.hh..h')
  })
})

test(`LRU is what a Set in the order of use does, seed ${SEED}`, () => {
  const random = new Random(SEED)
  const sequence = Array.from({ length: 5000 }, () => Math.min(random.below(100), random.below(100)))
  const { accesses, keys } = traceOf('random', sequence)
  const policy = lru.create(17, accesses, keys)
  const model = new Set<number>()
  for (const key of accesses) {
    expect(policy.access(key)).toBe(model.delete(key))
    model.add(key)
    if (model.size > 17) model.delete(model.values().next().value!)
  }
})

describe('on made-up traces', () => {
  const traces = syntheticTraces(20_000, 1)
  const everyone = [...rivals, mapsafe]

  test.each(everyone.map((kind) => [kind.name, kind] as const))('%s never beats OPT', (_, kind) => {
    for (const trace of traces) {
      const capacity = Math.floor(trace.keys * 0.05)
      expect(hitRatio(kind, trace, capacity), trace.name).toBeLessThanOrEqual(hitRatio(opt, trace, capacity))
    }
  })

  test.each([...everyone, opt].map((kind) => [kind.name, kind] as const))('%s keeps all it has room for', (_, kind) => {
    const { accesses } = traces[0]
    const trace = traceOf(
      'few',
      [...accesses].map((key) => key % 50),
    )
    // LIRS, W-TinyLFU and S3-FIFO reserve places, so that they may evict one key before they are full.
    expect(hitRatio(kind, trace, 100)).toBeCloseTo(100 * (1 - trace.keys / accesses.length), 6)
  })

  test('the same seed gives the same traces, another one others', () => {
    expect(syntheticTraces(1000, 7)).toEqual(syntheticTraces(1000, 7))
    expect(syntheticTraces(1000, 8)).not.toEqual(syntheticTraces(1000, 7))
  })
})

describe("mapsafe's policy", () => {
  test('keeps part of a loop that does not fit, where LRU keeps nothing of use', () => {
    const loop = traceOf(
      'loop',
      Array.from({ length: 30_000 }, (_, i) => i % 300),
    )
    expect(hitRatio(lru, loop, 250)).toBe(0)
    expect(hitRatio(mapsafe, loop, 250)).toBeGreaterThan(50)
  })

  test('is hardly disturbed by a scan', () => {
    const random = new Random(SEED)
    const sequence = Array.from({ length: 40_000 }, (_, i) => (i % 4 === 3 ? 1000 + i : random.below(200)))
    const trace = traceOf('scan', sequence)
    // Three accesses of four go to 200 keys, and 240 fit.
    expect(hitRatio(mapsafe, trace, 240)).toBeGreaterThan(72)
    expect(hitRatio(lru, trace, 240)).toBeLessThan(60)
  })

  test('soon learns that only the latest keys pay, where they are asked for back and forth', () => {
    const trace = traceOf(
      'sweeps',
      Array.from({ length: 24 * 999 }, (_, i) => 999 - Math.abs(999 - (i % (2 * 999)))),
    )
    expect(hitRatio(mapsafe, trace, 100)).toBeGreaterThan(hitRatio(lru, trace, 100) - 2)
  })

  test('follows a working set that changes', () => {
    const random = new Random(SEED)
    const trace = traceOf(
      'change',
      Array.from({ length: 60_000 }, (_, i) => Math.floor(i / 10_000) * 1000 + random.below(200)),
    )
    expect(hitRatio(mapsafe, trace, 220)).toBeGreaterThan(hitRatio(lru, trace, 220) - 1)
  })
})

test('the sketch forgets: counts are halved once in a while', () => {
  const sketch = new FrequencySketch(16)
  for (let i = 0; i < 10; i++) sketch.add(1)
  expect(sketch.estimate(1)).toBe(10)
  for (let i = 0; i < 200; i++) sketch.add(2)
  expect(sketch.estimate(1)).toBeLessThan(10)
  expect(sketch.estimate(3)).toBeLessThan(3)
})

describe('a folder of traces', () => {
  function inFolder<T>(files: Record<string, string>, use: (folder: string) => T): T {
    const folder = mkdtempSync(join(tmpdir(), 'mapsafe-traces-'))
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), gzipSync(text))
      return use(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test('is read in the order of names, keys numbered as they first appear', () => {
    const traces = inFolder({ 'b.txt.gz': '7\n7\n', 'a.txt.gz': 'x\ny\nx', 'c.md.gz': 'no' }, readTraces)
    expect(traces.map(({ name, keys, accesses }) => [name, keys, [...accesses]])).toEqual([
      ['a', 2, [0, 1, 0]],
      ['b', 1, [0, 0]],
    ])
  })

  test('without traces, or missing, is refused', () => {
    expect(() => inFolder({}, readTraces)).toThrow(BenchError)
    expect(() => readTraces('/nowhere')).toThrow("--traces is '/nowhere', which cannot be read")
  })
})
