import { describe, expect, test } from 'vitest'
import { FreeLists } from '../../src/engine/typescript/memory/free-lists.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { classBlocks, classOf, spanCapacity, spanPages } from '../../src/format/size-classes.js'
import { Region } from '../../src/format/region.js'
import { takeOverFromDead } from '../../src/engine/typescript/threads/takeover.js'
import { ThreadRecord } from '../../src/engine/typescript/threads/thread-record.js'
import { Problems } from '../../src/format/check/problems.js'
import { HeapAudit } from '../../src/format/check/verify-heap.js'
import { atOnce } from '../../src/base/slices.js'
import { FULL } from '../../src/engine/engine.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  MAX_CLASS_BLOCKS,
  MIN_REGION_BYTES,
  SEGMENT_BYTES,
  SIZE_CLASSES,
} from '../../src/format/layout.js'
import { WaitBudget } from '../../src/engine/typescript/threads/wait-budget.js'
import { Random } from '../support/random.js'
import { seed } from '../support/run.js'

function makeRegion(bytes: number): Region {
  const buffer = new SharedArrayBuffer(bytes)
  formatRegion(buffer)
  return new Region(buffer)
}

function attach(region: Region): FreeLists {
  const thread = ThreadRecord.attach(region.words, takeOverFromDead)!
  return new FreeLists(region, thread, new WaitBudget(region.words, thread.mark, thread.at, takeOverFromDead))
}

/** What the heap's audit says when exactly `blocks` are in use beside the empty map. */
function audit(region: Region, blocks: Map<number, number>): string[] {
  const problems = new Problems()
  const heap = new HeapAudit(region, problems)
  atOnce(heap.readPages())
  const directory = region.words[HEADER_DIRECTORY]
  heap.claim(directory, 20, 'directory array')
  heap.claim(region.words[directory * BLOCK_WORDS + DIRECTORY_ENTRIES], SEGMENT_BYTES, 'segment')
  for (const [block, bytes] of blocks) heap.claim(block, bytes, 'block')
  atOnce(heap.finish())
  return problems.lines
}

/** Fills a block, so that one that overlaps another or a list shows. */
function fill(region: Region, block: number, bytes: number): void {
  region.words.fill(block, block * BLOCK_WORDS, block * BLOCK_WORDS + bytes / 4)
}

function isFilled(region: Region, block: number, bytes: number): boolean {
  return region.words.subarray(block * BLOCK_WORDS, block * BLOCK_WORDS + bytes / 4).every((word) => word === block)
}

describe('size classes', () => {
  test('fit every request with less than an eighth of waste above 512 bytes', () => {
    for (let blocks = 1; blocks <= MAX_CLASS_BLOCKS; blocks++) {
      const size = classBlocks(classOf(blocks))
      expect(size).toBeGreaterThanOrEqual(blocks)
      if (blocks > 32) expect(size - blocks).toBeLessThan(blocks / 8)
      else expect(size).toBe(blocks)
    }
    expect(classOf(MAX_CLASS_BLOCKS)).toBe(SIZE_CLASSES - 1)
  })

  test('cut spans of at least 16 KiB and 8 blocks', () => {
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      expect(spanPages(sizeClass)).toBeGreaterThanOrEqual(4)
      expect(spanCapacity(sizeClass)).toBeGreaterThanOrEqual(8)
    }
  })
})

describe('the heap', () => {
  test.each([
    { name: 'small blocks', largest: 512 },
    { name: 'blocks of every class', largest: 32768 },
    { name: 'blocks and large runs', largest: 150_000 },
  ])('keeps two caches apart through random requests: $name', ({ largest }) => {
    const random = new Random(seed)
    const region = makeRegion(4 * MIN_REGION_BYTES)
    const caches = [attach(region), attach(region)]
    const used = new Map<number, number>()
    let refusals = 0
    for (let i = 0; i < 20_000; i++) {
      const cache = random.pick(caches)
      // Waves of growth and shrinking, so that the heap fills up and empties again.
      const isGrowing = i % 4000 < 2500
      if (random.chance(isGrowing ? 0.8 : 0.2) || used.size === 0) {
        const bytes = Math.ceil((1 + random.below(largest) * random.next()) / 4) * 4
        const block = cache.allocate(bytes)
        if (block < 0) {
          expect(block).toBe(FULL)
          refusals++
          continue
        }
        expect(used.has(block)).toBe(false)
        used.set(block, bytes)
        fill(region, block, bytes)
      } else {
        const [block, bytes] = random.pick([...used].slice(0, 50))
        expect(isFilled(region, block, bytes), `MAPSAFE_SEED=${seed}`).toBe(true)
        used.delete(block)
        cache.free(block, bytes)
      }
      if (i % 500 === 0) expect(audit(region, used), `MAPSAFE_SEED=${seed}`).toEqual([])
    }
    if (largest > 512) expect(refusals).toBeGreaterThan(0)
    for (const [block, bytes] of used) caches[0].free(block, bytes)
    for (const cache of caches) cache.flush()
    expect(audit(region, new Map()), `MAPSAFE_SEED=${seed}`).toEqual([])
  })

  test('makes one large run again of what was many small blocks', () => {
    const region = makeRegion(MIN_REGION_BYTES)
    const cache = attach(region)
    const blocks: number[] = []
    for (;;) {
      const block = cache.allocate(64)
      if (block < 0) break
      blocks.push(block)
    }
    expect(blocks.length).toBeGreaterThan(12_000)
    for (const block of blocks) cache.free(block, 64)
    cache.flush()
    expect(cache.allocate(800_000)).toBeGreaterThan(0)
  })

  test('an audit notices a lost block, one used twice, and one of another size', () => {
    const region = makeRegion(MIN_REGION_BYTES)
    const cache = attach(region)
    const block = cache.allocate(100)
    expect(audit(region, new Map())).toEqual([`block ${block} is lost`])
    expect(audit(region, new Map([[block, 100]]))).toEqual([])
    expect(audit(region, new Map([[block, 200]]))[0]).toMatch('is no block of the heap')
    cache.free(block, 100)
    expect(audit(region, new Map([[block, 100]]))[0]).toMatch('used twice')
    expect(audit(region, new Map([[block + 1, BLOCK_BYTES]]))[0]).toMatch('is no block of the heap')
  })
})
