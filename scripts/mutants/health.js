/**
 * Sabotages of the walk that `health()` judges by, and of how it tells lost blocks from those on their way.
 * `find` occurs exactly once in `file`.
 */
export const mutants = [
  {
    name: 'suspects-convicted-at-once',
    why: 'a block that another thread is just filling counts as lost',
    file: 'src/inspect/lost-blocks.ts',
    find: '      if (!isAlone && (!isLive || now - since <= LONGEST_WRITE_MS)) continue\n',
    replace: '',
  },
  {
    name: 'suspects-not-recognised',
    why: 'a block that was used in between counts as the one suspected before',
    file: 'src/inspect/lost-blocks.ts',
    find: 'before?.print === suspect.print ? before.since : now',
    replace: 'before?.since ?? now',
  },
  {
    name: 'thread-caches-not-walked',
    why: 'free blocks of a thread count as lost',
    file: 'src/inspect/census.ts',
    find: '    yield* this.walkFreeLists()\n',
    replace: '',
  },
  {
    name: 'outgrown-directories-not-walked',
    why: 'arrays that the directory outgrew count as lost',
    file: 'src/inspect/census.ts',
    find: '      directory = this.words[directory * BLOCK_WORDS + DIRECTORY_PREVIOUS]\n',
    replace: '      directory = 0\n',
  },
  {
    name: 'memory-believes-the-header',
    why: 'one damaged word makes figures that no memory has, or a crash',
    file: 'src/inspect/memory.ts',
    find: 'const inUse = Math.min(load(HEADER_PAGES_IN_USE) * PAGE_BYTES, heap)',
    replace: 'const inUse = load(HEADER_PAGES_IN_USE) * PAGE_BYTES',
  },
  {
    name: 'segments-told-by-depth',
    why: 'a segment that fills several entries of the directory counts several times',
    file: 'src/inspect/stats.ts',
    find: 'segments++',
    replace: 'segments += 2 ** Math.max(0, directoryDepth - load(segment + SEGMENT_DEPTH))',
  },
  {
    name: 'thread-caches-not-spare',
    why: 'free blocks of a thread count as entries',
    file: 'src/inspect/memory.ts',
    find: 'spareBytes(words, load) + cachedBytes(load)',
    replace: 'spareBytes(words, load)',
  },
  {
    name: 'top-of-the-heap-not-free',
    why: 'a map that only grew is called fragmented',
    file: 'src/inspect/census.ts',
    find: '    this.free.addRun(heapPages(this.words.byteLength) - this.top)\n',
    replace: '',
  },
  {
    name: 'free-runs-added-up',
    why: 'room is promised for an entry larger than any free run',
    file: 'src/inspect/free-space.ts',
    find: 'this.longestRun = Math.max(this.longestRun, pages)',
    replace: 'this.longestRun += pages',
  },
  {
    name: 'full-maps-called-fragmented',
    why: 'a map that is merely full is said to be in pieces',
    file: 'src/inspect/health.ts',
    find: 'mayEvict || isFull || largestIfCompacted',
    replace: 'mayEvict || largestIfCompacted',
  },
  {
    name: 'moves-not-counted-on',
    why: 'a map that would move entries together is said to refuse large ones',
    file: 'src/inspect/health.ts',
    find: 'isFull || largestIfCompacted >= threshold',
    replace: 'isFull || largestEntry >= threshold',
  },
]
