import { randomNumbers, rankDraws } from '../harness/draws.js'
import { traceOf, type Trace } from './trace.js'

/** Inputs from which a shape of accesses is made. */
interface Source {
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ranks from 0 up to `size`, drawn by Zipf's law. */
  readonly zipf: (size: number, exponent: number) => () => number
  readonly accesses: number
  readonly push: (key: number) => void
}

/** Keys of different parts of a trace are this far apart. */
const PART = 1e6

/** Accesses as services make them, by what sets them apart for a cache. */
const shapes: Readonly<Record<string, (source: Source) => void>> = {
  'zipf 0.6': (source) => skewed(source, 20_000, 0.6),
  'zipf 0.8': (source) => skewed(source, 20_000, 0.8),
  'zipf 1.0': (source) => skewed(source, 20_000, 1),
  'zipf 1.2': (source) => skewed(source, 20_000, 1.2),
  // Every 5,000 accesses one scan reads 2,500 keys once, new ones or always the same.
  'zipf and scans': ({ zipf, accesses, push }) => {
    const next = zipf(10_000, 0.9)
    for (let i = 0, scanned = PART; i < accesses; i++) {
      if (i % 7500 < 5000) push(next())
      else push(scanned++)
    }
  },
  'zipf and repeated scans': ({ zipf, accesses, push }) => {
    const next = zipf(10_000, 0.9)
    for (let i = 0; i < accesses; i++) push(i % 7500 < 5000 ? next() : PART + (i % 7500))
  },
  // Each a little longer than the cache that holds a tenth of the keys.
  loops: ({ accesses, push }) => {
    for (let i = 0; i < accesses; i++) push(Math.floor((i * 8) / accesses) * 1200 + (i % 1200))
  },
  'loops of many lengths': ({ random, accesses, push }) => {
    const lengths = [50, 120, 300, 800, 2000, 5000]
    const positions = lengths.map(() => 0)
    for (let i = 0; i < accesses; i++) {
      const loop = Math.floor(random() * lengths.length)
      push(loop * PART + (positions[loop]++ % lengths[loop]))
    }
  },
  'loop and zipf': ({ random, zipf, accesses, push }) => {
    const next = zipf(8000, 0.8)
    for (let i = 0, position = 0; i < accesses; i++) push(random() < 0.5 ? next() : PART + (position++ % 1500))
  },
  // Nested loops of a database: the inner table is read once for each row of the outer one.
  joins: ({ random, accesses, push }) => {
    for (let i = 0, query = 0; i < accesses; query++) {
      const inner = 300 + Math.floor(random() * 1500)
      const outer = 6 + Math.floor(random() * 20)
      for (let row = 0; row < outer; row++) {
        push(10 * PART + i++)
        for (let j = 0; j < inner; j++, i++) push((query % 4) * PART + j)
      }
    }
  },
  'drifting working set': ({ zipf, accesses, push }) => {
    const next = zipf(2000, 0.8)
    for (let i = 0; i < accesses; i++) push(Math.floor(i / 20) + next())
  },
  'changing working set': ({ zipf, accesses, push }) => {
    const next = zipf(4000, 0.9)
    for (let i = 0; i < accesses; i++) push(Math.floor((i * 6) / accesses) * PART + next())
  },
  'recency, short': (source) => recent(source, 300),
  'recency, long': (source) => recent(source, 1500),
  // Half the accesses are skewed; the others read a new key, most of them twice within moments.
  bursts: ({ random, zipf, accesses, push }) => {
    const next = zipf(5000, 0.9)
    const due: number[] = []
    for (let i = 0, fresh = PART; i < accesses; i++) {
      const draw = random()
      if (draw < 0.5) push(next())
      else if (draw < 0.7 || due.length === 0) {
        push(fresh)
        if (random() < 0.7) due.push(fresh)
        fresh++
      } else {
        const [again] = due.splice(Math.floor(random() * due.length), 1)
        push(again)
      }
    }
  },
  'several tenants': ({ random, zipf, accesses, push }) => {
    const skew = zipf(5000, 1)
    const drift = zipf(3000, 0.7)
    for (let i = 0, position = 0; i < accesses; i++) {
      const draw = random()
      if (draw < 0.35) push(skew())
      else if (draw < 0.6) push(PART + Math.floor(i / 50) + drift())
      else if (draw < 0.85) push(2 * PART + (position++ % 1800))
      else push(3 * PART + i)
    }
  },
  // Root, inner node and leaf of a tree, then the record.
  'search tree': ({ zipf, accesses, push }) => {
    const next = zipf(30_000, 0.7)
    for (let i = 0; i < accesses; i += 4) {
      const record = (next() * 7919) % 30_000
      push(3 * PART)
      push(2 * PART + Math.floor(record / 1000))
      push(PART + Math.floor(record / 30))
      push(record)
    }
  },
}

function skewed({ zipf, accesses, push }: Source, size: number, exponent: number): void {
  const next = zipf(size, exponent)
  for (let i = 0; i < accesses; i++) push(next())
}

/** The number of other keys since the last access is drawn from an exponential distribution. */
function recent({ random, accesses, push }: Source, mean: number): void {
  const byRecency: number[] = []
  for (let i = 0; i < accesses; i++) {
    const depth = Math.floor(-Math.log(1 - random()) * mean)
    const isNew = random() < 0.08 || depth >= byRecency.length
    const [key] = isNew ? [i] : byRecency.splice(byRecency.length - 1 - depth, 1)
    byRecency.push(key)
    push(key)
  }
}

/** @param accesses of each trace */
export function syntheticTraces(accesses: number, seed: number): Trace[] {
  return Object.entries(shapes).map(([name, fill], index) => {
    const random = randomNumbers(seed + index)
    const sequence: number[] = []
    fill({
      random,
      accesses,
      zipf: (size, exponent) => rankDraws(size, exponent, random),
      push: (key) => sequence.push(key),
    })
    return traceOf(name, sequence)
  })
}
