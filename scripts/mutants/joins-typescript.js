/**
 * Sabotages of how the TypeScript engine joins segments and gives back what departs, and of how near-caches notice. The
 * tests in test/exhaustion/joins, test/linearizability/restructuring and test/death/steps must go red for each.
 */
export const mutants = [
  {
    name: 'upper-half-emptied-before-the-directory-turns',
    why: 'a reader that the directory leads to the upper half misses its keys',
    file: 'src/engine/typescript/write/join.ts',
    find: '  takeOverWords(words, lower, upper)\n  Atomics.store',
    replace: `  for (let index = 0; index < ALL_BUCKETS; index++) {
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) vacate(words, bucketAt(upper, index), slot, 0)
  }
  for (let i = 0; i < 20000; i++) Atomics.load(words, 0)
  takeOverWords(words, lower, upper)
  Atomics.store`,
  },
  {
    name: 'places-not-forgotten',
    why: 'a near-cache takes what now lies in the place of a bucket for it',
    file: 'src/store/near/near-cache.ts',
    find: '    if (this.words[HEADER_DEPARTURES] !== this.departures) this.forgetPlaces()\n',
    replace: '',
  },
  {
    name: 'joined-versions-kept',
    why: 'versions of keys of the upper half come back',
    file: 'src/engine/typescript/write/join.ts',
    find: '    if (version >>> 0 > words[at] >>> 0) Atomics.store(words, at, version)\n',
    replace: '    if (version >>> 0 > words[at] >>> 0) continue\n',
  },
  {
    name: 'given-back-at-once',
    why: 'threads still look at what was given back',
    file: 'src/engine/typescript/write/departures.ts',
    find: '          if (!haveAllHeeded(words)) break\n',
    replace: '',
  },
  {
    name: 'departures-not-heeded',
    why: 'nothing is ever given back',
    file: 'src/engine/typescript/core.ts',
    find: '    this.thread.heedDepartures(departures)\n',
    replace: '',
  },
  {
    name: 'cleared-halves-stay',
    why: 'a cleared map keeps its segments',
    file: 'src/engine/typescript/write/cleanup.ts',
    find: '    joinAround(core, hash | 0, FOR_ROOM)\n',
    replace: '',
  },
  {
    name: 'chunks-kept',
    why: 'a cleared cache keeps the nodes of all that it held',
    file: 'src/engine/typescript/eviction/queues.ts',
    find: '    this.nodes.dropIdleChunks(this.entries)\n',
    replace: '',
  },
  {
    name: 'no-join-for-room',
    why: 'a write finds no memory while nearly empty segments take it',
    file: 'src/engine/typescript/write/write.ts',
    find: '    joinAll(core, FOR_ROOM)\n',
    replace: '',
  },
]
