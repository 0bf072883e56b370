#include "threads/takeover.h"

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "../platform/record_locks.h"
#include "base/probes.h"
#include "eviction/area.h"
#include "eviction/queues.h"
#include "feed/feed.h"
#include "index/bucket.h"
#include "index/directory.h"
#include "memory/heap.h"
#include "shapes/shape_table.h"
#include "threads/liveness.h"
#include "threads/owners.h"
#include "threads/thread_record.h"
#include "write/restructure.h"

namespace mapsafe {

namespace {

// Time for an optimistic writer to release one bucket; much longer than it needs unless it is stopped.
constexpr std::chrono::milliseconds kBucketPatience{20};

constexpr Block kSegmentBlocks = kSegmentBytes / kBlockBytes;

// One takeover. Every step may be done again from its beginning, since the thread that does it may die as well.
class Takeover {
 public:
  explicit Takeover(Region region) : region_(region), owners_(region) {}

  bool IsAnyDead() const { return owners_.IsAnyDead(); }

  void Run() {
    owners_.Seize();
    FinishFeed();
    FinishHeap();
    FinishDirectory();
    FinishShapes();
    ListSegments();
    owners_.ForEachDead([this](std::uint32_t index) { SettleWrite(index); });
    owners_.ForEachDead([this](std::uint32_t index) { ReleaseBucket(index); });
    FinishGone();
    FinishSegments();
    FinishPartitions();
    owners_.ForEachDead([this](std::uint32_t index) {
      owners_.Free(index);
      probes::ThreadTakeover(region_, index);
    });
    UnwatchIfNobody(region_);
    owners_.Release();
  }

 private:
  // A thread that died while it held something may have changed a key and told nobody. First, while its record still
  // says what it held.
  void FinishFeed() {
    bool may_have_changed = false;
    owners_.ForEachDead([&](std::uint32_t index) {
      may_have_changed |= region_.LoadAcquire(ThreadRecord::At(index) + kThreadClaim) != 0;
    });
    if (may_have_changed && region_.LoadAcquire(kHeaderFeed) != 0) NoteMissed(region_);
    if (owners_.DeadOwner(region_.LoadAcquire(kHeaderFeedMutex)) == kRegistryThreads) return;
    region_.StoreRelease(kHeaderFeedMutex, 0);
  }

  void FinishHeap() {
    if (owners_.DeadOwner(region_.LoadAcquire(kHeaderHeapMutex)) == kRegistryThreads) return;
    Heap(region_).RollBack();
    region_.StoreRelease(kHeaderHeapMutex, 0);
  }

  // Completes an assignment of directory entries that was cut off. Where a deeper segment was to replace another,
  // either some entry names it already or none does.
  void FinishDirectory() {
    if (owners_.DeadOwner(region_.LoadAcquire(kHeaderDirectoryMutex)) == kRegistryThreads) return;
    const WordIndex entries = OpenDirectory();
    if (entries == 0) return;
    const Word depth = directory_depth_;
    const std::size_t count = std::size_t{1} << depth;
    Word segments = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Block segment = region_.Load(entries + i);
      if (i > 0 && segment == region_.Load(entries + i - 1)) continue;
      if (!region_.Contains(segment, kSegmentWords)) return;
      ++segments;
      const Word local = region_.Load(WordOf(segment) + kSegmentDepth);
      if (local > depth) return;
      const std::size_t first = TopBits(region_.Load(WordOf(segment) + kSegmentPrefix), depth);
      const std::size_t width = std::size_t{1} << (depth - local);
      for (std::size_t j = first; j < first + width && j < count; ++j) {
        const Block other = region_.Load(entries + j);
        if (other == segment || !region_.Contains(other, kSegmentWords)) continue;
        if (region_.Load(WordOf(other) + kSegmentDepth) < local) region_.StoreRelease(entries + j, segment);
      }
    }
    region_.Store(kHeaderSegmentCount, segments);
    FinishDepartures(entries);
    region_.StoreRelease(kHeaderDirectoryMutex, 0);
  }

  void FinishShapes() {
    if (owners_.DeadOwner(region_.LoadAcquire(kHeaderShapeMutex)) == kRegistryThreads) return;
    ShapeTable(region_).FinishAppend();
    region_.StoreRelease(kHeaderShapeMutex, 0);
  }

  // Both lists are one if a round was cut off as it began. A join that was cut off noted a segment as gone that the
  // directory names.
  void FinishDepartures(WordIndex entries) {
    for (const WordIndex gone : {kHeaderGoneSegments, kHeaderGoneChunks}) {
      if (region_.Load(gone) == region_.Load(gone + 1)) region_.Store(gone, 0);
    }
    const Block segment = region_.Load(kHeaderGoneSegments);
    if (segment == 0 || !region_.Contains(segment, kSegmentWords)) return;
    const Word prefix = region_.Load(WordOf(segment) + kSegmentPrefix);
    if (region_.Load(entries + TopBits(prefix, directory_depth_)) != segment) return;
    region_.Store(kHeaderGoneSegments, region_.Load(WordOf(segment) + kSegmentNext));
  }

  // Word index of the directory's entries, and their number in directory_depth_; 0 if it is damaged.
  WordIndex OpenDirectory() {
    const Block directory = region_.LoadAcquire(kHeaderDirectory);
    if (!region_.Contains(directory, kDirectoryEntries)) return 0;
    const Word depth = region_.Load(WordOf(directory) + kDirectoryDepth);
    if (depth > kMaxDepth || !region_.Contains(directory, kDirectoryEntries + (std::size_t{1} << depth))) return 0;
    directory_depth_ = depth;
    return WordOf(directory) + kDirectoryEntries;
  }

  // Notes every segment with the number of directory entries that name it.
  void ListSegments() {
    const WordIndex entries = OpenDirectory();
    if (entries == 0) return;
    for (std::size_t i = 0; i < std::size_t{1} << directory_depth_; ++i) {
      const Block segment = region_.LoadAcquire(entries + i);
      if (!region_.Contains(segment, kSegmentWords)) continue;
      if (segments_.empty() || segments_.back().block != segment) segments_.push_back({segment, 0});
      ++segments_.back().entries;
    }
  }

  // The segment that the bucket at block `bucket` belongs to, or 0.
  Block SegmentOf(Block bucket) const {
    for (const Listed& segment : segments_) {
      if (bucket - segment.block < kSegmentBlocks) return segment.block;
    }
    return 0;
  }

  bool IsSegment(Block block) const { return block != 0 && SegmentOf(block) == block; }

  // Whether a bucket with the odd `version` certainly belongs to a dead thread: no living thread has announced to take
  // it, and the living holder of its segment's mutex, if there is one, waits for it. Claims are made before the version
  // becomes odd and end after it, so they may be read in between.
  bool IsOrphan(const Bucket& bucket, Word version) const {
    if (owners_.IsClaimed(bucket.block())) return false;
    const Word mark = region_.LoadAcquire(WordOf(SegmentOf(bucket.block())) + kSegmentMutex);
    if (mark != 0 && owners_.DeadOwner(mark) == kRegistryThreads) {
      const std::uint32_t owner = (mark & 0xff) - 1;
      const bool is_named = owner < kRegistryThreads;
      if (!is_named || region_.LoadAcquire(ThreadRecord::At(owner) + kThreadWaiting) != bucket.block()) return false;
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    return bucket.ReloadVersion() == version;
  }

  // Counts the write during which a thread died, if it took place. It did if the thread said so, or if its reference
  // lies in the slot of a bucket that is still as the thread held it.
  void SettleWrite(std::uint32_t index) {
    const WordIndex at = ThreadRecord::At(index);
    const WordIndex slot = region_.Load(at + kThreadWriteSlot);
    if (slot == 0) return;
    const Word version = region_.Load(at + kThreadWriteVersion);
    bool has_happened = version == 0;
    Bucket bucket(region_, slot - slot % kBucketWords);
    if (!has_happened && SegmentOf(bucket.block()) != 0 && bucket.LoadVersion() == version) {
      if (!IsOrphan(bucket, version)) return owners_.Leave(index);
      has_happened = region_.Load(slot) == region_.Load(at + kThreadWriteReference);
    }
    if (has_happened) region_.Store(at + kThreadSizeDelta, region_.Load(at + kThreadWriteSize));
    region_.StoreRelease(at + kThreadWriteSlot, 0);
  }

  // Releases the bucket that an optimistic writer held when it died. Its slot is one word, from before or after the
  // write; only the tag may be the other one.
  void ReleaseBucket(std::uint32_t index) {
    const Block claim = region_.LoadAcquire(ThreadRecord::At(index) + kThreadClaim);
    const Block segment = SegmentOf(claim);
    if (claim == 0 || segment == 0 || segment == claim) return;
    if (owners_.DeadOwner(region_.LoadAcquire(WordOf(segment) + kSegmentMutex)) != kRegistryThreads)
      return;  // see Rebuild
    Bucket bucket(region_, WordOf(claim));
    const Word version = bucket.LoadVersion();
    if ((version & 1) == 0) return;
    if (!IsOrphan(bucket, version)) return owners_.Leave(index);
    Retag(&bucket);
    bucket.Release();
  }

  // Makes every tag match its slot.
  void Retag(Bucket* bucket) {
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket->Slot(slot);
      if (!IsLive(reference)) {
        bucket->Vacate(slot, reference);
      } else if (region_.Contains(reference, kEntryData)) {
        bucket->Publish(slot, TagOf(ReadHeader(region_, reference).hash), reference);
      }
    }
  }

  // Lets go of the segments that vanished in joins of dead threads. Before the segments that took their keys in are
  // released: a reader may still be in one, and must see its version change before a key changes.
  void FinishGone() {
    for (const WordIndex list : {kHeaderGoneSegments, kHeaderLeavingSegments}) {
      Block segment = region_.LoadAcquire(list);
      for (std::size_t left = MaxSegments(region_); left > 0 && region_.Contains(segment, kSegmentWords); --left) {
        const WordIndex at = WordOf(segment);
        if (owners_.DeadOwner(region_.LoadAcquire(at + kSegmentMutex)) != kRegistryThreads) LetGoOfGone(segment);
        segment = region_.Load(at + kSegmentNext);
      }
    }
  }

  void LetGoOfGone(Block segment) {
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      Bucket bucket(region_, BucketIn(segment, i));
      if ((bucket.LoadVersion() & 1) == 0) continue;
      for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) bucket.Vacate(slot, 0);
      bucket.Release();
    }
    region_.StoreRelease(WordOf(segment) + kSegmentMutex, 0);
  }

  // Goes in the order of hashes: a segment that was being split must be released before its twin. See
  // docs/internals/protocol.md, "Split".
  void FinishSegments() {
    bool in_order = true;
    for (const Listed& segment : segments_) {
      const std::uint32_t owner = owners_.DeadOwner(region_.LoadAcquire(WordOf(segment.block) + kSegmentMutex));
      if (owner == kRegistryThreads) continue;
      in_order = in_order && Rebuild(segment.block, segment.entries);
      if (!in_order) owners_.Leave(owner);
    }
  }

  // Makes a segment whole from its references alone, whatever its dead holder was doing, and releases it.
  bool Rebuild(Block segment, std::size_t entries) {
    if (!TakeBuckets(segment)) return false;
    const WordIndex at = WordOf(segment);
    const WordIndex moves = at + kSegmentMoves;
    if ((region_.Load(moves) & 1) == 0) region_.Store(moves, region_.Load(moves) + 1);
    // The directory shows how far a split had come.
    const Word depth = directory_depth_ - static_cast<Word>(std::bit_width(entries) - 1);
    region_.StoreRelease(at + kSegmentDepth, depth);
    Word tombstones = 0;
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      Bucket bucket(region_, BucketIn(segment, i));
      DropStrays(segment, depth, i, &bucket);
      Retag(&bucket);
      for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) tombstones += bucket.Slot(slot) >> 31;
    }
    BringHome(region_, segment);
    region_.Store(at + kSegmentTombstones, tombstones);
    region_.StoreRelease(moves, region_.Load(moves) + 1);
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) Bucket(region_, BucketIn(segment, i)).Release();
    region_.StoreRelease(at + kSegmentMutex, 0);
    return true;
  }

  // Takes every bucket of a segment whose mutex belongs to a dead thread. A bucket that the dead thread held gets
  // another odd version, so that no reader takes its changes and ours for one. If a living thread is in the way,
  // releases the buckets taken and returns false.
  bool TakeBuckets(Block segment) {
    std::array<bool, kAllBuckets> taken{};
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      Bucket bucket(region_, BucketIn(segment, i));
      const auto deadline = std::chrono::steady_clock::now() + kBucketPatience;
      for (;;) {
        const Word version = bucket.LoadVersion();
        if ((version & 1) == 0) {
          taken[i] = bucket.TryHold(version);
          if (taken[i]) break;
        } else if (IsOrphan(bucket, version)) {
          bucket.Step();
          break;
        } else if (std::chrono::steady_clock::now() > deadline) {
          for (std::uint32_t j = 0; j < i; ++j) {
            if (taken[j]) Bucket(region_, BucketIn(segment, j)).Release();
          }
          return false;
        } else {
          std::this_thread::yield();
        }
      }
    }
    return true;
  }

  // Empties the slots of bucket `index` that a split or a move did not empty before the death.
  void DropStrays(Block segment, Word depth, std::uint32_t index, Bucket* bucket) {
    const Word prefix = region_.Load(WordOf(segment) + kSegmentPrefix);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket->Slot(slot);
      if (!IsLive(reference) || !region_.Contains(reference, kEntryData)) continue;
      const Word hash = ReadHeader(region_, reference).hash;
      const std::uint32_t home = HomeOf(hash);
      const bool has_left = TopBits(hash, depth) != TopBits(prefix, depth);
      const bool has_moved = (index != home && Holds(segment, home, reference)) ||
                             (index >= kHomeBuckets && Holds(segment, NeighbourOf(home), reference));
      if (has_left || has_moved) bucket->Vacate(slot, 0);
    }
  }

  bool Holds(Block segment, std::uint32_t index, Word reference) {
    const Bucket bucket(region_, BucketIn(segment, index));
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      if (bucket.Slot(slot) == reference) return true;
    }
    return false;
  }

  // The states of the nodes show which are in use, whatever the dead holder was doing.
  void FinishPartitions() {
    const WordIndex reserve = ReserveMutexAt(region_);
    if (reserve != 0 && owners_.DeadOwner(region_.LoadAcquire(reserve)) != kRegistryThreads)
      region_.StoreRelease(reserve, 0);
    for (const WordIndex partition : PartitionsOf(region_)) {
      if (owners_.DeadOwner(region_.LoadAcquire(partition + kPartitionMutex)) == kRegistryThreads) continue;
      EvictionQueues(region_, partition, nullptr).Rebuild();
      region_.StoreRelease(partition + kPartitionMutex, 0);
    }
  }

  struct Listed {
    Block block;
    std::size_t entries;
  };

  Region region_;
  Owners owners_;
  Word directory_depth_ = 0;
  std::vector<Listed> segments_;
};

}  // namespace

TakeoverLock::TakeoverLock(Region region) : region_(region), has_lock_(TryLock()) {}

TakeoverLock::~TakeoverLock() {
  if (!has_lock_) return;
  if (region_.locks() != nullptr) {
    region_.locks()->UnlockTakeover();
  } else {
    region_.StorePairRelease(kHeaderTakeover, 0);
  }
}

bool TakeoverLock::TryLock() {
  if (region_.locks() != nullptr) return region_.locks()->TryLockTakeover();
  const KernelId holder = region_.LoadPair(kHeaderTakeover);
  if (holder != 0 && !IsGone(holder)) return false;
  return region_.CompareAndSwapPair(kHeaderTakeover, holder, OwnKernelId(region_));
}

bool TakeOverFromDead(Region region) {
  Takeover takeover(region);
  if (!takeover.IsAnyDead()) return true;
  const TakeoverLock lock(region);
  if (!lock.has_lock()) return false;
  takeover.Run();
  return true;
}

}  // namespace mapsafe
