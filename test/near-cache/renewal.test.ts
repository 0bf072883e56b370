import { describe, expect, test } from 'vitest'
import { NearCache } from '../../src/store/near/near-cache.js'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import {
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_SLOTS,
  ENTRY_COUNTER,
  ENTRY_HASH,
  ENTRY_META,
  ENTRY_VERSION,
  TOMBSTONE,
} from '../../src/format/layout.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Random } from '../support/random.js'
import { neighbouringKeys } from '../support/neighbouring-keys.js'
import { expectSound } from '../support/sound.js'

const HOME = 16
const BLOCK = 40
const AT = BLOCK * BLOCK_WORDS
const HASH = 0x1234

/** A near-cache that knows one key, whose entry lies in a region of one bucket. */
function open(meta = 0): { near: NearCache; words: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(2 ** 20))
  words[HOME] = 8
  words[HOME + BUCKET_SLOTS + 3] = BLOCK
  words[AT + ENTRY_HASH] = HASH
  words[AT + ENTRY_META] = meta
  words[AT + ENTRY_VERSION] = 4
  words[AT + ENTRY_VERSION + 1] = 1
  const near = new NearCache(words, 64, { hasPassed: (time: number) => time <= 0, distrust: () => undefined })
  near.store('k', undefined, HOME, 8, true, 'value', 2 ** 32 + 4, undefined, AT)
  expect(near.hit('k')?.value).toBe('value')
  return { near, words }
}

describe('an entry whose bucket was written', () => {
  test('is hit again, at the version and epoch that the bucket has now', () => {
    const { near, words } = open()
    words[HOME] = 20
    words[HOME + BUCKET_EPOCH] = 3
    expect(near.hit('k')?.value).toBe('value')
    words[AT + ENTRY_HASH] = 0
    expect(near.hit('k')?.value, 'without looking at the entry again').toBe('value')
    words[HOME + BUCKET_EPOCH] = 4
    expect(near.hit('k')).toBeUndefined()
  })

  test('is hit in whatever slot it lies now', () => {
    const { near, words } = open()
    for (let slot = 0; slot < 11; slot++) {
      words.fill(0, HOME + BUCKET_SLOTS, HOME + BUCKET_SLOTS + 11)
      words[HOME + BUCKET_SLOTS + slot] = BLOCK
      words[HOME] += 2
      expect(near.hit('k')?.value).toBe('value')
    }
  })

  test.each<[string, (words: Int32Array) => void]>([
    ['is held by a writer', (words) => (words[HOME] = 11)],
    ['no longer leads to the entry', (words) => (words[HOME + BUCKET_SLOTS + 3] = BLOCK + 1)],
    [
      'has its block behind its slots',
      (words) => words.copyWithin(HOME + 16, HOME + 8, HOME + 9).fill(0, HOME + 8, HOME + 9),
    ],
    ['has deleted it', (words) => (words[HOME + BUCKET_SLOTS + 3] = BLOCK | TOMBSTONE)],
    ['has an entry of another hash in its block', (words) => (words[AT + ENTRY_HASH] = HASH + 64)],
    ['has a later entry in its block', (words) => (words[AT + ENTRY_VERSION] = 5)],
    ['has an entry of 2^32 versions later in its block', (words) => (words[AT + ENTRY_VERSION + 1] = 2)],
  ])('is no hit if the bucket %s', (_, change) => {
    const { near, words } = open()
    words[HOME] = 10
    change(words)
    expect(near.hit('k')).toBeUndefined()
    expect(near.outdated?.value).toBe('value')
  })

  test('is no hit if it is a counter, which changes where it lies', () => {
    const { near, words } = open(ENTRY_COUNTER)
    words[HOME] = 10
    expect(near.hit('k')).toBeUndefined()
  })
})

describe.each(lineups)('writes of other keys of the bucket ($name)', (lineup) => {
  const attach = { engine: lineup.engineOf(1), nearCache: false } as const

  test('cost a reader no call of the engine', () => {
    using near = new ConcurrentMap<string, string | number>({ engine: lineup.engineOf(0) })
    using other = ConcurrentMap.attach<string, string | number>(near.handle, attach)
    const [[key, ...others]] = neighbouringKeys(near.handle, [6])
    near.set(key, 'value')
    for (let i = 0; i < 3; i++) near.get(key)
    const before = near.stats().counters
    for (let i = 0; i < 50; i++) {
      other.set(others[i % 5], i)
      if (i % 7 === 0) other.delete(others[i % 5])
      expect(near.get(key)).toBe('value')
    }
    const after = near.stats().counters
    expect(after.nearHits - before.nearHits).toBe(50)
    expect(after.nearMisses).toBe(before.nearMisses)
    expectSound(near)
  })

  test('hide no write of the key itself, whatever block its next entry lies in', () => {
    const random = new Random(seed)
    using near = new ConcurrentCache<string, string | number>({ engine: lineup.engineOf(0) })
    using other = ConcurrentCache.attach<string, string | number>(near.handle, attach)
    const [keys] = neighbouringKeys(near.handle, [7])
    const model = new Map<string, string | number>()
    for (let i = 0; i < scaled(20_000); i++) {
      const key = keys[random.below(keys.length)]
      const what = random.below(12)
      // All of one size, so that the blocks of one key serve the next.
      if (what < 3) {
        const value = `value ${String(i).padStart(8)}`
        other.set(key, value)
        model.set(key, value)
      } else if (what === 3) {
        other.delete(key)
        model.delete(key)
      } else if (what === 4 && typeof model.get(key) !== 'string') {
        model.set(key, other.increment(key))
      } else if (what === 5 && other.touch(key, { ttl: 1e9 }) !== model.has(key)) {
        expect.fail(`touch of ${key}, MAPSAFE_SEED=${seed} step ${i}`)
      }
      expect(near.get(key), `MAPSAFE_SEED=${seed} step ${i}`).toBe(model.get(key))
    }
    expectSound(near)
  })
})
