/** Sabotages of how the C++ engine moves entries. native/test/compaction_test.cc must go red for each. */
export const mutants = [
  {
    name: 'moved-block-freed-before-the-swap',
    why: 'a reader meets a block that is free while the version is still the old one',
    file: 'core/write/move.cc',
    find: '  core.thread.Claim(home.block());\n',
    replace: `  // Does what a thread that got the block would do.
  for (int i = 0; i < 50; ++i) core.region.CopyWithin(WordOf(copy) + 2, WordOf(block), words - 2);
  core.thread.Claim(home.block());
`,
  },
  {
    name: 'moved-without-a-new-version',
    why: 'a reader in the old block is not told that it was freed meanwhile',
    file: 'core/write/move.cc',
    find: '    home.Replace(holder->slot, copy);\n    home.Release();\n',
    replace: '    home.Replace(holder->slot, copy);\n    core.region.StoreRelease(home.at(), version);\n',
  },
  {
    name: 'copy-older-than-the-entry',
    why: 'what a counter counted while it was copied is lost',
    file: 'core/write/move.cc',
    find: '  const bool held = home.TryHold(version);\n',
    replace: `  for (int i = 0; i < 20000; ++i) home.ReloadVersion();
  const bool held = home.Slot(holder->slot) == block && HoldBucket(core, &home);
`,
  },
  {
    name: 'moved-without-its-node',
    why: 'an entry of a cache that was moved is never evicted',
    file: 'core/write/move.cc',
    find: '  core.region.CopyWithin(WordOf(block), WordOf(copy), words);\n',
    replace:
      '  core.region.CopyWithin(WordOf(block), WordOf(copy), words);\n  core.region.Store(WordOf(copy) + kEntryNode, 0);\n',
  },
  {
    name: 'moved-with-another-version',
    why: 'a write on condition of the version fails although nobody wrote',
    file: 'core/write/move.cc',
    find: '  core.region.CopyWithin(WordOf(block), WordOf(copy), words);\n',
    replace: `  core.region.CopyWithin(WordOf(block), WordOf(copy), words);
  core.region.Store(WordOf(copy) + kEntryVersion, core.region.Load(WordOf(copy) + kEntryVersion) - 1);
`,
  },
  {
    name: 'moved-without-its-last-words',
    why: 'the end of the value or the expiry is not copied',
    file: 'core/write/move.cc',
    find: '  core.region.CopyWithin(WordOf(block), WordOf(copy), words);\n',
    replace: '  core.region.CopyWithin(WordOf(block), WordOf(copy), words - 2);\n',
  },
  {
    name: 'spilled-entries-stay',
    why: 'one entry that is not in its home keeps a span',
    file: 'core/write/move.cc',
    find: '  const Outcome outcome = *core.outcome;\n',
    replace: '  return Move::kBusy;\n  const Outcome outcome = *core.outcome;\n',
  },
  {
    name: 'emptied-span-still-listed',
    why: 'pages that became a free run are still in the list of spans with room',
    file: 'core/memory/heap.cc',
    find: '  if (HasRoom(page, size_class)) Unlink(PartialList(size_class), page);\n  SetField(page, kPageClosed, 1);\n',
    replace: '  SetField(page, kPageClosed, 1);\n',
  },
  {
    name: 'segments-among-entries',
    why: 'segments that never move lie in every long run',
    file: 'core/memory/heap.cc',
    find: '  if (place == Place::kFixed) return AllocateFixedRun(pages, failure);\n',
    replace: '',
  },
  {
    name: 'pages-left-between',
    why: 'pages too few for anything are left between those that were emptied',
    file: 'core/memory/survey.cc',
    find: '    if (!found && cost <= most) found = range;\n',
    replace: '    if (cost == least) found = range;\n',
  },
  {
    name: 'recall-not-heeded',
    why: 'blocks in the lists of other threads keep their spans for ever',
    file: 'core/memory/free_lists.cc',
    find: '  recall_ = region_.Load(kHeaderRecall);\n  Flush();\n',
    replace: '  recall_ = region_.Load(kHeaderRecall);\n',
  },
  {
    name: 'nothing-is-moved',
    why: 'a map in which little is left has no room for large entries',
    file: 'core/write/compaction.cc',
    find: '      const std::optional<PageRange> range = survey.Find(pages, place);\n',
    replace: '      const std::optional<PageRange> range;\n',
  },
  {
    name: 'reclaims-everything-at-once',
    why: 'one call cleans up the whole map for a single block',
    file: 'core/write/write.cc',
    find: '    round.GoOn(wanted, looks);\n',
    replace: '    round.GoOn(~std::size_t{0} >> 1);\n',
  },
  {
    name: 'tombstones-in-a-full-map',
    why: 'the next call that wants memory has to look for what deletions left, in every segment',
    file: 'core/write/write.cc',
    find: '        !core.blocks.is_tight() && ReadHeader',
    replace: '        ReadHeader',
  },
  {
    name: 'emptied-tombstones-still-counted',
    why: 'cleanups are done for tombstones that are not there',
    file: 'core/write/tombstones.cc',
    find: '  core.region.Add(WordOf(location.segment) + kSegmentTombstones, 0 - count);\n',
    replace: '',
  },
  {
    name: 'idle-span-stays-in-the-list',
    why: 'pages without a used block are kept from other sizes, and to find them every span is looked at',
    file: 'core/memory/heap.cc',
    find: '    ReleaseIdle(size_class);\n    Link(list, page);\n',
    replace: '    Link(list, page);\n',
  },
  {
    name: 'moved-blocks-kept-by-the-mover',
    why: 'the blocks that entries left go to the list from which copies are taken, so the span is never empty',
    file: 'core/write/move.cc',
    find: '    core.blocks.FreeMoved(block);\n',
    replace: '    core.blocks.Free(block, words * sizeof(Word));\n',
  },
]
