/**
 * Sabotages of how the C++ engine joins segments and gives back what departs. native/test/join_test.cc
 * must go red for each; what concerns deaths is in death.js.
 */
export const mutants = [
  {
    name: 'upper-half-emptied-before-the-directory-turns',
    why: 'a reader that the directory leads to the upper half misses its keys',
    file: 'core/write/join.cc',
    find: '    TakeOverWords();\n',
    replace: `    ForEachUpper([this](std::uint32_t i, std::uint32_t slot, Block) { core_.BucketAt(upper_, i).Vacate(slot, 0); });
    for (int i = 0; i < 20000; ++i) region_.Load(kHeaderDirectory);
    TakeOverWords();
`,
  },
  {
    name: 'joined-versions-kept',
    why: 'versions of keys of the upper half come back',
    file: 'core/write/join.cc',
    find: '      if (version > lower.ReloadVersion()) region_.StoreRelease(lower.at() + kBucketVersion, version);\n',
    replace: '      static_cast<void>(version);\n',
  },
  {
    name: 'given-back-at-once',
    why: 'threads still look at what was given back',
    file: 'core/write/departures.cc',
    find: '    if (!HaveAllHeeded(region)) break;\n',
    replace: '',
  },
  {
    name: 'departures-not-heeded',
    why: 'nothing is ever given back',
    file: 'core/write/departures.h',
    find: '    core.thread.HeedDepartures(departures);\n',
    replace: '',
  },
  {
    name: 'hot-segments-joined',
    why: 'a hot segment is split and joined for ever',
    file: 'core/write/join.cc',
    find: '  if (reason == JoinFor::kTidiness && (WasParted(core, lower) || WasParted(core, upper))) return std::nullopt;\n',
    replace: '',
  },
  {
    name: 'overflow-of-a-join-not-marked',
    why: 'keys that found no room at home are not found',
    file: 'core/write/join.cc',
    find: '      home.SetOverflow(overflow);\n',
    replace: '',
  },
  {
    name: 'cleared-halves-stay',
    why: 'a cleared map keeps its segments',
    file: 'core/write/cleanup.cc',
    find: '    JoinAround(core, static_cast<std::uint32_t>(hash), JoinFor::kRoom);\n',
    replace: '',
  },
  {
    name: 'sweeps-join-nothing',
    why: 'a cache of which nearly everything has expired keeps its segments',
    file: 'core/write/cleanup.cc',
    find: '    if (JoinHalves(core, static_cast<std::uint32_t>(from_hash), JoinFor::kTidiness)) {\n',
    replace: '    if (false) {\n',
  },
  {
    name: 'chunks-kept',
    why: 'a cleared cache keeps the nodes of all that it held',
    file: 'core/eviction/queues.cc',
    find: '  nodes_.DropIdleChunks(entries_);\n',
    replace: '',
  },
  {
    name: 'snapshot-of-vanished-segments',
    why: 'a snapshot in steps has entries of a segment that vanished since, twice or deleted',
    file: 'core/walk/snapshot.cc',
    find: '  for (const auto& [segment, copy] : copies) DiscardAll(copy);\n',
    replace: '',
  },
  {
    name: 'segment-in-a-snapshot-twice',
    why: 'a snapshot has keys twice: a segment took its buddy in while the first pass was between the two',
    file: 'core/walk/snapshot.cc',
    find: 'if (!copies.emplace(copy.segment, &copy).second) DiscardAll(&copy);',
    replace: 'copies.emplace(copy.segment, &copy);',
  },
]
