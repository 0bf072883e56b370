/**
 * Sabotages of how the TypeScript engine moves entries. The tests in test/exhaustion/fragmentation and
 * test/linearizability/restructuring must go red for each.
 */
export const mutants = [
  {
    name: 'moved-block-freed-before-the-swap',
    why: 'a reader meets a block that is free while the version is still the old one',
    file: 'src/engine/typescript/write/move.ts',
    find: '    thread.claim(home / BLOCK_WORDS)\n',
    replace: `    // Does what a thread that got the block would do.
    const entry = block * BLOCK_WORDS
    for (let i = 0; i < 50; i++) words.fill(0x21212121 + i, entry + ENTRY_DATA, entry + bytes / 4)
    thread.claim(home / BLOCK_WORDS)
`,
  },
  {
    name: 'moved-without-a-new-version',
    why: 'a reader in the old block is not told that it was freed meanwhile',
    file: 'src/engine/typescript/write/move.ts',
    find: '      replace(words, home, this.slot, copy)\n      release(words, home)\n',
    replace:
      '      replace(words, home, this.slot, copy)\n      Atomics.store(words, home + BUCKET_VERSION, version)\n',
  },
  {
    name: 'copy-older-than-the-entry',
    why: 'what a counter counted while it was copied is lost',
    file: 'src/engine/typescript/write/move.ts',
    find: '    const isHeld = tryHold(words, home, version)\n',
    replace: `    for (let i = 0; i < 2000; i++) Atomics.load(words, home)
    const isHeld = loadSlot(words, home, this.slot) === block && holdBucket(core, home, lookup.segment)
`,
  },
  {
    name: 'moved-with-another-version',
    why: 'a write on condition of the version fails although nobody wrote',
    file: 'src/engine/typescript/write/move.ts',
    find: '    return copy\n  }\n\n  /** Finds the slot',
    replace: '    this.words[copy * BLOCK_WORDS + 3]--\n    return copy\n  }\n\n  /** Finds the slot',
  },
  {
    name: 'moved-without-its-node',
    why: 'an entry of a cache that was moved is never evicted',
    file: 'src/engine/typescript/write/move.ts',
    find: '    return copy\n  }\n\n  /** Finds the slot',
    replace: '    this.words[copy * BLOCK_WORDS + 5] = 0\n    return copy\n  }\n\n  /** Finds the slot',
  },
  {
    name: 'moved-without-its-last-words',
    why: 'the end of the value or the expiry is not copied',
    file: 'src/engine/typescript/write/move.ts',
    find: 'from, from + bytes / 4)',
    replace: 'from, from + bytes / 4 - 1)',
  },
  {
    name: 'emptied-span-still-listed',
    why: 'pages that became a free run are still in the list of spans with room',
    file: 'src/engine/typescript/memory/heap.ts',
    find: '    if (this.hasRoom(page, sizeClass)) this.unlink(HEADER_PARTIAL_SPANS + sizeClass, page)\n    this.write(this.descriptor(page) + PAGE_CLOSED, 1)\n',
    replace: '    this.write(this.descriptor(page) + PAGE_CLOSED, 1)\n',
  },
  {
    name: 'segments-among-entries',
    why: 'segments that never move lie in every long run',
    file: 'src/engine/typescript/memory/heap.ts',
    find: '    if (place === FIXED) return this.allocateFixedRun(pages)\n',
    replace: '',
  },
  {
    name: 'pages-left-between',
    why: 'pages too few for anything are left between those that were emptied',
    file: 'src/engine/typescript/memory/survey.ts',
    find: '      if (!isFound && cost <= 2 * least + CHEAP) isFound',
    replace: '      if (cost === least) isFound',
  },
  {
    name: 'nothing-is-moved',
    why: 'a map in which little is left has no room for large entries',
    file: 'src/engine/typescript/write/compaction.ts',
    find: '      if (!survey.find(pages, place)) {\n',
    replace: '      if (pages > 0) {\n',
  },
  {
    name: 'reclaims-everything-at-once',
    why: 'one call cleans up the whole map for a single block',
    file: 'src/engine/typescript/write/write.ts',
    find: '    round.goOn(wanted, looks)\n',
    replace: '    round.goOn(Infinity)\n',
  },
  {
    name: 'tombstones-in-a-full-map',
    why: 'the next call that wants memory has to look for what deletions left, in every segment',
    file: 'src/engine/typescript/write/edit.ts',
    find: '!this.core.blocks.isTight && ',
    replace: '',
  },
  {
    name: 'emptied-tombstones-still-counted',
    why: 'cleanups are done for tombstones that are not there',
    file: 'src/engine/typescript/write/tombstones.ts',
    find: '  Atomics.sub(words, segment * BLOCK_WORDS + SEGMENT_TOMBSTONES, count)\n',
    replace: '',
  },
  {
    name: 'moved-blocks-kept-by-the-mover',
    why: 'the blocks that entries left go to the list from which copies are taken, so the span is never empty',
    file: 'src/engine/typescript/write/move.ts',
    find: '    if (isHeld) core.blocks.freeMoved(block)\n',
    replace: '    if (isHeld) core.blocks.free(block, bytes)\n',
  },
]
