#include "eviction/eviction.h"

#include <limits>

#include "eviction/area.h"
#include "index/lookup.h"
#include "memory/leftovers.h"
#include "threads/backoff.h"
#include "threads/mutex.h"
#include "write/cleanup.h"
#include "write/compaction.h"
#include "write/departures.h"
#include "write/move.h"
#include "write/tombstones.h"
#include "write/write.h"

namespace mapsafe {

namespace {

// Evictions in turn for one allocation. After this many, the memory is in other size classes, and whole pages must
// change class.
constexpr int kMaxTurns = 8;

// Spans or large runs that are emptied for one block of an entry before the reserve is used.
constexpr int kMaxEmptied = 16;

// Victims passed over in one round, after which the round ends: another thread holds most of what there is.
constexpr int kMaxPassedOver = 256;

}  // namespace

Evictor::Evictor(const Core& core)
    : core_(core),
      pages_(core.region, 0, Heap(core.region).reserve_page()),
      reserve_(core.region, pages_.count(), Heap(core.region).page_count() - pages_.count()),
      reserve_mutex_(ReserveMutexAt(core.region)) {
  core_.outcome = &outcome_;
  core_.evictor = this;
  const std::vector<WordIndex> partitions = PartitionsOf(core_.region);
  for (const WordIndex at : partitions) partitions_.push_back({at, EvictionQueues(core_.region, at, this)});
}

Block Evictor::Admit(std::uint32_t hash, Status* failure) {
  Partition& partition = PartitionFor(hash);
  // None is available while the inserts of all other entries are under way.
  for (Backoff backoff = Backoff::BetweenSearches(*core_.budget);;) {
    if (!Lock(partition)) {
      *failure = Status::kTimeout;
      return 0;
    }
    StartRound();
    const Block node = partition.queues.Admit(hash, core_.thread.owner_mark());
    PrefetchVictims(partition);
    Unlock(partition);
    if (node != 0) return node;
    // Pages for more nodes may be among them.
    core_.blocks.Flush();
    if (GiveBackLeftovers(core_.region, *core_.budget)) continue;
    if (!backoff.Wait()) {
      *failure = has_passed_over() ? Status::kTimeout : Status::kFull;
      return 0;
    }
  }
}

void Evictor::Withdraw(Block node) {
  const WithPatience patience(*core_.budget, Patience::kLittle);
  Partition& partition = PartitionFor(core_.region.Load(WordOf(node) + kNodeHash));
  if (!Lock(partition)) return Settle(node);  // the hand will find it stale
  partition.queues.Release(node);
  Unlock(partition);
}

void Evictor::SweepForgotten() {
  if (forgotten_.empty()) return;
  const WithPatience patience(*core_.budget, Patience::kLittle);
  while (!forgotten_.empty()) {
    const auto [node, hash] = forgotten_.back();
    forgotten_.pop_back();
    Partition& partition = PartitionFor(hash);
    if (!Lock(partition)) continue;  // the hand will find it stale
    if (core_.region.Load(WordOf(node) + kNodeHash) == hash) ReleaseIfStale(partition, node);
    Unlock(partition);
  }
}

bool Evictor::Repair() {
  for (Partition& partition : partitions_) {
    if (!Lock(partition)) return false;
    partition.queues.VisitNodes([&](Block node) { ReleaseIfStale(partition, node); });
    Unlock(partition);
  }
  return true;
}

Block Evictor::MakeRoom(std::size_t bytes, std::uint32_t hash, Place place, Status* failure) {
  const Block block = EvictInTurn(bytes, hash, place, failure);
  if (block != 0 || *failure != Status::kFull) return block;
  return EmptyPages(bytes, std::numeric_limits<int>::max(), place, failure);
}

Block Evictor::MakeFixedRoom(std::size_t bytes, Status* failure) {
  for (Backoff backoff = Backoff::BetweenSearches(*core_.budget);;) {
    StartRound();
    *failure = Status::kFull;
    const Block block = MakeRoom(bytes, 0, Place::kFixed, failure);
    if (block != 0 || *failure != Status::kFull || !has_passed_over()) return block;
    if (!backoff.Wait()) {
      *failure = Status::kTimeout;
      return 0;
    }
  }
}

Block Evictor::MakeRoomForEntry(std::size_t bytes, std::uint32_t hash, Status* failure) {
  Block block = EvictInTurn(bytes, hash, Place::kAnywhere, failure);
  // Elsewhere single blocks that cannot be evicted may lie in every long run.
  const bool large = bytes > std::size_t{kMaxClassBlocks} * kBlockBytes;
  if (block == 0 && *failure == Status::kFull && !large) {
    block = EmptyPages(bytes, kMaxEmptied, Place::kAnywhere, failure);
  }
  return block == 0 && *failure == Status::kFull ? EmptyReserve(bytes, failure) : block;
}

bool Evictor::EvictAtHome(std::uint32_t hash) {
  const Location location = core_.Locate(hash);
  if (location.segment == 0) return false;
  const Bucket home = core_.BucketAt(location, HomeOf(hash));
  for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
    const Word reference = home.Slot(slot);
    if ((reference & kTombstone) != 0 || EvictBlock(reference)) return true;
  }
  return false;
}

Block Evictor::EvictInTurn(std::size_t bytes, std::uint32_t hash, Place place, Status* failure) {
  Block block = 0;
  *failure = Status::kFull;
  for (int turn = 0; block == 0 && *failure == Status::kFull && turn < kMaxTurns && EvictNext(hash); ++turn) {
    block = core_.blocks.Allocate(bytes, place, failure);
  }
  if (block != 0 || *failure != Status::kFull) return block;
  Reclaiming round(core_);
  round.GoOn(bytes, kLooksAtOnce);
  if (round.has_passed_over()) ++passed_over_;
  core_.blocks.Flush();
  // What was evicted here and there lies together once the entries beside it have moved.
  return MakeRoomAtOnce(core_, bytes, place, failure);
}

Block Evictor::EmptyPages(std::size_t bytes, int most, Place place, Status* failure) {
  Block block = 0;
  std::uint32_t passed = 0;
  for (int emptied = 0; block == 0 && *failure == Status::kFull && emptied < most && passed < pages_.count() &&
                        passed_over_ < kMaxPassedOver;
       ++emptied) {
    passed += pages_.Pass([this](Block entry) { GiveUp(entry); });
    core_.blocks.Flush();
    block = core_.blocks.Allocate(bytes, place, failure);
  }
  return block;
}

Block Evictor::EmptyReserve(std::size_t bytes, Status* failure) {
  // From now on no other thread takes memory there.
  if (!LockMutex(*core_.budget, reserve_mutex_)) {
    *failure = Status::kTimeout;
    return 0;
  }
  Backoff backoff = Backoff::BetweenSearches(*core_.budget);
  Block block = core_.blocks.Allocate(bytes, Place::kAnywhere, failure);
  while (block == 0 && *failure == Status::kFull) {
    StartRound();
    for (std::uint32_t passed = 0;
         block == 0 && *failure == Status::kFull && passed < reserve_.count() && passed_over_ < kMaxPassedOver;) {
      passed += reserve_.Pass([this](Block entry) { GiveUp(entry); });
      block = core_.blocks.Allocate(bytes, Place::kAnywhere, failure);
    }
    if (block != 0 || *failure != Status::kFull || !backoff.Wait()) break;
    CleanUpAll(core_, Patience::kNone);
  }
  UnlockMutex(core_.region, reserve_mutex_);
  return block;
}

Eviction Evictor::Evict(Block node, bool only_expired) {
  // Acquire, and before the lookup: an entry that was published before its node was settled is seen.
  const Word owner = core_.region.LoadAcquire(WordOf(node) + kNodeOwner);
  const Key key = NodeKey(node, core_.region.Load(WordOf(node) + kNodeHash));
  Edit edit{Edit::Kind::kEvict, key, kPutAlways, kNoVersion};
  edit.only_expired = only_expired;
  {
    const WithPatience patience(*core_.budget, Patience::kNone);
    RunToEnd(core_, &edit);
  }
  if (outcome_.status == Status::kTimeout) ++passed_over_;
  if (outcome_.status == Status::kDone) return edit.meets_expired ? Eviction::kStale : Eviction::kEvicted;
  if (outcome_.status != Status::kNotDone) return Eviction::kPending;
  if (edit.met) return Eviction::kSpared;
  return owner != 0 && ThreadRecord::IsAttached(core_.region, owner) ? Eviction::kPending : Eviction::kStale;
}

Block Evictor::AllocatePages(std::size_t pages) {
  Status failure;
  const Block block = core_.blocks.AllocatePages(pages, Place::kFixed, &failure);
  if (block == 0 && failure == Status::kTimeout) ++passed_over_;
  return block;
}

void Evictor::FreePages(Block block) {
  core_.blocks.FreePages(block);
}

void Evictor::FreeChunk(Block chunk) {
  NoteGoneChunk(core_.region, chunk);
}

void Evictor::GiveBackIdle() {
  StartRound();
  // Before a chunk leaves its partition: what cannot be noted as gone would be lost. A later sweep gives it back.
  const WithPatience patience(*core_.budget, Patience::kNone);
  if (!LockMutex(*core_.budget, kHeaderDirectoryMutex)) return;
  for (Partition& partition : partitions_) {
    if (!LockAtOnce(partition)) continue;
    partition.queues.GiveBackIdle();
    Unlock(partition);
  }
  UnlockMutex(core_.region, kHeaderDirectoryMutex);
}

// Evicts the next entry in turn, in the partition of the hash or the next partition that has one.
bool Evictor::EvictNext(std::uint32_t hash) {
  const std::size_t first = PartitionOf(hash, static_cast<std::uint32_t>(partitions_.size()));
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    Partition& partition = partitions_[(first + i) % partitions_.size()];
    if (!LockAtOnce(partition)) continue;
    const bool evicted = partition.queues.Evict();
    Unlock(partition);
    if (evicted) return true;
  }
  return false;
}

// Evicts the entry in a block, if there is one; returns whether there was. The block is not known to hold an entry.
bool Evictor::EvictBlock(Block block) {
  if (!core_.region.Contains(block, kEntryData)) return false;
  const std::uint32_t hash = core_.region.Load(WordOf(block) + kEntryHash);
  const Block node = core_.region.Load(WordOf(block) + kEntryNode);
  if (!core_.region.Contains(node, kNodeWords)) return false;
  Partition& partition = PartitionFor(hash);
  if (!LockAtOnce(partition)) return false;
  // It is an entry only if the index, too, has an entry with this hash and this node; then the node is a node.
  const Eviction outcome = HasEntry(hash, node) ? Evict(node, false) : Eviction::kPending;
  const bool gone = outcome == Eviction::kEvicted || outcome == Eviction::kStale;
  if (gone) partition.queues.Release(node);
  Unlock(partition);
  return gone;
}

// Frees what lies in a block, an entry or what a deletion left of one.
void Evictor::GiveUp(Block block) {
  if (!EvictBlock(block)) DropTombstone(core_, block);
}

// Asks for the lines that the next evictions will need, one step of the way each time: of the next but two its node, of
// the next but one its home bucket, of the next its entry. In a cache that does not fit into the processor's, an
// eviction would wait for one after the other.
void Evictor::PrefetchVictims(const Partition& partition) {
  Region& region = core_.region;
  const auto is_node = [&](Block block) { return region.Contains(block, kNodeWords); };
  const Block first = region.Load(partition.at + kPartitionCold + kQueueOldest);
  if (!is_node(first)) return;
  const Block second = region.Load(WordOf(first) + kNodeNext);
  if (!is_node(second)) return;
  const Block third = region.Load(WordOf(second) + kNodeNext);
  if (is_node(third)) region.PrefetchForWrite(WordOf(third));
  PrefetchHome(core_, region.Load(WordOf(second) + kNodeHash));
  const std::uint32_t hash = region.Load(WordOf(first) + kNodeHash);
  const Location location = core_.Locate(hash);
  if (location.segment != 0) core_.BucketAt(location, HomeOf(hash)).PrefetchEntries(TagOf(hash));
}

void Evictor::ReleaseIfStale(Partition& partition, Block node) {
  if (core_.region.Load(WordOf(node) + kNodeState) == kNodeFree) return;
  // The owner before the lookup: as in Evict.
  const Word owner = core_.region.LoadAcquire(WordOf(node) + kNodeOwner);
  if (owner != 0 && ThreadRecord::IsAttached(core_.region, owner)) return;
  if (!HasEntry(core_.region.Load(WordOf(node) + kNodeHash), node)) {
    partition.queues.Release(node);
  } else if (owner != 0) {
    Settle(node);
  }
}

// Whether an entry with this hash and node is live. True also if that cannot be determined.
bool Evictor::HasEntry(std::uint32_t hash, Block node) {
  const Key key = NodeKey(node, hash);
  for (Backoff backoff(*core_.budget, Obstacle::Others());;) {
    const Location location = core_.Locate(hash);
    if (location.segment == 0) return true;
    Versions versions(core_.region);
    versions.Note(core_.BucketAt(location, HomeOf(hash)));
    Sighting sighting;
    Walk(core_, location, key, &versions, &sighting);
    if (versions.Unchanged() && (sighting.found() || StillMaps(core_.region, location))) return sighting.found();
    if (!backoff.Wait()) return true;
  }
}

Evictor::Partition& Evictor::PartitionFor(std::uint32_t hash) {
  return partitions_[PartitionOf(hash, static_cast<std::uint32_t>(partitions_.size()))];
}

WordIndex Evictor::EpochOf(std::uint32_t hash) const {
  return partitions_[PartitionOf(hash, static_cast<std::uint32_t>(partitions_.size()))].at + kPartitionUseClock;
}

bool Evictor::Lock(const Partition& partition) {
  return LockMutex(*core_.budget, partition.at + kPartitionMutex);
}

// For one victim among several.
bool Evictor::LockAtOnce(const Partition& partition) {
  const WithPatience patience(*core_.budget, Patience::kNone);
  if (Lock(partition)) return true;
  ++passed_over_;
  return false;
}

void Evictor::Unlock(const Partition& partition) {
  UnlockMutex(core_.region, partition.at + kPartitionMutex);
}

}  // namespace mapsafe
