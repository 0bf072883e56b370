#include "check/repair.h"

#include <vector>

#include "eviction/area.h"
#include "eviction/eviction.h"
#include "feed/feed.h"
#include "index/lease.h"
#include "threads/backoff.h"
#include "threads/mutex.h"
#include "threads/takeover.h"
#include "write/restructure.h"

namespace mapsafe {

namespace {

struct Census {
  Word live = 0;
  std::uint32_t segments_corrected = 0;
};

// Waits until no write is between changing its slot and counting that. No further write can begin.
bool AwaitCounts(Core& core) {
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    const WordIndex at = ThreadRecord::At(i);
    for (Backoff backoff(*core.budget, Obstacle::Write(at)); core.region.LoadAcquire(at + kThreadWriteSlot) != 0;) {
      // A write that is announced but not begun does not matter: its swap will fail.
      if (!backoff.Wait()) {
        Fail(core, Status::kTimeout);
        return false;
      }
    }
  }
  return true;
}

// Counts the entries of the held segments, and corrects every segment's count of tombstones.
Census Count(Core& core, const std::vector<Block>& segments) {
  Census census;
  for (const Block segment : segments) {
    Word tombstones = 0;
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      const Bucket bucket = core.BucketAt(segment, i);
      for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
        const Word reference = bucket.Slot(slot);
        if ((reference & kTombstone) != 0) {
          ++tombstones;
        } else if (core.region.Contains(reference, kEntryData) &&
                   !IsLeaseKind(ReadHeader(core.region, reference).value_kind())) {
          ++census.live;
        }
      }
    }
    const WordIndex counted = WordOf(segment) + kSegmentTombstones;
    if (core.region.Load(counted) == tombstones) continue;
    core.region.Store(counted, tombstones);
    ++census.segments_corrected;
  }
  return census;
}

struct Attendance {
  std::uint32_t attached = 0;
  Word incarnations = 0;  // a sum, which shows whether a thread attached since

  bool operator==(const Attendance&) const = default;
};

Attendance Attend(const Region& region) {
  Attendance attendance;
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    const WordIndex at = ThreadRecord::At(i);
    if (region.LoadPair(at + kThreadKernelId) != 0) ++attendance.attached;
    attendance.incarnations += region.LoadAcquire(at + kThreadIncarnation);
  }
  return attendance;
}

// Finds the blocks that nothing leads to. Needs every segment, the heap mutex, and that no other thread is attached. A
// thread that attached meanwhile may have taken a block out of a cache before we looked there; then nothing is done.
class LeakHunt {
 public:
  explicit LeakHunt(Region region) : region_(region), heap_(region), known_(region.block_count()) {}

  Status Run(const std::vector<Block>& segments, RepairReport* report) {
    const Attendance before = Attend(region_);
    if (before.attached > 1) return Status::kNotDone;
    ReopenSpans();
    if (!MarkDirectories() || !MarkDepartures() || !MarkShapes() || !MarkLabelTables() || !MarkFeed() ||
        !MarkEviction() || !MarkEntries(segments) || !MarkCaches() || !SurveyPages())
      return Status::kCorrupt;
    if (Attend(region_) != before) return Status::kNotDone;
    for (const Leak& leak : leaks_) {
      if (leak.size_class < kSizeClasses) {
        heap_.Give(leak.size_class, leak.block);
      } else {
        heap_.GiveRun(leak.block);
      }
      heap_.Commit();
      ++report->blocks_freed;
      report->bytes_freed += leak.bytes;
    }
    return Status::kDone;
  }

 private:
  struct Leak {
    Block block;
    std::uint32_t size_class;  // kSizeClasses for a run of pages
    std::uint64_t bytes;
  };

  // Spans that threads were emptying when they died.
  void ReopenSpans() {
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      const WordIndex emptying = ThreadRecord::At(i) + kThreadEmptying;
      if (region_.Load(emptying) == 0) continue;
      heap_.Reopen(emptying);
      heap_.Commit();
    }
  }

  bool Mark(Block block) {
    if (!region_.Contains(block, kBlockWords) || known_[block]) return false;
    known_[block] = true;
    return true;
  }

  bool MarkDirectories() {
    for (Block array = region_.Load(kHeaderDirectory); array != 0;
         array = region_.Load(WordOf(array) + kDirectoryPrevious)) {
      if (!Mark(array)) return false;
    }
    return true;
  }

  bool MarkShapes() {
    for (Word chunk = 0; chunk < kShapeChunks; ++chunk) {
      const Block block = region_.Load(kHeaderShapeChunks + chunk);
      if (block != 0 && !Mark(block)) return false;
    }
    return true;
  }

  bool MarkDepartures() {
    return MarkChainOf(kHeaderGoneSegments, kSegmentNext) && MarkChainOf(kHeaderLeavingSegments, kSegmentNext) &&
           MarkChainOf(kHeaderGoneChunks, kChunkNext) && MarkChainOf(kHeaderLeavingChunks, kChunkNext);
  }

  bool MarkChainOf(WordIndex list, std::uint32_t link) {
    for (Block block = region_.Load(list); block != 0; block = region_.Load(WordOf(block) + link)) {
      if (!region_.Contains(block, kSegmentNext + 1) || !Mark(block)) return false;
    }
    return true;
  }

  bool MarkLabelTables() {
    for (std::uint32_t level = 0; level < kLabelLevels; ++level) {
      const Block table = region_.Load(kHeaderLabelTables + level);
      if (table != 0 && !Mark(table)) return false;
    }
    return true;
  }

  bool MarkFeed() {
    const WordIndex ring = FeedRing(region_);
    return ring == 0 || Mark(static_cast<Block>(ring / kBlockWords));
  }

  bool MarkEviction() {
    const std::vector<WordIndex> partitions = PartitionsOf(region_);
    if (!partitions.empty() && !Mark(region_.Load(kHeaderEviction))) return false;
    for (const WordIndex at : partitions) {
      const Block ghosts = region_.Load(at + kPartitionGhosts);
      if (region_.Load(at + kPartitionGhostBuckets) != 0 && !Mark(ghosts)) return false;
      for (Block chunk = region_.Load(at + kPartitionChunks); chunk != 0;
           chunk = region_.Load(WordOf(chunk) + kChunkNext)) {
        if (!Mark(chunk)) return false;
      }
    }
    return true;
  }

  bool MarkEntries(const std::vector<Block>& segments) {
    for (const Block segment : segments) {
      if (!Mark(segment)) return false;
      for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
        const Bucket bucket(region_, BucketIn(segment, i));
        for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
          const Word reference = bucket.Slot(slot);
          if (reference != 0 && !Mark(reference & ~kTombstone)) return false;
        }
      }
    }
    return true;
  }

  bool MarkCaches() {
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
        const WordIndex at = ThreadRecord::At(i);
        if (!MarkList(region_.Load(at + kThreadFreeHeads + size_class),
                      region_.Load(at + kThreadFreeCounts + size_class))) {
          return false;
        }
      }
      if (!MarkChain(region_.Load(ThreadRecord::At(i) + kThreadOwed))) return false;
    }
    return true;
  }

  // A chain that leads back into itself meets a block that is already marked.
  bool MarkChain(Block block) {
    for (; block != 0; block = region_.Load(WordOf(block))) {
      if (!Mark(block)) return false;
    }
    return true;
  }

  bool MarkList(Block block, Word count) {
    for (; count > 0; --count) {
      if (!Mark(block)) return false;
      block = region_.Load(WordOf(block));
    }
    return true;
  }

  bool SurveyPages() {
    const Word top = region_.Load(kHeaderHeapTop);
    if (top > heap_.page_count()) return false;
    for (Page page = 0; page < top;) {
      const WordIndex at = heap_.Descriptor(page);
      const Word kind = region_.Load(at + kPageKind);
      const Word run = region_.Load(at + kPageRun);
      if (run == 0 || run > top - page) return false;
      if ((kind & 0xff) == kPageSpan) {
        if (!SurveySpan(page, run, kind >> kPageClassShift)) return false;
      } else if (kind == kPageLargeRun && !known_[heap_.BlockOf(page)]) {
        leaks_.push_back({heap_.BlockOf(page), kSizeClasses, std::uint64_t{run} * kPageBytes});
      }
      page += run;
    }
    return true;
  }

  bool SurveySpan(Page page, Word run, std::uint32_t size_class) {
    const WordIndex at = heap_.Descriptor(page);
    const Word carved = region_.Load(at + kPageCarved);
    if (size_class >= kSizeClasses || carved > SpanCapacity(size_class)) return false;
    if (run != SpanPages(size_class)) return false;  // otherwise its blocks might lie outside the heap
    if (!MarkList(region_.Load(at + kPageFreeHead), region_.Load(at + kPageFreeCount))) return false;
    for (Word i = 0; i < carved; ++i) {
      const Block block = heap_.BlockOf(page) + i * ClassBlocks(size_class);
      if (!known_[block]) leaks_.push_back({block, size_class, std::uint64_t{ClassBlocks(size_class)} * kBlockBytes});
    }
    return true;
  }

  Region region_;
  Heap heap_;
  std::vector<bool> known_;  // by block number: first block of a structure that is used or free
  std::vector<Leak> leaks_;
};

void RepairHeld(Core& core, const std::vector<Block>& segments, RepairReport* report) {
  Region& region = core.region;
  if (!AwaitCounts(core)) return;
  const Census census = Count(core, segments);
  report->segments_corrected = census.segments_corrected;
  const Word correction = census.live - ThreadRecord::SumOfSizeDeltas(region);
  report->size_correction = static_cast<std::int32_t>(correction);
  core.thread.AddSize(correction);
  core.outcome->status = Status::kDone;
  if (!LockMutex(*core.budget, kHeaderHeapMutex)) return Fail(core, Status::kTimeout);
  const Status hunted = LeakHunt(region).Run(segments, report);
  UnlockMutex(region, kHeaderHeapMutex);
  report->has_looked_for_leaks = hunted == Status::kDone;
  if (hunted == Status::kCorrupt) core.outcome->status = hunted;
}

}  // namespace

RepairReport Repair(Core& core) {
  RepairReport report;
  const Word deaths = core.region.Load(kHeaderDeaths);
  TakeOverFromDead(core.region);
  core.blocks.Flush();
  // Before any segment is held: partitions come first in the order of locks.
  if (core.evictor != nullptr && !core.evictor->Repair()) {
    Fail(core, Status::kTimeout);
    report.dead_threads = core.region.Load(kHeaderDeaths) - deaths;
    return report;
  }
  std::vector<Block> held;
  if (HoldEverything(core, &held)) RepairHeld(core, held, &report);
  for (const Block segment : held) ReleaseHeld(core, segment);
  core.thread.ClearClaim();
  report.dead_threads = core.region.Load(kHeaderDeaths) - deaths;
  return report;
}

}  // namespace mapsafe
