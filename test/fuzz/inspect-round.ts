import assert from 'node:assert/strict'
import { ConcurrentCache, MapsafeError, type Key } from '../../src/index.js'
import { openInspection, type Inspection } from '../../src/inspect/index.js'
import { MIN_REGION_BYTES } from '../../src/format/layout.js'
import type { Random } from '../support/random.js'
import { Damage } from './damage.js'

/** What a walk over a region without damage meets at most: every slot of every segment there is room for. */
const MOST_ENTRIES = (MIN_REGION_BYTES / 4608) * 748

const image = makeImage()

/** A cache with entries of many sizes, tombstones, expired ones, counters and a lease. */
function makeImage(): Int32Array {
  const cache = new ConcurrentCache<Key, unknown>({ maxBytes: MIN_REGION_BYTES, engine: 'typescript' })
  for (let i = 0; i < 900; i++) {
    cache.set(i % 2 === 0 ? i : `key ${i}`, 'v'.repeat((i * 13) % 300), i % 5 === 0 ? { ttl: 1 + i * 1000 } : {})
  }
  for (let i = 0; i < 900; i += 6) cache.delete(i)
  for (let i = 0; i < 10; i++) cache.increment(`counter ${i}`)
  cache.set('long', 'v'.repeat(20_000))
  void cache.getOrLoad('loading', () => new Promise(() => undefined), { timeout: 1 }).catch(() => undefined)
  const { region } = cache.handle
  return new Int32Array(region!).slice()
}

/**
 * One region, damaged and looked at by turns. Throws if a look ends with anything but a result or an error of this
 * package, or tells more than there can be.
 */
export function runInspectRound(random: Random): void {
  const memory = random.chance(0.5) ? new SharedArrayBuffer(MIN_REGION_BYTES) : new ArrayBuffer(MIN_REGION_BYTES)
  const words = new Int32Array(memory)
  words.set(image)
  const damage = new Damage(words, random)
  if (random.chance(0.5)) for (let i = random.below(40); i > 0; i--) damage.strike()
  const seen = attempt(() => openInspection(memory))
  if (seen === undefined) return
  for (let step = 0; step < 12; step++) {
    for (let i = random.below(20); i > 0; i--) damage.strike()
    look(seen, random)
  }
  seen.close()
}

function look(seen: Inspection, random: Random): void {
  assert.ok(seen.verify().problems.length <= 101)
  seen.health()
  seen.threads()
  seen.stats()
  assert.equal(seen.settings.maxBytes, MIN_REGION_BYTES)
  let problems = 0
  let entries = 0
  const all = { expired: random.chance(0.5), leases: random.chance(0.5) }
  for (const { bytes, version } of seen.entries({ ...all, onProblem: () => problems++ })) {
    assert.ok(bytes <= MIN_REGION_BYTES && version >= 0)
    assert.ok(++entries <= MOST_ENTRIES, 'a walk does not end')
  }
  assert.ok(problems <= 100)
  attempt(() => [...seen.keys()])
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof MapsafeError && /FORMAT|CORRUPT|TIMEOUT/.test(error.code)) return undefined
    throw error
  }
}
