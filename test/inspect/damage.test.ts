import { describe, expect, test } from 'vitest'
import { ConcurrentMap, MapsafeError, type Key } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { bucketAt } from '../../src/format/bucket.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_SLOTS,
  BUCKET_WORDS,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  SEGMENT_DEPTH,
  SEGMENT_MOVES,
  SLOTS_PER_BUCKET,
} from '../../src/format/layout.js'

const MIB = 2 ** 20

/** The bytes of a map with a long key and some short ones, all in one segment; `change` damages them. */
function makeDamaged(change: (words: Int32Array, segment: number, slots: number[]) => void): ArrayBuffer {
  using map = new ConcurrentMap<Key, unknown>({ maxBytes: MIB, engine: 'typescript' })
  map.set('k'.repeat(200_000), 1)
  for (let i = 0; i < 20; i++) map.set(i, 'value')
  const words = new Int32Array(map.handle.region!).slice()
  const segment = words[words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES]
  const slots: number[] = []
  for (let bucket = 0; bucket < ALL_BUCKETS; bucket++) {
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) slots.push(bucketAt(segment, bucket) + BUCKET_SLOTS + slot)
  }
  change(words, segment, slots)
  return words.buffer
}

function told(bytes: ArrayBuffer): { keys: number; problems: string[]; code: string | undefined } {
  using seen = openInspection(bytes)
  const problems: string[] = []
  const keys = [...seen.keys({ onProblem: (problem) => problems.push(problem) })].length
  let code: string | undefined
  try {
    expect([...seen.keys()]).toHaveLength(keys)
  } catch (error) {
    code = error instanceof MapsafeError ? error.code : String(error)
  }
  expect(seen.verify().ok).toBe(problems.length === 0)
  return { keys, problems, code }
}

describe('damage is told, and what is sound is read', () => {
  test('without any there is nothing to tell', () => {
    expect(told(makeDamaged(() => undefined))).toEqual({ keys: 21, problems: [], code: undefined })
  })

  test('a reference that leads out of the region costs its entry alone', () => {
    const { keys, problems, code } = told(
      makeDamaged((words, _, slots) => {
        words[slots.find((at) => words[at] > 0)!] = 0x7ffffff0
      }),
    )
    expect({ keys, code }).toEqual({ keys: 20, code: 'ERR_MAPSAFE_CORRUPT' })
    expect(problems).toEqual([expect.stringMatching(/leads out of the region/)])
  })

  test('a directory that leads nowhere ends the walk', () => {
    const damaged = makeDamaged((words) => {
      words[HEADER_DIRECTORY] = -1
    })
    expect(told(damaged)).toMatchObject({ keys: 0, code: 'ERR_MAPSAFE_CORRUPT', problems: [expect.any(String)] })
  })

  test("a segment of another depth than the directory's is not read", () => {
    const damaged = makeDamaged((words, segment) => {
      words[segment * BLOCK_WORDS + SEGMENT_DEPTH] = 30
    })
    expect(told(damaged)).toMatchObject({ keys: 0, code: 'ERR_MAPSAFE_CORRUPT' })
  })

  test('entries that overlap take no more memory than the region has', () => {
    const before = process.memoryUsage().arrayBuffers
    const { keys, problems, code } = told(
      makeDamaged((words, _, slots) => {
        const long = slots
          .map((at) => words[at])
          .find((block) => (words[block * BLOCK_WORDS + 1] & 0xfffff) === 200_000)!
        for (const at of slots) words[at] = long
      }),
    )
    expect({ keys, code }).toEqual({ keys: 0, code: 'ERR_MAPSAFE_CORRUPT' })
    expect(problems).toEqual([expect.stringMatching(/overlap/)])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB)
  })

  test('keys that somebody was moving are read all the same', () => {
    using seen = openInspection(
      makeDamaged((words, segment) => {
        words[segment * BLOCK_WORDS + SEGMENT_MOVES]++
      }),
    )
    expect([...seen.keys()]).toHaveLength(21)
    expect(seen.verify().problems).toEqual([expect.stringMatching(/keys are moving/)])
  })
})

test('a block that nothing leads to is lost once nobody can be just filling it', () => {
  const map = new ConcurrentMap<Key, unknown>({ maxBytes: MIB, engine: 'typescript' })
  for (let i = 0; i < 20; i++) map.set(i, 'value')
  const words = new Int32Array(map.handle.region!)
  const segment = words[words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES]
  const lost = (source: SharedArrayBuffer | Uint8Array): number => {
    using seen = openInspection(source)
    return seen.health().verdicts.find(({ name }) => name === 'lostMemory')!.value
  }
  const slots = bucketAt(segment, 0)
  const end = bucketAt(segment, ALL_BUCKETS)
  for (let at = slots; at < end; at++) {
    const isSlot = (at - slots) % BUCKET_WORDS >= BUCKET_SLOTS
    if (isSlot && words[at] > 0) words[at] = 0
  }
  // One thread has the map open, and the inspection is not that one.
  expect(lost(map.handle.region!)).toBe(0)
  expect(lost(new Uint8Array(words.slice().buffer))).toBe(0)
  map.close()
  expect(lost(map.handle.region!)).toBeGreaterThan(0)
  expect(lost(new Uint8Array(words.slice().buffer))).toBeGreaterThan(0)
})
