/**
 * Sabotages of what looks at a map without having a part in it. Each breaks one rule of docs/guide/17-inspecting.md; some test must
 * go red for each. `find` occurs exactly once in `file`; `also` is a second edit of the same file.
 */
export const mutants = [
  {
    name: 'inspection-without-versions',
    why: 'entries are told that are half of one key and half of another',
    file: 'src/inspect/collect.ts',
    find: 'if (this.versionOf(index) === version) {',
    replace: 'if (this.versionOf(index) !== version + 0.5) {',
  },
  {
    name: 'inspection-tells-the-expired',
    why: 'what no read finds is told as there',
    file: 'src/inspect/entries.ts',
    find: "hasExpiredAt(raw.expiresAt, time) ? 'expired' : 'live'",
    replace: "'live'",
  },
  {
    name: 'inspection-tells-leases',
    why: 'a key whose value is still being loaded is told as an entry',
    file: 'src/inspect/entries.ts',
    find: "if (isLeaseKind(valueKindOf(raw.meta))) return 'lease'",
    replace: '',
  },
  {
    name: 'inspection-counts-itself',
    why: 'what the only thread that has the map open is just writing counts as lost',
    file: 'src/inspect/inspection.ts',
    find: 'records: 0',
    replace: 'records: 1',
  },
  {
    name: 'inspection-maps-to-write',
    why: 'a file that may only be read cannot be looked at, and a fault here could change it',
    file: 'src/storage/reading.ts',
    find: 'native.mapFileForReading(descriptor',
    replace: 'native.mapFile(descriptor',
  },
  {
    name: 'inspection-without-budget',
    why: 'references that all lead to one long key take memory without bound',
    file: 'src/inspect/collect.ts',
    find: 'if (this.copied > this.most) return false',
    replace: '',
  },
  {
    name: 'inspection-believes-the-clock-of-another-start',
    why: 'after a start of the system everything has expired, or nothing ever does',
    file: 'src/inspect/moment.ts',
    find: '!isOfStart(region, known, bootNumber(), monotonic) ||',
    replace: '',
  },
  {
    name: 'inspection-hides-what-was-torn',
    why: 'a copy of a file in use passes for sound',
    file: 'src/inspect/inspection.ts',
    find: 'if (threads > 0) {',
    replace: 'if (threads > 128) {',
  },
  {
    name: 'copies-asked-for-locks',
    why: 'threads that had the original open are told as dead',
    file: 'src/storage/reading.ts',
    find: '!isOpen || this.isCopy',
    replace: '!isOpen',
  },
]
