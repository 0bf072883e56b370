#include "check/verify.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "check/verify_entry.h"
#include "check/verify_eviction.h"
#include "check/verify_shapes.h"
#include "feed/feed.h"
#include "index/bucket.h"
#include "index/directory.h"
#include "index/expiry.h"
#include "index/lease.h"
#include "memory/heap.h"
#include "threads/thread_record.h"

namespace mapsafe {

namespace {

constexpr std::size_t kMaxProblems = 100;

class Verifier {
 public:
  Verifier(Region region, HashSecret secret)
      : region_(region),
        secret_(secret),
        heap_(region),
        eviction_(
            region, [this](Block block, std::size_t pages, const char* what) { return UsePages(block, pages, what); },
            [this](const std::string& problem) { Problem(problem); }) {}

  std::vector<std::string> Run() {
    CheckHeader();
    eviction_.Run();
    ShapeAudit(
        region_, [this](Block block, std::size_t bytes, const char* what) { return Use(block, bytes, what); },
        [this](const std::string& problem) { Problem(problem); })
        .Run();
    CheckLabelTables();
    CheckDirectory();
    CheckFeed();
    CheckDepartures();
    CheckSize();
    CheckPages();
    CheckFreeLists();
    CheckAccounts();
    return problems_;
  }

 private:
  template <typename... Parts>
  void Problem(const Parts&... parts) {
    if (problems_.size() >= kMaxProblems) return;
    std::ostringstream text;
    (text << ... << parts);
    problems_.push_back(text.str());
  }

  // Notes that a structure of `bytes` bytes begins at `block`. Returns false if it should not be examined, because it
  // already was or because there are more structures than the region holds. So the walk is bounded by the region's
  // size, even if structures overlap.
  bool Use(Block block, std::size_t bytes, const char* what) {
    if (!used_.emplace(block, bytes).second) {
      Problem(what, " at block ", block, ": the block is used twice");
      return false;
    }
    const std::string_view use = what;
    if (heap_.IsReserved(block) && use != "entry" && use != "tombstone") {
      Problem(what, " at block ", block, ": lies in the reserve");
    }
    used_bytes_ += bytes;
    if (used_bytes_ <= region_.bytes()) return true;
    Problem(what, " at block ", block, ": more is used than the region holds");
    return false;
  }

  // Like Use, for a run of pages, however short.
  bool UsePages(Block block, std::size_t pages, const char* what) {
    runs_.insert(block);
    return Use(block, pages * kPageBytes, what);
  }

  void CheckHeader() {
    if (region_.Load(kHeaderBlockCount) != region_.block_count() || region_.Load(kHeaderPageTable) != kPageTableBlock ||
        region_.Load(kHeaderPageCount) != heap_.page_count() || region_.Load(kHeaderHeap) != heap_.BlockOf(0)) {
      Problem("header: not of a region of ", region_.block_count(), " blocks");
    }
  }

  void CheckLabelTables() {
    bool any = false;
    for (std::uint32_t level = 0; level < kLabelLevels; ++level) {
      const Block table = region_.Load(kHeaderLabelTables + level);
      if (table == 0) continue;
      any = true;
      const std::size_t bytes = LabelTableBytes(level);
      if (!region_.Contains(table, bytes / sizeof(Word))) {
        Problem("label table ", level, ": block ", table, " outside");
        continue;
      }
      if (Use(table, bytes, "label table")) label_tables_.push_back({WordOf(table), bytes / sizeof(Word), level != 0});
    }
    if (any && (region_.Load(kHeaderFeatures) & kFeatureLabels) == 0)
      Problem("header: label tables, but not the feature");
  }

  // Whether a word is the generation of a label.
  bool IsGeneration(WordIndex word) const {
    return std::any_of(label_tables_.begin(), label_tables_.end(), [word](const LabelTable& table) {
      return word >= table.at && word - table.at < table.words &&
             (!table.has_slots || (word - table.at) % kLabelSlotWords == kLabelGeneration);
    });
  }

  void CheckLabels(Block entry, const EntryHeader& header) {
    if (header.label_count > kMaxEntryLabels) Problem("entry ", entry, ": ", header.label_count, " labels");
    for (std::uint32_t i = 0; i < header.label_count; ++i) {
      const Word generation = region_.Load(WordOf(entry) + header.labels_offset() + i * kLabelWords);
      if (!IsGeneration(generation)) Problem("entry ", entry, ": no label has its generation at word ", generation);
    }
  }

  void CheckDirectory() {
    const Block directory = region_.Load(kHeaderDirectory);
    if (!region_.Contains(directory, kDirectoryEntries)) return Problem("directory: block ", directory, " outside");
    const Word depth = region_.Load(WordOf(directory) + kDirectoryDepth);
    if (depth > kMaxDepth || !region_.Contains(directory, DirectoryBytes(depth) / sizeof(Word))) {
      return Problem("directory: depth ", depth);
    }
    Word older = kMaxDepth + 1;
    for (Block array = directory; array != 0; array = region_.Load(WordOf(array) + kDirectoryPrevious)) {
      if (!region_.Contains(array, kDirectoryEntries)) return Problem("directory: previous block ", array, " outside");
      const Word array_depth = region_.Load(WordOf(array) + kDirectoryDepth);
      if (array_depth >= older) return Problem("directory: depth ", array_depth, " before ", older);
      if (!Use(array, DirectoryBytes(array_depth), "directory")) break;
      older = array_depth;
    }
    const WordIndex entries = WordOf(directory) + kDirectoryEntries;
    std::size_t segments = 0;
    for (std::size_t i = 0; i < std::size_t{1} << depth;) {
      const Block segment = region_.Load(entries + i);
      if (!region_.Contains(segment, kSegmentWords)) return Problem("directory entry ", i, ": segment ", segment);
      const Word local = region_.Load(WordOf(segment) + kSegmentDepth);
      const Word prefix = region_.Load(WordOf(segment) + kSegmentPrefix);
      if (local > depth) return Problem("segment ", segment, ": depth ", local, " above the directory's ", depth);
      const std::size_t width = std::size_t{1} << (depth - local);
      if (TopBits(prefix, depth) != i) Problem("segment ", segment, ": prefix ", prefix, " at directory entry ", i);
      for (std::size_t j = i; j < i + width && j < std::size_t{1} << depth; ++j) {
        if (region_.Load(entries + j) != segment) Problem("directory entry ", j, ": not segment ", segment);
      }
      ++segments;
      CheckSegment(segment, local, prefix);
      i += width;
    }
    if (segments != region_.Load(kHeaderSegmentCount)) {
      Problem("header: ", region_.Load(kHeaderSegmentCount), " segments, found ", segments);
    }
  }

  void CheckFeed() {
    const Block ring = region_.Load(kHeaderFeed);
    if (ring == 0) return;
    if (FeedRing(region_) == 0) return Problem("feed: block ", ring, " outside");
    Use(ring, FeedBytes(region_), "feed");
    if (region_.Load(kHeaderFeedMutex) != 0) Problem("feed: mutex held");
    if (region_.Load(kHeaderFeedReserved) - region_.Load(kHeaderFeedHead) > FeedBytes(region_) / kBlockBytes) {
      Problem("feed: more is reserved than there is");
    }
  }

  // What waits for all threads to look away. Its block is used, and nothing else of it matters.
  void CheckDepartures() {
    for (const WordIndex list : {kHeaderGoneSegments, kHeaderLeavingSegments}) {
      for (Block segment = region_.Load(list); segment != 0; segment = region_.Load(WordOf(segment) + kSegmentNext)) {
        if (!region_.Contains(segment, kSegmentWords)) return Problem("gone segment: block ", segment, " outside");
        if (!Use(segment, kSegmentBytes, "gone segment")) return;
        if (region_.Load(WordOf(segment) + kSegmentMutex) != 0) Problem("gone segment ", segment, ": mutex held");
      }
    }
    for (const WordIndex list : {kHeaderGoneChunks, kHeaderLeavingChunks}) {
      for (Block chunk = region_.Load(list); chunk != 0; chunk = region_.Load(WordOf(chunk) + kChunkNext)) {
        const std::size_t bytes =
            region_.Contains(chunk, 2) ? (std::size_t{region_.Load(WordOf(chunk) + kChunkNodes)} + 1) * kNodeBytes : 0;
        if (bytes == 0 || !region_.Contains(chunk, bytes / sizeof(Word))) {
          return Problem("gone chunk: block ", chunk, " outside");
        }
        if (!UsePages(chunk, bytes / kPageBytes, "gone chunk")) return;
      }
    }
  }

  void CheckSegment(Block segment, Word depth, Word prefix) {
    if (!Use(segment, kSegmentBytes, "segment")) return;
    const WordIndex at = WordOf(segment);
    if (region_.Load(at + kSegmentMutex) != 0) Problem("segment ", segment, ": mutex held");
    if ((region_.Load(at + kSegmentMoves) & 1) != 0) Problem("segment ", segment, ": moves odd");
    std::uint32_t tombstones = 0;
    std::array<Overflow, kHomeBuckets> overflows{};
    std::set<std::vector<Word>> keys;
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      const Bucket bucket(region_, at + kSegmentBuckets + std::size_t{i} * kBucketWords);
      if ((bucket.LoadVersion() & 1) != 0) Problem("segment ", segment, " bucket ", i, ": version odd");
      for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
        const Word reference = bucket.Slot(slot);
        const bool live = IsLive(reference);
        if (!live && bucket.Tag(slot) != 0) Problem("segment ", segment, " bucket ", i, ": tag on a dead slot ", slot);
        if (reference == 0) continue;
        const Block entry = reference & ~kTombstone;
        if (!region_.Contains(entry, kEntryData) || !region_.Contains(entry, ReadHeader(region_, entry).words())) {
          Problem("segment ", segment, " bucket ", i, " slot ", slot, ": entry ", entry, " outside");
          continue;
        }
        const bool is_new = Use(entry, ReadHeader(region_, entry).bytes(), live ? "entry" : "tombstone");
        if (!live) {
          ++tombstones;
          continue;
        }
        if (!IsLeaseKind(ReadHeader(region_, entry).value_kind())) {
          ++live_;
          eviction_.CheckEntry(entry);
        }
        if (!is_new) continue;
        CheckEntry(segment, depth, prefix, i, bucket.Tag(slot), entry, &overflows, &keys);
      }
    }
    if (region_.Load(at + kSegmentTombstones) != tombstones) {
      Problem("segment ", segment, ": ", region_.Load(at + kSegmentTombstones), " tombstones counted, found ",
              tombstones);
    }
    for (std::uint32_t i = 0; i < kHomeBuckets; ++i) {
      const Overflow mark = Bucket(region_, at + kSegmentBuckets + std::size_t{i} * kBucketWords).overflow();
      if (mark.neighbour < overflows[i].neighbour || mark.stash < std::min(overflows[i].stash, kStashSaturated)) {
        Problem("segment ", segment, " bucket ", i, ": overflow mark ", mark.neighbour, "/", mark.stash, ", found ",
                overflows[i].neighbour, "/", overflows[i].stash);
      }
    }
  }

  void CheckEntry(Block segment, Word depth, Word prefix, std::uint32_t index, std::uint32_t tag, Block entry,
                  std::array<Overflow, kHomeBuckets>* overflows, std::set<std::vector<Word>>* keys) {
    const EntryHeader header = ReadHeader(region_, entry);
    const std::uint32_t home = HomeOf(header.hash);
    CheckHint(segment, entry, header);
    CheckLabels(entry, header);
    if (TopBits(header.hash, depth) != TopBits(prefix, depth)) Problem("entry ", entry, ": not of segment ", segment);
    if (tag != TagOf(header.hash)) Problem("entry ", entry, ": tag ", tag, " for hash ", header.hash);
    if (index >= kHomeBuckets) {
      ++(*overflows)[home].stash;
    } else if (index == NeighbourOf(home)) {
      ++(*overflows)[home].neighbour;
    } else if (index != home) {
      Problem("entry ", entry, ": in bucket ", index, ", home ", home);
    }
    const Bucket bucket(region_, WordOf(segment) + kSegmentBuckets + std::size_t{home} * kBucketWords);
    const Word version = bucket.LoadVersion();
    if (header.version == 0 || header.version > (bucket.EntryVersionAfter(version - 1))) {
      Problem("entry ", entry, ": version ", header.version, " ahead of its bucket's ", version);
    }
    std::vector<Word> key = KeyOf(region_, entry, header);
    for (const std::string& problem : ProblemsOfEntry(region_, secret_, entry, header, key)) {
      Problem("entry ", entry, ": ", problem);
    }
    key.push_back(header.meta & kKeyMetaMask);
    if (!keys->insert(std::move(key)).second) Problem("entry ", entry, ": a key twice in segment ", segment);
  }

  void CheckHint(Block segment, Block entry, const EntryHeader& header) {
    if (header.label_count != 0 && region_.Load(WordOf(segment) + kSegmentLabelled) == 0) {
      Problem("segment ", segment, ": no note of labels, but entry ", entry, " has ", header.label_count);
    }
    if (!header.expires()) return;
    const Word tick = ExpiryTick(WasToBeKeptUntil(region_, entry, header));
    const Word hint = region_.Load(WordOf(segment) + kSegmentExpiry);
    if (tick != 0 && (hint == 0 || hint > tick)) {
      Problem("segment ", segment, ": hint ", hint, " for an entry that expires at tick ", tick);
    }
  }

  void CheckSize() {
    Word size = 0;
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) size += region_.Load(ThreadRecord::At(i) + kThreadSizeDelta);
    if (size != live_) Problem("size: records say ", size, ", found ", live_, " entries");
  }

  void CheckPages() {
    const Word top = region_.Load(kHeaderHeapTop);
    if (top > heap_.page_count()) return Problem("heap: top ", top, " of ", heap_.page_count(), " pages");
    if (region_.Load(kHeaderHeapMutex) != 0) Problem("heap: mutex held");
    if (region_.Load(kHeaderJournalLength) != 0) Problem("heap: a change was not finished");
    if (region_.Load(kHeaderDirectoryMutex) != 0) Problem("directory: mutex held");
    std::size_t in_use = 0;
    bool after_free = false;
    for (Page page = 0; page < top;) {
      const Word kind = region_.Load(heap_.Descriptor(page) + kPageKind) & 0xff;
      const Word run = region_.Load(heap_.Descriptor(page) + kPageRun);
      if ((kind != kPageFreeRun && kind != kPageSpan && kind != kPageLargeRun) || run == 0 || run > top - page) {
        return Problem("page ", page, ": kind ", kind, ", run ", run);
      }
      const bool free = kind == kPageFreeRun;
      if (free && after_free) Problem("page ", page, ": two free runs touch");
      if (free) free_runs_.insert(page);
      if (kind == kPageSpan) CheckSpan(page);
      if (kind == kPageLargeRun) large_runs_.emplace(heap_.BlockOf(page));
      if (!free) in_use += run;
      after_free = free;
      page += run;
    }
    if (after_free) Problem("heap: a free run touches the top");
    if (in_use != region_.Load(kHeaderPagesInUse)) {
      Problem("heap: ", region_.Load(kHeaderPagesInUse), " pages in use counted, found ", in_use);
    }
  }

  void CheckSpan(Page page) {
    const WordIndex at = heap_.Descriptor(page);
    const Word size_class = region_.Load(at + kPageKind) >> kPageClassShift;
    if (size_class >= kSizeClasses) return Problem("page ", page, ": size class ", size_class);
    if (region_.Load(at + kPageRun) != SpanPages(size_class)) return Problem("page ", page, ": no span of its class");
    const Word carved = region_.Load(at + kPageCarved);
    if (carved > SpanCapacity(size_class)) return Problem("page ", page, ": ", carved, " blocks carved");
    for (Word i = 0; i < carved; ++i) carved_.emplace(heap_.BlockOf(page) + i * ClassBlocks(size_class), size_class);
    Block block = region_.Load(at + kPageFreeHead);
    for (Word left = region_.Load(at + kPageFreeCount); left > 0; --left) {
      if (!AddFree(block, size_class, "span")) return;
      block = region_.Load(WordOf(block));
    }
    const bool has_room = region_.Load(at + kPageFreeCount) > 0 || carved < SpanCapacity(size_class);
    if (region_.Load(at + kPageClosed) != 0) return CheckClosed(page);
    if (has_room) spans_with_room_.insert(page);
  }

  // A closed span is opened by the thread whose record names it.
  void CheckClosed(Page page) {
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      if (region_.Load(ThreadRecord::At(i) + kThreadEmptying) == page + 1) return;
    }
    Problem("page ", page, ": a closed span that no thread empties");
  }

  bool AddFree(Block block, Word size_class, const char* where) {
    const auto carved = carved_.find(block);
    if (carved == carved_.end() || carved->second != size_class) {
      Problem(where, ": block ", block, " on the free list of class ", size_class, " does not belong there");
      return false;
    }
    if (!free_.insert(block).second) {
      Problem(where, ": block ", block, " is free twice");
      return false;
    }
    return true;
  }

  bool AddOwed(Block block) {
    if (large_runs_.erase(block) != 0) return true;
    const auto carved = carved_.find(block);
    return AddFree(block, carved == carved_.end() ? kSizeClasses : carved->second, "owed by a thread");
  }

  void CheckFreeLists() {
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
        const WordIndex at = ThreadRecord::At(i);
        Block block = region_.Load(at + kThreadFreeHeads + size_class);
        Word left = region_.Load(at + kThreadFreeCounts + size_class);
        for (; block != 0 && left > 0; --left) {
          if (!AddFree(block, size_class, "thread cache")) break;
          block = region_.Load(WordOf(block));
        }
        if (block != 0 || left != 0) Problem("thread ", i, ": cache of class ", size_class, " miscounted");
      }
      Block owed = region_.Load(ThreadRecord::At(i) + kThreadOwed);
      while (owed != 0 && AddOwed(owed)) owed = region_.Load(WordOf(owed));
    }
    std::set<Page> listed;
    for (std::uint32_t bin = 0; bin < kRunBinCount; ++bin) CheckPageList(kHeaderRunBins + bin, free_runs_, &listed);
    if (listed != free_runs_) Problem("heap: ", free_runs_.size(), " free runs, ", listed.size(), " listed");
    listed.clear();
    for (std::uint32_t c = 0; c < kSizeClasses; ++c) CheckPageList(kHeaderPartialSpans + c, spans_with_room_, &listed);
    if (listed != spans_with_room_) {
      Problem("heap: ", spans_with_room_.size(), " spans with room, ", listed.size(), " listed");
    }
  }

  void CheckPageList(WordIndex list, const std::set<Page>& members, std::set<Page>* listed) {
    Word previous = 0;
    for (Word link = region_.Load(list); link != 0;) {
      const Page page = link - 1;
      if (members.count(page) == 0 || !listed->insert(page).second) {
        return Problem("heap list ", list, ": page ", page, " does not belong there");
      }
      if (region_.Load(heap_.Descriptor(page) + kPagePrevious) != previous) Problem("page ", page, ": wrong back link");
      previous = link;
      link = region_.Load(heap_.Descriptor(page) + kPageNext);
    }
  }

  // Whether a block of a large class is a run of pages of its own.
  bool IsShortRun(Block block, std::uint32_t blocks) const {
    constexpr std::uint32_t kLeast = 512;
    return blocks > kLeast && large_runs_.count(block) != 0 &&
           region_.Load(heap_.Descriptor(heap_.PageOf(block)) + kPageRun) == (blocks + kPageBlocks - 1) / kPageBlocks;
  }

  // Every carved block is free or used, and none is both; every large run is used.
  void CheckAccounts() {
    for (const auto& [block, bytes] : used_) {
      const auto blocks = static_cast<std::uint32_t>((bytes + kBlockBytes - 1) / kBlockBytes);
      if (blocks > kMaxClassBlocks || runs_.count(block) != 0 || IsShortRun(block, blocks)) {
        if (large_runs_.erase(block) == 0) Problem("block ", block, ": used, but no large run");
        continue;
      }
      const auto carved = carved_.find(block);
      if (carved == carved_.end() || carved->second != ClassOf(blocks)) {
        Problem("block ", block, ": used for ", bytes, " bytes, but no block of that class");
      }
      if (free_.count(block) != 0) Problem("block ", block, ": used and free");
    }
    for (const Block block : large_runs_) Problem("large run at block ", block, ": leaked");
    for (const auto& [block, size_class] : carved_) {
      if (free_.count(block) == 0 && used_.count(block) == 0) {
        Problem("block ", block, " of class ", size_class, ": leaked");
      }
    }
  }

  struct LabelTable {
    WordIndex at;
    std::size_t words;
    bool has_slots;
  };

  Region region_;
  HashSecret secret_;
  Heap heap_;
  std::vector<LabelTable> label_tables_;
  EvictionAudit eviction_;
  std::vector<std::string> problems_;
  Word live_ = 0;
  std::size_t used_bytes_ = 0;
  std::unordered_map<Block, std::size_t> used_;
  std::unordered_set<Block> runs_;  // those used; runs of pages whatever their length
  std::unordered_map<Block, Word> carved_;
  std::unordered_set<Block> free_;
  std::unordered_set<Block> large_runs_;
  std::set<Page> free_runs_;
  std::set<Page> spans_with_room_;
};

}  // namespace

std::vector<std::string> Verify(Region region, HashSecret secret) {
  return Verifier(region, secret).Run();
}

}  // namespace mapsafe
