/**
 * Sabotages of what keeps a near hit current: of the near-cache itself, and of the version bumps that it relies on.
 * `find` occurs exactly once in `file`; `also` is a second edit of the same file.
 */
export const mutants = [
  {
    name: 'admitted-at-once',
    why: 'keys that are read once cost more than a near-cache saves',
    file: 'src/store/near/near-cache.ts',
    find: 'const isKnown = this.met[place] === mark',
    replace: 'const isKnown = mark !== undefined',
  },
  {
    name: 'absent-keys-fill-the-near-cache',
    why: 'the near-cache of a cache remembers absent keys that are inserted next',
    file: 'src/store/near/near-cache.ts',
    find: 'const isFleeting = !present && this.useClockAt !== 0',
    replace: 'const isFleeting = !present && this.useClockAt < 0',
  },
  {
    name: 'stale-version-accepted',
    why: 'a hit after another thread wrote the key',
    file: 'src/store/near/near-cache.ts',
    find: '      version === entry.version &&\n',
    replace: '',
  },
  {
    name: 'dropped-by-version',
    why: 'what was dropped is hit during the last write before the version wraps',
    file: 'src/store/near/near-cache.ts',
    find: 'entry.expiresAt = -Infinity',
    replace: 'entry.version = -1',
  },
  {
    name: 'epoch-ignored',
    why: 'a hit after the version came round to the same number',
    file: 'src/store/near/near-cache.ts',
    find: '      words[entry.home + BUCKET_EPOCH] === entry.epoch &&\n',
    replace: '',
  },
  {
    name: 'odd-version-accepted',
    why: 'a value met during a write is taken for the one after it',
    file: 'src/store/near/near-cache.ts',
    find: '    if ((version & 1) !== 0) return\n',
    replace: '',
  },
  {
    name: 'write-since-lookup-ignored',
    why: 'the epoch is not the one that belongs to the version',
    file: 'src/store/near/near-cache.ts',
    find: '    if (Atomics.load(this.words, home) !== version) return\n',
    replace: '',
  },
  {
    name: 'refresh-without-comparison',
    why: 'the old value gets the new version',
    file: 'src/engine/typescript/engine.ts',
    find: 'if (version === NO_VERSION || version !== this.reportedVersion()) {',
    replace: 'if (version === NO_VERSION) {',
  },
  {
    name: 'mutable-shared',
    why: 'one reader changes what the next one gets',
    file: 'src/store/store.ts',
    find: '(kind !== ENCODED || this.#codecs.immutable) && ',
    replace: '',
  },
  {
    name: 'no-bump-on-split',
    why: 'a key is written in its new segment while its old home bucket still vouches for the old value',
    file: 'src/engine/typescript/write/split.ts',
    find: '  releaseSegment(words, segment)\n  releaseSegment(words, twin)',
    replace:
      '  const before = Array.from({ length: 68 }, (_, i) => words[bucketAt(segment, i)] - 1)\n' +
      '  releaseSegment(words, segment)\n  before.forEach((version, i) => (words[bucketAt(segment, i)] = version))\n' +
      '  releaseSegment(words, twin)',
  },
  {
    name: 'no-bump-on-clear',
    why: 'a cleared key goes on being hit',
    file: 'src/engine/typescript/write/cleanup.ts',
    find: '    core.thread.count(COUNTER_DELETED, emptySegment(core, segment))\n    releaseSegment(words, segment)',
    replace:
      '    core.thread.count(COUNTER_DELETED, emptySegment(core, segment))\n' +
      '    const before = Array.from({ length: 68 }, (_, i) => words[bucketAt(segment, i)] - 1)\n' +
      '    releaseSegment(words, segment)\n' +
      '    before.forEach((version, i) => (words[bucketAt(segment, i)] = version))',
  },
  {
    name: 'no-bump-on-delete',
    why: 'a deleted key goes on being hit',
    file: 'src/engine/typescript/index/bucket.ts',
    find: 'const next = (words[bucket + BUCKET_VERSION] + 1) | 0',
    replace: 'const next = (words[bucket + BUCKET_VERSION] - 1) | 0',
  },
  {
    name: 'scan-displaces-all',
    why: 'entries that were hit leave with those that were not',
    file: 'src/store/near/near-cache.ts',
    find: 'if (left?.used === true) {',
    replace: 'if (left?.used === undefined) {',
  },
]
