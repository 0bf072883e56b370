/**
 * Sabotages of the TypeScript engine. Each breaks one rule of docs/internals/protocol.md; some test must go red for each.
 * `find` occurs exactly once in `file`; `also` is a second edit of the same file.
 */
export const mutants = [
  {
    name: 'skip-version-bump',
    why: 'a release that restores the old version hides the write from readers and optimistic writers',
    file: 'src/engine/typescript/index/bucket.ts',
    find: 'const next = (words[bucket + BUCKET_VERSION] + 1) | 0',
    replace: 'const next = (words[bucket + BUCKET_VERSION] - 1) | 0',
  },
  {
    name: 'free-before-release',
    why: 'the old block may be reused while readers still hold the old version',
    file: 'src/engine/typescript/write/edit.ts',
    find: 'else if (current !== 0) replace(words, bucket, slot, this.block)',
    replace: `else if (current !== 0) {
      replace(words, bucket, slot, this.block)
      // Does what a thread that got the block would do.
      const entry = current * BLOCK_WORDS
      const end = entry + sizeOf(words, current * BLOCK_WORDS) / 4
      for (let i = 0; i < 50; i++) words.fill(0x21212121 + i, entry + ENTRY_DATA, end)
    }`,
  },
  {
    name: 'publish-before-written',
    why: 'a reader meets an entry whose value is not there yet',
    file: 'src/engine/typescript/write/write.ts',
    find: `  edit.keptUntil = value.keptUntil
  run(core, edit)
`,
    replace: `  edit.keptUntil = value.keptUntil
  const data = block * BLOCK_WORDS + ENTRY_DATA + wordsFor(core.lookup.key.length)
  // An increment writes its value later anyway.
  if (kind === EDIT_PUT) core.words.fill(0x01010101, data, data + wordsFor(value.length))
  run(core, edit)
  if (kind === EDIT_PUT) value.write(block, data)
`,
  },
  {
    name: 'hold-without-compare-and-swap',
    why: 'two writers hold one bucket, and an update is lost',
    file: 'src/engine/typescript/index/bucket.ts',
    find: 'return Atomics.compareExchange(words, bucket + BUCKET_VERSION, version, version + 1) === version',
    replace: 'return Atomics.store(words, bucket + BUCKET_VERSION, version + 1) === version + 1',
  },
  {
    name: 'reader-without-validation',
    why: 'a torn or foreign value is returned',
    file: 'src/engine/typescript/index/lookup.ts',
    find: 'return Atomics.load(this.words, this.home + BUCKET_VERSION) === this.homeVersion && this.othersAreAsNoted()',
    replace: 'return this.othersAreAsNoted()',
  },
  {
    name: 'miss-without-directory-recheck',
    why: 'a key that moved in a split is missed by a reader with the old directory entry',
    file: 'src/engine/typescript/engine.ts',
    find: 'if (lookup.unchanged() && lookup.stillMaps()) return undefined',
    replace: 'if (lookup.unchanged()) return undefined',
  },
  {
    name: 'writer-without-directory-recheck',
    why: 'a key goes into a segment that has just lost it to its twin',
    file: 'src/engine/typescript/write/write.ts',
    find: 'if (!lookup.stillMaps()) return LOST',
    replace: '',
  },
  {
    name: 'mutex-always-free',
    why: 'two threads restructure one segment, or take one block',
    file: 'src/engine/typescript/threads/mutex.ts',
    find: 'if (Atomics.compareExchange(words, mutex, 0, mark) === 0) return true',
    replace: 'if (Atomics.store(words, mutex, mark) === mark) return true',
  },
  {
    name: 'split-empties-before-assigning',
    why: 'for a moment a moved key is in neither segment',
    file: 'src/engine/typescript/write/split.ts',
    find: '  const isAssigned = assignSegment(',
    replace: '  emptyUpperHalf(core, segment, bit)\n  const isAssigned = assignSegment(',
  },
  {
    name: 'twin-without-versions',
    why: 'entry versions start again in the new segment, and repeat for a key',
    file: 'src/engine/typescript/write/split.ts',
    find: 'words[target + BUCKET_VERSION] = words[source + BUCKET_VERSION]',
    replace: 'words[target + BUCKET_VERSION] = 1',
  },
  {
    name: 'bring-home-clears-first',
    why: 'a key on its way home is in neither bucket',
    file: 'src/engine/typescript/write/restructure.ts',
    find: `  publish(words, to, room, loadTag(words, from, slot), loadSlot(words, from, slot))
  step(words, home)
  vacate(words, from, slot, displaced)`,
    replace: `  const tag = loadTag(words, from, slot)
  const reference = loadSlot(words, from, slot)
  vacate(words, from, slot, displaced)
  step(words, home)
  publish(words, to, room, tag, reference)`,
  },
  {
    name: 'moves-not-counted',
    why: 'an iterator walks a segment while its keys change places, and misses some',
    file: 'src/engine/typescript/write/restructure.ts',
    find: 'Atomics.add(core.words, segment * BLOCK_WORDS + SEGMENT_MOVES, 1)',
    replace: 'Atomics.sub(core.words, segment * BLOCK_WORDS + SEGMENT_MOVES, 1)',
  },
  {
    name: 'collector-without-validation',
    why: 'an iterator copies a key from a block that is already another entry',
    file: 'src/engine/typescript/walk/collect.ts',
    find: 'if (Atomics.load(words, bucket + BUCKET_VERSION) === version) return status',
    replace: 'return status',
  },
  {
    name: 'snapshot-without-buckets',
    why: 'optimistic writers go on while a snapshot is taken, and it has a later write without an earlier one',
    file: 'src/engine/typescript/walk/snapshot.ts',
    find: `    copy.labels.take(core.region)
    for (; released < held.length; released++) {
`,
    replace: `    copy.labels.take(core.region)
    for (const segment of held) releaseBuckets(core.words, segment)
    for (; released < held.length; released++) {
      holdBuckets(core, held[released])
`,
    also: {
      find: 'import { holdEverything,',
      replace: 'import { holdBuckets, releaseBuckets, holdEverything,',
    },
  },
  {
    name: 'tombstones-live',
    why: 'a deleted key lingers',
    file: 'src/engine/typescript/index/bucket.ts',
    find: '  Atomics.store(words, bucket + BUCKET_SLOTS + slot, rest)\n  storeTag(words, bucket, slot, 0)',
    replace:
      '  Atomics.store(words, bucket + BUCKET_SLOTS + slot, rest & ~TOMBSTONE_BIT)\n  storeTag(words, bucket, slot, 0)',
  },
  {
    name: 'tag-kept-on-delete',
    why: 'a dead slot keeps looking like a candidate',
    file: 'src/engine/typescript/index/bucket.ts',
    find: '  Atomics.store(words, bucket + BUCKET_SLOTS + slot, rest)\n  storeTag(words, bucket, slot, 0)',
    replace: '  Atomics.store(words, bucket + BUCKET_SLOTS + slot, rest)',
  },
  {
    name: 'overflow-not-raised',
    why: 'a key in the stash is never looked for',
    file: 'src/engine/typescript/write/structural.ts',
    find: 'stashCount(overflow) + Number(!isNeighbour)',
    replace: 'stashCount(overflow)',
  },
  {
    name: 'structural-write-holds-only-the-home',
    why: 'a spilled key is changed while another writer changes the same bucket',
    file: 'src/engine/typescript/write/structural.ts',
    find: 'if (bucket !== home && !holdBucket(core, bucket, segment)) status = TIMEOUT',
    replace: 'if (bucket < 0) status = TIMEOUT',
    also: {
      find: '  if (bucket !== home) release(words, bucket)',
      replace: '  if (bucket !== home && lookup.slot < 0) release(words, bucket)',
    },
  },
  {
    name: 'size-not-counted',
    why: 'size drifts from the number of entries',
    file: 'src/engine/typescript/write/cleanup.ts',
    find: '  thread.addSize(-1)\n',
    replace: '',
  },
  {
    name: 'no-reclaim-of-displaced',
    why: 'the block behind a reused tombstone is leaked',
    file: 'src/engine/typescript/write/edit.ts',
    find: '    if (this.displaced !== 0) core.freeEntry(this.displaced)\n',
    replace: '',
  },
  {
    name: 'snapshot-trusts-old-copies',
    why: 'a snapshot has what was overwritten between the copy made ahead and the instant',
    file: 'src/engine/typescript/walk/snapshot.ts',
    find: 'if (this.core.words[bucket + BUCKET_VERSION] !== ((buckets[copy + COPY_VERSION] + 1) | 0)) {',
    replace: 'if (buckets[copy + COPY_VERSION] === NOT_COPIED) {',
  },
  {
    name: 'hold-without-room',
    why: 'a held insert may find no room, with user code already run',
    file: 'src/engine/typescript/write/structural.ts',
    find: 'if (wantsRoom && lookup.slot < 0 && status === ABSENT && !hasLastingRoom(core)) {',
    replace: 'if (false) {',
  },
  {
    name: 'counter-turned-before-written',
    why: 'readers meet a sum that is half written, or an older one',
    file: 'src/engine/typescript/index/counter.ts',
    find: '  const halves = halvesOf(sum)\n',
    replace:
      '  Atomics.store(words, entry + ENTRY_META, meta ^ ENTRY_SECOND_CELL)\n' +
      '  for (let i = 0; i < 200; i++) Atomics.load(words, 0)\n' +
      '  const halves = halvesOf(sum)\n',
  },
  {
    name: 'counter-written-where-it-is-read',
    why: 'readers meet a sum that is half written, or with the version of another',
    file: 'src/engine/typescript/index/counter.ts',
    find: 'const isSecond = !isInSecondCell(meta)',
    replace: 'const isSecond = isInSecondCell(meta)',
    also: { find: 'meta ^ ENTRY_SECOND_CELL)', replace: 'meta)' },
  },
  {
    name: 'mutex-waits-not-counted',
    why: 'writers that queue for one mutex never find relief',
    file: 'src/engine/typescript/write/structural.ts',
    find: '+ SEGMENT_MUTEX) !== 0) edit.meetContention(segment)',
    replace: '+ SEGMENT_MUTEX) < 0) edit.meetContention(segment)',
  },
  {
    name: 'size-below-zero',
    why: 'a deletion counted before its insert shows',
    file: 'src/engine/typescript/engine.ts',
    find: 'return Math.max(0, sumOfSizeDeltas(this.words))',
    replace: 'return sumOfSizeDeltas(this.words)',
  },
  {
    name: 'size-counted-late',
    why: 'size is off by writes that are over',
    file: 'src/engine/typescript/threads/thread-record.ts',
    find: '    Atomics.store(this.words, word, (this.words[word] + delta) | 0)',
    replace:
      '    this.late = (this.late ?? 0) + delta\n' +
      '    if (Math.abs(this.late) < 3) return\n' +
      '    Atomics.store(this.words, word, (this.words[word] + this.late) | 0)\n' +
      '    this.late = 0',
    also: {
      find: '  detach(): void {',
      replace:
        '  private late: number | undefined\n' +
        '  detach(): void {\n' +
        '    const word = this.at + THREAD_SIZE_DELTA\n' +
        '    this.words[word] += this.late ?? 0',
    },
  },
  {
    name: 'last-page-without-a-descriptor',
    why: 'in regions of some sizes the descriptor of the last page lies in the first segment',
    file: 'src/format/geometry.ts',
    find: '  return Math.min(Math.floor(left / PAGE_BYTES) - tablePages, (tablePages * PAGE_BYTES) / PAGE_ENTRY_BYTES)\n',
    replace: '  return Math.floor(left / PAGE_BYTES) - tablePages\n',
  },
]
