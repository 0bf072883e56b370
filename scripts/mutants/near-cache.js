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
    find: 'return version === entry.version && words',
    replace: 'return words',
  },
  {
    name: 'dropped-by-version',
    why: 'what was dropped is hit during the last write before the version wraps',
    file: 'src/store/near/near-cache.ts',
    find: 'entry.until = -Infinity',
    replace: 'entry.version = -1',
  },
  {
    name: 'epoch-ignored',
    why: 'a hit after the version came round to the same number',
    file: 'src/store/near/near-cache.ts',
    find: 'version === entry.version && words[entry.home + BUCKET_EPOCH] === entry.epoch',
    replace: 'version === entry.version',
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
    name: 'renewed-while-held',
    why: 'what a writer is about to replace is hit again at its version',
    file: 'src/store/near/renewal.ts',
    find: '  if ((version & 1) !== 0) return false\n',
    replace: '',
  },
  {
    name: 'renewed-by-block',
    why: 'the block holds a later entry of the key by now',
    file: 'src/store/near/renewal.ts',
    find: '  if (high * 2 ** 32 + low !== entry.entryVersion) return false\n',
    replace: '',
  },
  {
    name: 'renewed-by-low-version',
    why: 'the block holds an entry that is 2^32 versions later',
    file: 'src/store/near/renewal.ts',
    find: 'high * 2 ** 32 + low !== entry.entryVersion',
    replace: 'low !== entry.entryVersion % 2 ** 32',
  },
  {
    name: 'renewed-by-version',
    why: 'the entry was deleted or lies in another block, and its old one still has its bytes',
    file: 'src/store/near/renewal.ts',
    find: 'slot === end || ',
    replace: '',
  },
  {
    name: 'renewed-for-another-hash',
    why: 'entries of two homes may have one version and, one after the other, one block',
    file: 'src/store/near/renewal.ts',
    find: ' || loadInOrder(words, at + ENTRY_HASH) !== entry.hash',
    replace: '',
  },
  {
    name: 'renewed-with-old-epoch',
    why: 'an entry that was renewed is never hit again once the version has wrapped',
    file: 'src/store/near/renewal.ts',
    find: '  entry.epoch = epoch\n',
    replace: '',
  },
  {
    name: 'counter-renewed',
    why: 'a counter changes where it lies',
    file: 'src/store/near/near-cache.ts',
    find: 'at !== 0 && (loadInOrder(this.words, at + ENTRY_META) & ENTRY_COUNTER) === 0',
    replace: 'at !== 0',
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
    find: 'kind !== ENCODED || dates !== undefined || this.#codecs.immutable',
    replace: 'true',
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
    find: '    core.thread.count(COUNTER_DELETED, live)\n    releaseSegment(words, segment)',
    replace:
      '    core.thread.count(COUNTER_DELETED, live)\n' +
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
    name: 'changed-date-kept',
    why: 'a date that one reader has changed is what the next one gets',
    file: 'src/store/near/near-cache.ts',
    find: 'if (entry?.dates !== undefined && wereChanged(entry.dates)) this.drop(entry)',
    replace: '',
  },
  {
    name: 'invalid-date-unlike-itself',
    why: 'a value with an invalid date is decoded at each read',
    file: 'src/store/near/kept-dates.ts',
    find: 'if (time !== times[i] && (time === time || times[i] === times[i])) return true',
    replace: 'if (time !== times[i]) return true',
  },
  {
    name: 'dates-of-the-value-before',
    why: 'the dates compared are those of another value, so that a change of these goes unnoticed',
    file: 'src/store/near/near-cache.ts',
    find: '        entry.dates = keepDates(dates)\n',
    replace: '\n',
  },
  {
    name: 'scan-displaces-all',
    why: 'entries that were hit leave with those that were not',
    file: 'src/store/near/near-cache.ts',
    find: 'if (left?.used === true) {',
    replace: 'if (left?.used === undefined) {',
  },
]
