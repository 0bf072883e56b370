/** Sabotages of what the TypeScript engine does against sudden death. The tests in test/death must go red for each. */
export const mutants = [
  {
    name: 'the-dead-are-left-alone',
    why: 'what a dead thread held is held for ever',
    file: 'src/engine/typescript/takeover.ts',
    find: '  if (!burial.survey()) return\n',
    replace: '  if (burial.survey()) return\n',
  },
  {
    name: 'the-living-are-buried',
    why: 'a takeover that does not ask the kernel takes records, mutexes and buckets from threads that go on using them',
    file: 'src/engine/typescript/takeover.ts',
    find: 'if (id !== 0n && id !== last) isDead = lifeOf(id) === LIFE_DEAD',
    replace: 'if (id !== 0n && id !== last) isDead = lifeOf(id) !== 0',
  },
  {
    name: 'segments-kept-by-the-dead',
    why: 'nobody can write into a segment that a dead thread was restructuring',
    file: 'src/engine/typescript/takeover.ts',
    find: '    this.rescueSegments()\n',
    replace: '',
  },
  {
    name: 'partitions-kept-by-the-dead',
    why: 'nobody can insert into a partition of a cache whose mutex a dead thread has',
    file: 'src/engine/typescript/takeover.ts',
    find: '    this.rescuePartitions()\n',
    replace: '',
  },
  {
    name: 'partition-not-rebuilt',
    why: 'a node that the dead thread was moving is in two lists or none',
    file: 'src/engine/typescript/takeover.ts',
    find: '      new EvictionQueues(this.words, at, NO_ENTRIES).rebuild()\n',
    replace: '',
  },
  {
    name: 'start-time-ignored',
    why: 'a record is taken for free while its owner lives',
    file: 'src/engine/typescript/liveness.ts',
    find: 'if (stat.startTime !== Number(kernelId >> 32n)) return LIFE_DEAD',
    replace: 'if (stat.startTime === Number(kernelId >> 32n)) return LIFE_DEAD',
  },
]
