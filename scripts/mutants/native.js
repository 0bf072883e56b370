/**
 * Sabotages of the C++ engine. Each breaks one rule of docs/internals/protocol.md; some C++ test must go red for each.
 * `find` occurs exactly once in `file`, and so does that of `also`, a second edit of the same file.
 */
export const mutants = [
  {
    name: 'skip-version-bump',
    why: 'a release that restores the old version hides the write from readers and optimistic writers',
    file: 'core/index/bucket.h',
    find: 'const Word next = region_->Load(at_ + kBucketVersion) + 1;',
    replace: 'const Word next = region_->Load(at_ + kBucketVersion) - 1;',
  },
  {
    name: 'free-before-release',
    why: 'a free list runs through a block that readers of the still unchanged version are in',
    file: 'core/write/write.cc',
    find: '    change->bucket.Replace(change->slot, edit.block);\n',
    // Does what a thread that got the block would do.
    replace:
      '    change->bucket.Replace(change->slot, edit.block);\n' +
      '    const std::uint32_t end = ReadHeader(core.region, change->previous).words();\n' +
      '    FreeEntry(core, change->previous);\n' +
      '    for (Word i = 0; i < 50; ++i) {\n' +
      '      for (std::uint32_t w = kEntryData; w < end; ++w) core.region.Store(WordOf(change->previous) + w, 0x21212121 + i);\n' +
      '    }\n',
    also: {
      find: '    FreeEntry(core, change.previous);\n',
      replace: '    if (edit.block == 0) FreeEntry(core, change.previous);\n',
    },
  },
  {
    name: 'publish-before-built',
    why: 'a reader meets an entry whose value is not there yet',
    file: 'core/write/write.cc',
    find: '  BuildEntry(core.region, edit->block, edit->key, value);\n  Run(core, edit);',
    replace:
      '  const std::string junk(value.length, 1);\n' +
      '  BuildEntry(core.region, edit->block, edit->key, {reinterpret_cast<const std::byte*>(junk.data()), value.length, value.kind});\n' +
      '  Run(core, edit);\n' +
      '  if (core.outcome->status == Status::kDone && edit->kind == Edit::Kind::kPut) {\n' +
      '    BuildEntry(core.region, edit->block, edit->key, value);\n' +
      '  }',
  },
  {
    name: 'reader-without-validation',
    why: 'a torn or foreign value is returned',
    file: 'core/index/lookup.h',
    find: 'if (Bucket(*region_, buckets_[i]).ReloadVersion() != versions_[i]) return false;',
    replace: 'if (Bucket(*region_, buckets_[i]).ReloadVersion() == 0xfffffff1u) return false;',
  },
  {
    name: 'hold-without-compare-and-swap',
    why: 'two writers hold one bucket, and an update is lost',
    file: 'core/index/bucket.h',
    find: 'return region_->CompareAndSwap(at_ + kBucketVersion, even_version, even_version + 1);',
    replace: 'region_->StoreRelease(at_ + kBucketVersion, even_version + 1);\n    return true;',
  },
  {
    name: 'mutex-always-free',
    why: 'two threads restructure one segment, or take one block',
    file: 'core/threads/mutex.h',
    find: 'if (region.CompareAndSwap(mutex, 0, budget.own_mark())) [[likely]]',
    replace: 'if (region.Store(mutex, budget.own_mark()); true) [[likely]]',
  },
  {
    name: 'miss-without-directory-recheck',
    why: 'a key that moved in a split is missed by a reader with the old directory entry',
    file: 'core/index/lookup.cc',
    find: 'if (versions.Unchanged() && (sighting.found() || StillMaps(core.region, location))) {',
    replace: 'if (versions.Unchanged()) {',
  },
  {
    name: 'split-empties-before-assigning',
    why: 'for a moment a moved key is in neither segment',
    file: 'core/write/split.cc',
    find: '  const bool assigned = AssignSegment(',
    replace: '  EmptyUpperHalf(core, segment, bit);\n  const bool assigned = AssignSegment(',
  },
  {
    name: 'bring-home-clears-first',
    why: 'a key on its way home is, for a while, in neither bucket',
    file: 'core/write/restructure.cc',
    find: '  to->Publish(room, from->Tag(slot), from->Slot(slot));\n  home->Step();\n  from->Vacate(slot, displaced);',
    replace:
      '  const std::uint32_t tag = from->Tag(slot);\n  const Word reference = from->Slot(slot);\n' +
      '  from->Vacate(slot, displaced);\n  for (int i = 0; i < 200; ++i) SpinPause();\n' +
      '  to->Publish(room, tag, reference);\n  (void)home;',
  },
  {
    name: 'moves-not-counted',
    why: 'an iterator walks a segment while its keys change places, and misses some',
    file: 'core/write/restructure.cc',
    find: '  core.region.Store(moves, core.region.Load(moves) + 1);\n  return true;',
    replace: '  core.region.Store(moves, core.region.Load(moves) - 1);\n  return true;',
  },
  {
    name: 'tombstones-live',
    why: 'a deleted key lingers',
    file: 'core/index/bucket.h',
    find: 'return reference != 0 && (reference & kTombstone) == 0;',
    replace: 'return reference != 0;',
  },
  {
    name: 'tag-kept-on-delete',
    why: 'a dead slot keeps looking like a candidate',
    file: 'core/index/bucket.h',
    find: '    region_->StoreRelease(at_ + kBucketSlots + slot, rest);\n    SetTag(slot, 0);',
    replace: '    region_->StoreRelease(at_ + kBucketSlots + slot, rest);',
  },
  {
    name: 'overflow-not-raised',
    why: 'a key in the neighbour or the stash is never looked for',
    file: 'core/write/structural.cc',
    find: 'if (index != home_index) RaiseOverflow(&home, index);',
    replace: 'if (index > kAllBuckets) RaiseOverflow(&home, index);',
  },
  {
    name: 'twin-without-versions',
    why: 'entry versions start again in the new segment, and repeat for a key',
    file: 'core/write/split.cc',
    find: 'region.Store(target.at() + kBucketVersion, region.Load(source.at() + kBucketVersion));',
    replace: 'region.Store(target.at() + kBucketVersion, 1);',
  },
  {
    name: 'size-not-counted',
    why: 'size drifts from the number of entries',
    file: 'core/write/cleanup.cc',
    find: '  core.thread.AddSize(~Word{0});\n',
    replace: '',
  },
  {
    name: 'no-reclaim-of-displaced',
    why: 'the block behind a reused tombstone is leaked',
    file: 'core/write/write.cc',
    find: '  if (change.displaced != 0) FreeEntry(core, change.displaced & ~kTombstone);\n',
    replace: '',
  },
  {
    name: 'epoch-not-raised',
    why: 'entry versions repeat once a bucket version wraps',
    file: 'core/index/bucket.h',
    find: 'if (next == 0) region_->Store(at_ + kBucketEpoch, region_->Load(at_ + kBucketEpoch) + 1);',
    replace: '',
  },
  {
    name: 'snapshot-trusts-old-copies',
    why: 'a snapshot has what was overwritten between the copy made ahead and the instant',
    file: 'core/walk/snapshot.cc',
    find: 'if (bucket.ReloadVersion() != entries.version + 1) {',
    replace: 'if (entries.version == kNotCopied) {',
  },
  {
    name: 'hold-without-room',
    why: 'a held insert may find no room, with user code already run',
    file: 'core/write/structural.cc',
    find: 'if (wants_room && !sighting.found() && status == Status::kAbsent && !HasLastingRoom(core, location, home)) {',
    replace: 'if (false) {',
  },
  {
    name: 'lease-not-lapsed',
    why: 'a value older than a deletion is stored',
    file: 'core/write/write.cc',
    find: '    Lapse(core.region, change->previous, change->home);\n',
    replace: '',
  },
  {
    name: 'clear-leaves-leases',
    why: 'a value older than a clear is stored',
    file: 'core/write/cleanup.cc',
    find: 'if (header.value_kind() == kValueLease) {',
    replace: 'if (false) {',
  },
  {
    name: 'lapse-without-version',
    why: 'a value older than a deletion is stored',
    file: 'core/index/lease.h',
    find: '  region.StoreRelease(at + kEntryVersion, static_cast<Word>(version));\n',
    replace: '',
  },
  {
    name: 'lease-counted',
    why: 'size counts what is not there',
    file: 'core/write/write.cc',
    find: 'change->size_delta = Word{edit.leaves_value()} - Word{counted};',
    replace: 'change->size_delta = Word{edit.leaves_value() || edit.puts_lease} - Word{counted};',
  },
  {
    name: 'counter-turned-before-written',
    why: 'readers meet a sum that is half written, or an older one',
    file: 'core/index/counter.h',
    find: '  region.CopyIn(second ?',
    replace:
      '  region.StoreRelease(at + kEntryMeta, header.meta ^ kEntrySecondCell);\n' +
      '  for (volatile int i = 0; i < 200; i = i + 1) {}\n' +
      '  region.CopyIn(second ?',
  },
  {
    name: 'counter-written-where-it-is-read',
    why: 'readers meet a sum that is half written, or with the version of another',
    file: 'core/index/counter.h',
    find: 'const bool second = !header.in_second_cell();',
    replace: 'const bool second = header.in_second_cell();',
    also: { find: 'header.meta ^ kEntrySecondCell', replace: 'header.meta' },
  },
  {
    name: 'counter-version-read-first',
    why: 'a reader that meets the turn of the cells returns the new sum with the version of the one before the last',
    file: 'core/index/entry.h',
    find: '    header.version = LoadEntryVersion(region, at + header.version_offset()) & kVersionMask;\n',
    replace:
      '    if (header.in_second_cell()) {\n      header.version = LoadEntryVersion(region, at + header.version_offset()) & kVersionMask;\n    }\n',
    // Writers look at the header under their hold, too, so that all is slower alike.
    also: {
      find: '  const Word meta = region.LoadAcquire(at + kEntryMeta);\n',
      replace:
        '  for (volatile int i = 0; i < 300; i = i + 1) {}\n  const Word meta = region.LoadAcquire(at + kEntryMeta);\n',
    },
  },
  {
    name: 'recent-counter-believed',
    why: 'an increment goes on with a counter that was deleted',
    file: 'core/write/increment.cc',
    find: 'if (home.Slot(counter.slot) != counter.block || !EntryMatches(',
    replace: 'if (!EntryMatches(',
  },
  {
    name: 'counter-version-kept',
    why: 'a write on condition of a version overwrites increments',
    file: 'core/index/counter.h',
    find: '  region.Store(version_at, static_cast<Word>(version));\n',
    replace: '',
  },
  {
    name: 'mutex-waits-not-counted',
    why: 'writers that queue for one mutex never find relief',
    file: 'core/write/structural.cc',
    find: 'if (segment != 0 && core.region.Load(WordOf(segment) + kSegmentMutex) != 0) MeetContention(core, edit, segment);',
    replace: '(void)segment;',
  },
  {
    name: 'free-run-unbounded',
    why: 'joining with a free run whose length is damaged writes behind the page table',
    file: 'core/memory/heap.cc',
    find: '  return pages <= page_count_ - page ? pages : 0;',
    replace: '  return pages;',
  },
  {
    name: 'takeover-loses-tombstones',
    why: 'blocks leak, and a segment counts tombstones that are gone',
    file: 'core/write/restructure.cc',
    find: '  from->Vacate(slot, displaced);\n',
    replace: '  (void)displaced;\n  from->Vacate(slot, 0);\n',
  },
  {
    name: 'takeover-believes-directory',
    why: 'a takeover in a damaged region reads outside it',
    file: 'core/threads/takeover.cc',
    find: '    if (!region_.Contains(directory, kDirectoryEntries)) return 0;\n',
    replace: '',
  },
  {
    name: 'cached-walk-unbounded',
    why: 'a takeover walks a damaged list for minutes',
    file: 'core/threads/owners.cc',
    find: 'kMostUncounted = 1024;',
    replace: 'kMostUncounted = 1 << 20;',
  },
  {
    name: 'repair-believes-span',
    why: 'a repair of a damaged region gives away what lies outside the heap',
    file: 'core/check/repair.cc',
    find: '    if (run != SpanPages(size_class)) return false;',
    replace: '    if (run == 0) return false;',
  },
  {
    name: 'directory-depth-believed',
    why: 'a split of a segment that is deeper than the directory writes outside the directory',
    file: 'core/index/directory.cc',
    find: 'if (directory.block == 0 || directory.depth < depth) return false;',
    replace: '',
    also: {
      find: 'const std::size_t count = std::size_t{1} << (directory.depth - depth);',
      replace: 'const std::size_t count = 1;',
    },
  },
  {
    name: 'snapshot-without-budget',
    why: 'references to one long entry make a snapshot take hundreds of times the memory of the region',
    file: 'core/walk/snapshot.cc',
    find: '  if (total > copied->budget) return Status::kFull;\n',
    replace: '',
  },
  {
    name: 'expiry-ignored-by-lookup',
    why: 'an expired value is returned',
    file: 'core/index/lookup.cc',
    find: 'expired = HasExpired(core.region, expires_at);',
    replace: 'expired = false;',
  },
  {
    name: 'expiry-ignored-by-writes',
    why: 'a write on condition that there is no entry meets an expired one',
    file: 'core/write/write.cc',
    find: 'const bool expired = HasExpired(core.region, expires_at);',
    replace: 'const bool expired = false;',
  },
  {
    name: 'sweep-trusts-the-hint',
    why: 'an entry that was rewritten, with a new expiry, is deleted with those that have expired',
    file: 'core/write/cleanup.cc',
    find: 'if (expires_at <= now) {',
    replace: 'if (expires_at > 0) {',
  },
  {
    name: 'sweep-before-holding',
    why: 'an entry is deleted that was rewritten since the sweeper looked at it',
    file: 'core/write/cleanup.cc',
    find: '  if (!HoldSegment(core, segment)) return std::nullopt;\n  Unlinked unlinked;\n  SweepTombstones(core, segment, &unlinked);\n  SweepExpired(core, segment, &unlinked);\n',
    replace:
      '  Unlinked unlinked;\n  SweepExpired(core, segment, &unlinked);\n  if (!HoldSegment(core, segment)) return std::nullopt;\n  SweepTombstones(core, segment, &unlinked);\n',
  },
  {
    name: 'hint-lost-in-split',
    why: 'entries that moved in a split are never swept',
    file: 'core/write/split.cc',
    find: 'region.Store(to + kSegmentExpiry, region.Load(from + kSegmentExpiry));',
    replace: '',
  },
  {
    name: 'hint-not-lowered',
    why: 'entries that expire are never swept',
    file: 'core/write/write.cc',
    find: '  if (edit.kept_until != kNever) LowerExpiryHint(core.region, change->segment, edit.kept_until);\n',
    replace: '',
  },
  {
    name: 'increment-renews',
    why: 'a counter in constant use never expires',
    file: 'core/write/increment.cc',
    find: 'if (!edit->renews()) expires_at = ExpiryOf(core.region, current, header);\n',
    replace: '',
  },
  {
    name: 'renewed-in-place',
    why: 'a counter that is renewed expires all the same',
    file: 'core/write/increment.cc',
    find: 'edit->in_place = header.is_counter() && !edit->renews();',
    replace: 'edit->in_place = header.is_counter();',
  },
  {
    name: 'increment-regardless',
    why: 'a decrement of a counter that has expired begins a new one below 0',
    file: 'core/write/increment.cc',
    find: 'Edit edit{Edit::Kind::kIncrement, key, mode, 0, by};',
    replace: 'Edit edit{Edit::Kind::kIncrement, key, mode & kRenewExpiry, 0, by};',
  },
  {
    name: 'increment-tells-the-expiry-given',
    why: 'a count comes with the end of another window',
    file: 'core/write/increment.cc',
    find: 'core.outcome->expires_at = expires_at;',
    replace: 'core.outcome->expires_at = edit->expiry_given;',
  },
  {
    name: 'coarse-clock',
    why: 'who writes and who reads go by clocks that are apart',
    file: 'core/base/monotonic.h',
    find: 'static_cast<double>(time.tv_nsec) / 1e6;',
    replace: "static_cast<double>(time.tv_nsec / 4'000'000 * 4);",
  },
  {
    name: 'value-length-not-verified',
    why: 'verify() finds nothing wrong with a number of another length than 8',
    file: 'core/check/verify_entry.cc',
    find: 'if (!IsValueLength(header.value_kind(), header.value_length)) {',
    replace: 'if (false) {',
  },
  {
    name: 'key-form-not-verified',
    why: 'verify() finds nothing wrong with a key that nobody can look up',
    file: 'core/check/verify_entry.cc',
    find: 'if (!IsKey(kind, key, length)) {',
    replace: 'if (false) {',
  },
  {
    name: 'key-padding-not-verified',
    why: 'verify() finds nothing wrong with bytes behind a key',
    file: 'core/check/verify_entry.cc',
    find: 'if (!key.empty() && !IsPadded(key.back(), length)) {',
    replace: 'if (false) {',
  },
  {
    name: 'value-padding-not-verified',
    why: 'verify() finds nothing wrong with bytes behind a value',
    file: 'core/check/verify_entry.cc',
    find: 'if (!IsPadded(region.Load(last), header.value_length)) {',
    replace: 'if (false) {',
  },
  {
    name: 'counter-not-verified',
    why: 'verify() finds nothing wrong with a counter whose value leads out of it',
    file: 'core/check/verify_entry.cc',
    find: 'if (header.is_counter() && header.value_kind() != kValueNumber) {',
    replace: 'if (false) {',
  },
  {
    name: 'native-wait-not-announced',
    why: 'who ends a load does not know that others wait',
    file: 'core/threads/waits.cc',
    find: 'region.SetBits(at, 1) | 1;',
    replace: 'region.Load(at) | 1;',
  },
  {
    name: 'native-end-of-load-wakes-nobody',
    why: 'a waiting call learns the end at its next look',
    file: 'core/write/write.cc',
    find: 'if (edit.meets_lease) [[unlikely]] {',
    replace: 'if (edit.meets_lease && edit.met_node != 0) [[unlikely]] {',
  },
  {
    name: 'native-clear-wakes-nobody',
    why: 'a value that a clear overtook is waited for by its old version',
    file: 'core/write/cleanup.cc',
    find: 'if (has_leases) WakeAllWaiting(',
    replace: 'if (has_leases && location.segment == 0) WakeAllWaiting(',
  },
  {
    name: 'native-end-of-engine-wakes-nobody',
    why: 'the end of a thread that loads is seen at the next look only',
    file: 'core/engine.cc',
    find: '  WakeAllWaiting(core_.region, core_.waker);\n',
    replace: '',
  },
  {
    name: 'native-woken-word-not-changed',
    why: 'a thread that is about to sleep does not see that it was woken',
    file: 'core/threads/waits.cc',
    find: '!region.CompareAndSwap(at, value, value + 1)) return;',
    replace: '!region.CompareAndSwap(at, value, value)) return;',
  },
  {
    name: 'native-bell-not-changed',
    why: 'a process that is about to sleep at the bell does not see that it was rung',
    file: 'core/threads/waits.cc',
    find: '  region.Add(kHeaderBell, 1);\n',
    replace: '',
  },
  {
    name: 'last-page-without-a-descriptor',
    why: 'in regions of some sizes the descriptor of the last page lies in the first segment',
    file: 'core/base/geometry.h',
    find: 'std::min(left / kPageBytes - table_pages, table_pages * kPageBytes / kPageEntryBytes)',
    replace: 'left / kPageBytes - table_pages',
  },
]
