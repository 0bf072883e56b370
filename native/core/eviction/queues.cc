#include "eviction/queues.h"

#include <algorithm>

namespace mapsafe {

namespace {

// Epochs in as many misses as there are entries. Few, so that a hit seldom finds its stamp out of date.
constexpr std::uint64_t kTicksPerTurnover = 16;

// Most entries that one eviction passes because they were used: bounds its work.
constexpr int kMaxChances = 16;

// The cold queue's share changes by one entry at a time, or in a large cache by this.
constexpr std::uint32_t kLeastStep = kColdShareOne / 512;

// The cold queue grows by leaps, of so many steps each, once it has grown as often in a row as a twentieth of all
// entries are, and this often at least: keys keep returning soon after their eviction, and nothing in the main queue is
// asked for.
constexpr std::uint32_t kLeap = 32;
constexpr Word kGrowthsPerTurnover = 20;
constexpr Word kLeastGrowths = 10;
constexpr Word kMaxGrowths = 1u << 24;

constexpr std::uint32_t kGhostsPerNode = 2;

// Nodes and ghosts are given back once there are this many times as many nodes as entries.
constexpr std::uint64_t kIdleShare = 4;

// Epochs are counted modulo 2^32.
bool IsLater(Word epoch, Word than) {
  return static_cast<std::int32_t>(epoch - than) > 0;
}

}  // namespace

std::uint32_t EvictionQueues::size() const {
  return Get(kPartitionCold + kQueueSize) + Get(kPartitionMain + kQueueSize);
}

Block EvictionQueues::Admit(std::uint32_t hash, Word owner) {
  CountMiss();
  const std::optional<Word> last_use = Recall(hash);
  const Word limit = Get(kPartitionLimit);
  while (limit > 0 && size() >= limit) {
    if (!Evict()) return 0;
  }
  const Block node = TakeNode();
  if (node == 0) return 0;
  Set(node, kNodeHash, hash);
  Set(node, kNodeOwner, owner);
  Set(node, kNodeStamp, Get(kPartitionUseClock));
  if (BelongsInMain(last_use)) {
    EnterMain(node);
  } else {
    EnterCold(node, kNodeInCold);
  }
  return node;
}

bool EvictionQueues::Evict() {
  Set(kPartitionHasEvicted, 1);
  int chances = kMaxChances;
  for (int pending = 0; pending <= kMaxChances;) {
    FillCold();
    const Block node = nodes_.Oldest(kPartitionCold);
    if (node == 0) return false;
    const bool was_used = WasUsed(node) && chances-- > 0;
    switch (entries_->Evict(node, was_used)) {
      case Eviction::kSpared:
        Keep(node);
        break;
      case Eviction::kPending:
        nodes_.Remove(kPartitionCold, node);
        nodes_.Push(kPartitionCold, node);
        Demote();  // the cold queue may hold nothing else
        ++pending;
        break;
      case Eviction::kEvicted:
        Remember(node);
        [[fallthrough]];
      case Eviction::kStale:
        Release(node);
        return true;
    }
  }
  return false;
}

void EvictionQueues::Release(Block node) {
  nodes_.Remove(Get(node, kNodeState) == kNodeInMain ? kPartitionMain : kPartitionCold, node);
  Set(node, kNodeOwner, 0);
  Set(node, kNodeState, kNodeFree);
  nodes_.Free(node);
  if (size() == 0) Set(kPartitionHasEvicted, 0);
}

void EvictionQueues::Rebuild() {
  nodes_.Relink();
  if (size() == 0) Set(kPartitionHasEvicted, 0);
  ghosts_.Recount();
}

void EvictionQueues::GiveBackIdle() {
  if (Get(kPartitionNodes) == 0 || std::uint64_t{size()} * kIdleShare > Get(kPartitionNodes)) return;
  const Word nodes = Get(kPartitionNodes);
  nodes_.DropIdleChunks(entries_);
  if (Get(kPartitionNodes) * kIdleShare <= nodes) DropGhosts();
}

// Forgets all evictions. The table is made anew with the next chunk of nodes.
void EvictionQueues::DropGhosts() {
  if (Get(kPartitionGhostBuckets) == 0) return;
  region_.StoreRelease(at_ + kPartitionGhostBuckets, 0);
  entries_->FreePages(Get(kPartitionGhosts));
  ghosts_.Recount();
}

void EvictionQueues::CountMiss() {
  const Word misses = Get(kPartitionMisses) + 1;
  Set(kPartitionMisses, misses);
  if (misses * kTicksPerTurnover < size()) return;
  Set(kPartitionMisses, 0);
  Set(kPartitionUseClock, Get(kPartitionUseClock) + 1);
}

// The epoch of the last use of an evicted key, from which the queues learn. Empty if it is not known.
std::optional<Word> EvictionQueues::Recall(std::uint32_t hash) {
  Ghosts::Ghost ghost;
  if (!ghosts_.Find(hash, &ghost)) return std::nullopt;
  if (ghost.ghost_class == GhostClass::kDemoted) {
    const std::uint64_t share = Get(kPartitionColdShare);
    if (std::uint64_t{ghost.idle} * kColdShareOne <= share * kTicksPerTurnover + kColdShareOne) ShrinkCold();
  } else if (ghost.age <= 1) {
    GrowCold();
  }
  ghosts_.Remove(ghost);
  return Get(kPartitionUseClock) - ghost.idle;
}

// Whether a key with its last use in epoch `last_use` has been idle for less time than the main queue's oldest.
bool EvictionQueues::BelongsInMain(std::optional<Word> last_use) {
  if (Get(kPartitionHasEvicted) == 0) return true;
  if (!last_use) return false;
  const Block oldest = OldestOfMain();
  return oldest == 0 || IsLater(*last_use, Get(oldest, kNodeRecorded));
}

// Moves the cold queue's oldest entry, which was used, to its new place.
void EvictionQueues::Keep(Block node) {
  if (Get(node, kNodeState) == kNodeInColdDemoted && !IsLater(Get(node, kNodeStamp), Get(node, kNodeDemoted) + 1)) {
    ShrinkCold();
  }
  const Word used_before = Get(node, kNodeRecorded);
  nodes_.Remove(kPartitionCold, node);
  if (BelongsInMain(used_before)) {
    EnterMain(node);
  } else {
    EnterCold(node, kNodeInCold);
  }
}

void EvictionQueues::EnterMain(Block node) {
  Record(node);
  Set(node, kNodeState, kNodeInMain);
  nodes_.Push(kPartitionMain, node);
  if (Get(kPartitionHasEvicted) == 1 && Get(kPartitionCold + kQueueSize) < ColdTarget()) Demote();
}

void EvictionQueues::EnterCold(Block node, Word state) {
  Record(node);
  Set(node, kNodeState, state);
  nodes_.Push(kPartitionCold, node);
}

void EvictionQueues::FillCold() {
  const std::uint32_t target = ColdTarget();
  for (int steps = 0; steps < kMaxChances; ++steps) {
    if (Get(kPartitionCold + kQueueSize) >= target || Get(kPartitionMain + kQueueSize) == 0) return;
    Demote();
  }
}

void EvictionQueues::Demote() {
  const Block node = OldestOfMain();
  if (node == 0) return;
  nodes_.Remove(kPartitionMain, node);
  Set(node, kNodeDemoted, Get(kPartitionUseClock));
  EnterCold(node, kNodeInColdDemoted);
}

// The main queue's oldest entry, after those used meanwhile have moved on; 0 if the queue is empty.
Block EvictionQueues::OldestOfMain() {
  for (int chances = 0; chances < kMaxChances; ++chances) {
    const Block node = nodes_.Oldest(kPartitionMain);
    if (node == 0 || !WasUsed(node)) return node;
    Set(kPartitionColdGrowths, 0);
    nodes_.Remove(kPartitionMain, node);
    Record(node);
    nodes_.Push(kPartitionMain, node);
  }
  return nodes_.Oldest(kPartitionMain);
}

// Since it got its place.
bool EvictionQueues::WasUsed(Block node) const {
  return IsLater(Get(node, kNodeStamp), Get(node, kNodeRecorded));
}

void EvictionQueues::Record(Block node) {
  Set(node, kNodeRecorded, Get(node, kNodeStamp));
}

void EvictionQueues::Remember(Block node) {
  const GhostClass ghost_class = Get(node, kNodeState) == kNodeInColdDemoted ? GhostClass::kDemoted : GhostClass::kCold;
  ghosts_.Add(Get(node, kNodeHash), ghost_class, Get(node, kNodeStamp));
}

// Number of entries that the cold queue should hold.
std::uint32_t EvictionQueues::ColdTarget() const {
  const std::uint32_t entries = size();
  const auto target =
      static_cast<std::uint32_t>(std::uint64_t{entries} * Get(kPartitionColdShare) / std::uint64_t{kColdShareOne});
  return std::max(1u, std::min(target, entries == 0 ? 0 : entries - 1));
}

void EvictionQueues::GrowCold() {
  const Word growths = std::min(kMaxGrowths, Get(kPartitionColdGrowths) + 1);
  Set(kPartitionColdGrowths, growths);
  const std::uint32_t steps = growths < kLeastGrowths || growths * kGrowthsPerTurnover < size() ? 1 : kLeap;
  const std::uint32_t share = Get(kPartitionColdShare) + steps * Step(GhostClass::kDemoted, GhostClass::kCold);
  Set(kPartitionColdShare, std::min(kColdShareOne, share));
}

void EvictionQueues::ShrinkCold() {
  Set(kPartitionColdGrowths, 0);
  const std::uint32_t step = Step(GhostClass::kCold, GhostClass::kDemoted);
  const std::uint32_t share = Get(kPartitionColdShare);
  Set(kPartitionColdShare, share > step ? share - step : 0);
}

// As in ARC: a return counts for more if there are fewer ghosts of its class.
std::uint32_t EvictionQueues::Step(GhostClass others, GhostClass own) const {
  const std::uint32_t step = std::max(kLeastStep, kColdShareOne / std::max(1u, size()));
  const std::uint64_t own_count = ghosts_.Count(own);
  const std::uint64_t other_count = ghosts_.Count(others);
  if (own_count == 0 || other_count <= own_count) return step;
  return static_cast<std::uint32_t>(std::min(std::uint64_t{kColdShareOne}, step * other_count / own_count));
}

// A free node; 0 if there is none and nothing can be evicted for it.
Block EvictionQueues::TakeNode() {
  for (;;) {
    const Block node = nodes_.Take();
    if (node != 0 || (!AddNodes() && !Evict())) return node;
  }
}

bool EvictionQueues::AddNodes() {
  if (!nodes_.AddChunk(entries_)) return false;
  GrowGhosts();
  return true;
}

// Makes room for ghosts beside new nodes, half as much again as now. Loses what was remembered.
void EvictionQueues::GrowGhosts() {
  const std::uint64_t nodes = Get(kPartitionNodes);
  const std::uint64_t limit = Get(kPartitionLimit);
  const std::uint32_t buckets = Get(kPartitionGhostBuckets);
  const std::uint64_t wanted = limit > 0 ? limit : nodes * 3 / 2;
  if (std::uint64_t{buckets} * kGhostsPerBucket >= (limit > 0 ? limit : nodes) * kGhostsPerNode) return;
  const auto more = static_cast<std::uint32_t>((wanted * kGhostsPerNode + kGhostsPerBucket - 1) / kGhostsPerBucket);
  const Block table = entries_->AllocatePages(GhostPages(more));
  if (table == 0) return;
  for (std::size_t word = 0; word < GhostBytes(more) / sizeof(Word); ++word) region_.Store(WordOf(table) + word, 0);
  // In case we die: a table is in use exactly while its number of buckets is not 0.
  Set(kPartitionGhostBuckets, 0);
  if (buckets > 0) entries_->FreePages(Get(kPartitionGhosts));
  Set(kPartitionGhosts, table);
  region_.StoreRelease(at_ + kPartitionGhostBuckets, more);
  ghosts_.Recount();
}

}  // namespace mapsafe
