import { describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { heapBlock, heapPages, PAGE_TABLE_BLOCK } from '../../src/format/geometry.js'
import { BLOCK_BYTES, PAGE_BLOCKS, PAGE_BYTES, PAGE_ENTRY_WORDS } from '../../src/format/layout.js'
import { lineups } from '../support/run.js'
import { expectSound } from '../support/sound.js'

/** Table and heap of a region that is one of 129 sizes need one page more than there is, if the last page counts. */
const SIZES = 1000

test('the page table ends before the heap begins, and the heap with the region, in regions of any size', () => {
  for (let pages = 256; pages < 256 + SIZES; pages++) {
    const bytes = pages * PAGE_BYTES
    const tableEnd = PAGE_TABLE_BLOCK + (heapPages(bytes) * PAGE_ENTRY_WORDS * 4) / BLOCK_BYTES
    expect(tableEnd, `${pages} pages`).toBeLessThanOrEqual(heapBlock(bytes))
    expect(heapBlock(bytes) + heapPages(bytes) * PAGE_BLOCKS).toBe(bytes / BLOCK_BYTES)
    expect(heapBlock(bytes) - tableEnd, 'blocks between').toBeLessThan(2 * PAGE_BLOCKS)
  }
})

describe.each(lineups)('a map of such a size ($name)', (lineup) => {
  test.each([112, 241])('of %i MiB keeps what it is given', (mebibytes) => {
    using map = new ConcurrentMap<string, number>({
      maxBytes: mebibytes * 2 ** 20,
      engine: lineup.engineOf(0),
      nearCache: false,
    })
    for (let i = 0; i < 20_000; i++) map.set(`key ${i}`, i)
    for (let i = 0; i < 20_000; i++) expect(map.get(`key ${i}`)).toBe(i)
    expectSound(map)
  })
})
