#include "eviction.h"

#include "backoff.h"
#include "cleanup.h"
#include "eviction_area.h"
#include "lookup.h"
#include "mutex.h"
#include "write.h"

namespace mapsafe {

namespace {

// Evictions in turn for one allocation. After as many, the memory is of other size classes, and whole pages must change
// class.
constexpr int kMaxTurns = 8;

}  // namespace

Evictor::Evictor(const Core& core) : core_(core), pages_(core.region) {
  core_.outcome = &outcome_;
  core_.evictor = this;
  const std::vector<WordIndex> partitions = PartitionsOf(core_.region);
  for (const WordIndex at : partitions) partitions_.push_back({at, EvictionQueues(core_.region, at, this)});
}

Block Evictor::Admit(std::uint32_t hash, Status* failure, Identity* owner) {
  Partition& partition = PartitionFor(hash);
  // None can be had while the inserts of all other entries are under way.
  for (Backoff backoff(core_.region);;) {
    if (!Lock(partition)) {
      *failure = Status::kTimeout;
      *owner = OwnerOf(partition);
      return 0;
    }
    const Block node = partition.queues.Admit(hash, core_.thread.owner_mark());
    Unlock(partition);
    if (node != 0) return node;
    if (!backoff.Wait()) {
      *failure = Status::kFull;
      return 0;
    }
  }
}

void Evictor::Withdraw(Block node) {
  Partition& partition = PartitionFor(core_.region.Load(WordOf(node) + kNodeHash));
  if (!Lock(partition)) return Settle(node);  // the hand will find it stale
  partition.queues.Release(node);
  Unlock(partition);
}

void Evictor::SweepForgotten() {
  while (!forgotten_.empty()) {
    const auto [node, hash] = forgotten_.back();
    forgotten_.pop_back();
    Partition& partition = PartitionFor(hash);
    if (!Lock(partition)) continue;  // the hand will find it stale
    if (core_.region.Load(WordOf(node) + kNodeHash) == hash) ReleaseIfStale(partition, node);
    Unlock(partition);
  }
}

bool Evictor::Repair(Identity* owner) {
  for (Partition& partition : partitions_) {
    if (!Lock(partition)) {
      *owner = OwnerOf(partition);
      return false;
    }
    partition.queues.VisitNodes([&](Block node) { ReleaseIfStale(partition, node); });
    Unlock(partition);
  }
  return true;
}

Block Evictor::MakeRoom(std::size_t bytes, std::uint32_t hash, Status* failure) {
  Block block = 0;
  *failure = Status::kFull;
  for (int turn = 0; block == 0 && *failure == Status::kFull && turn < kMaxTurns && EvictNext(hash); ++turn) {
    block = core_.blocks.Allocate(bytes, failure);
  }
  if (block != 0 || *failure != Status::kFull) return block;
  CleanUpAll(core_);
  core_.blocks.Flush();
  block = core_.blocks.Allocate(bytes, failure);
  for (std::uint32_t passed = 0; block == 0 && *failure == Status::kFull && passed < pages_.count();) {
    passed += pages_.Pass([this](Block entry) { EvictBlock(entry); });
    core_.blocks.Flush();
    block = core_.blocks.Allocate(bytes, failure);
  }
  return block;
}

Eviction Evictor::Evict(Block node, bool only_expired) {
  // Acquire, and before the lookup: an entry that was published before its node was settled is seen.
  const Word owner = core_.region.LoadAcquire(WordOf(node) + kNodeOwner);
  const Key key = NodeKey(node, core_.region.Load(WordOf(node) + kNodeHash));
  Edit edit{Edit::Kind::kEvict, key, kPutAlways, kNoVersion};
  edit.only_expired = only_expired;
  RunToEnd(core_, &edit);
  if (outcome_.status == Status::kDone) return edit.meets_expired ? Eviction::kStale : Eviction::kEvicted;
  if (outcome_.status != Status::kNotDone) return Eviction::kPending;
  if (edit.met) return Eviction::kSpared;
  return owner != 0 && ThreadRecord::IsAttached(core_.region, owner) ? Eviction::kPending : Eviction::kStale;
}

Block Evictor::AllocatePages(std::size_t pages) {
  Status failure;
  return core_.blocks.AllocatePages(pages, &failure);
}

void Evictor::FreePages(Block block) {
  core_.blocks.FreePages(block);
}

// Evicts the next entry in turn, in the partition of the hash or the next that has any.
bool Evictor::EvictNext(std::uint32_t hash) {
  const std::size_t first = PartitionOf(hash, static_cast<std::uint32_t>(partitions_.size()));
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    Partition& partition = partitions_[(first + i) % partitions_.size()];
    if (!Lock(partition)) continue;
    const bool evicted = partition.queues.Evict();
    Unlock(partition);
    if (evicted) return true;
  }
  return false;
}

// Evicts the entry in a block, if one is there. What lies in the block is not known to be an entry.
void Evictor::EvictBlock(Block block) {
  if (!core_.region.Contains(block, kEntryData)) return;
  const std::uint32_t hash = core_.region.Load(WordOf(block) + kEntryHash);
  const Block node = core_.region.Load(WordOf(block) + kEntryNode);
  if (!core_.region.Contains(node, kNodeWords)) return;
  Partition& partition = PartitionFor(hash);
  if (!Lock(partition)) return;
  // Only if the index, too, has an entry with this hash and this node is it one; then the node is a node.
  const Eviction outcome = HasEntry(hash, node) ? Evict(node, false) : Eviction::kPending;
  if (outcome == Eviction::kEvicted || outcome == Eviction::kStale) partition.queues.Release(node);
  Unlock(partition);
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

// Whether an entry with this hash and node is live. True also if that cannot be told.
bool Evictor::HasEntry(std::uint32_t hash, Block node) {
  const Key key = NodeKey(node, hash);
  for (Backoff backoff(core_.region);;) {
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
  return partitions_[PartitionOf(hash, static_cast<std::uint32_t>(partitions_.size()))].at + kPartitionEpoch;
}

Identity Evictor::OwnerOf(const Partition& partition) const {
  return ThreadRecord::OwnerOf(core_.region, core_.region.Load(partition.at + kPartitionMutex));
}

bool Evictor::Lock(const Partition& partition) {
  return LockMutex(core_.region, partition.at + kPartitionMutex, core_.thread.owner_mark());
}

void Evictor::Unlock(const Partition& partition) {
  UnlockMutex(core_.region, partition.at + kPartitionMutex);
}

}  // namespace mapsafe
