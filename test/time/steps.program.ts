// A program of its own, started by steps.test.ts under libfaketime: sets its own system clock and tells what went wrong.
import { writeFileSync } from 'node:fs'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'

const [one, other, file] = process.argv.slice(2)
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Between two looks at clocks, on a busy machine. */
const SLACK = 10_000

const first = new ConcurrentCache<string, number>({ engine: one as EngineChoice, ttl: HOUR, maxBytes: 2 ** 20 })
const second = ConcurrentCache.attach<string, number>(first.handle, { engine: other as EngineChoice })
const caches = [first, second]
const problems: string[] = []
const sleeper = new Int32Array(new SharedArrayBuffer(4))

function expectThat(isSo: boolean, what: string): void {
  if (!isSo) problems.push(what)
}

function isNear(a: number | undefined, b: number, slack = SLACK): boolean {
  return Math.abs((a ?? 0) - b) <= slack
}

for (const [step, name] of [
  [0, '+0'],
  [DAY, '+1d'],
  [-DAY, '-1d'],
  [365 * DAY, '+365d'],
  [0, '+0'],
] as const) {
  const before = Date.now()
  first.set('default', 1).set('short', 1, { ttl: 50 })
  second.set('given', 1, { expiresAt: before + HOUR })
  for (const cache of caches) for (const key of ['default', 'given', 'short']) cache.get(key)
  writeFileSync(file, name)
  const now = Date.now()
  expectThat(
    isNear(now - (globalThis.performance.timeOrigin + performance.now()), step),
    `${name}: the clock is ${now}`,
  )
  for (const cache of caches) {
    for (const key of ['default', 'given']) {
      expectThat(cache.get(key) === 1, `${name}: ${key} is gone`)
      expectThat(isNear(cache.getEntry(key)?.expiresAt, now + HOUR), `${name}: ${key} is told to end otherwise`)
    }
  }
  // Whole milliseconds come back as they were given, and mean what they say.
  for (const cache of caches) {
    cache.set('exact', 1, { expiresAt: now + HOUR })
    for (const any of caches)
      expectThat(any.getEntry('exact')?.expiresAt === now + HOUR, `${name}: another expiry is told`)
    cache.set('past', 1, { expiresAt: now - 1 })
    expectThat(cache.get('past') === undefined, `${name}: there is what has passed`)
    const soon = Date.now() + 20
    cache.set('soon', 1, { expiresAt: soon })
    while (Date.now() <= soon);
    expectThat(cache.get('soon') === undefined, `${name}: there is what passed just now`)
  }
  Atomics.wait(sleeper, 0, 0, 60)
  for (const cache of caches) expectThat(cache.get('short') === undefined, `${name}: what lives 50 ms outlived 60`)
}

// A lease goes on, and a load that another cache object runs is waited for.
let finish: (value: number) => void = () => undefined
const loaded = first.getOrLoad('load', () => new Promise<number>((resolve) => (finish = resolve)))
const awaited = second.getOrLoad('load', () => -1)
writeFileSync(file, '+2d')
setTimeout(() => {
  finish(7)
}, 100)
for (const value of await Promise.all([loaded, awaited])) expectThat(value === 7, `a step ended a lease: ${value}`)
process.send!(problems, () => process.exit())
