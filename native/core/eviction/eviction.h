// Eviction of a cache's entries: nodes for keys that are inserted, stamps for keys that are used, memory for writes
// that find none. See docs/internals/protocol.md, "Eviction".
//
// Thread safety: one thread. Locks are taken in the order reserve, partition, segment, bucket, heap. So a thread that
// holds a segment or bucket may call nothing here except Touch, Settle and Forget, which take no lock.
#ifndef MAPSAFE_CORE_EVICTION_H_
#define MAPSAFE_CORE_EVICTION_H_

#include <utility>
#include <vector>

#include "core.h"
#include "eviction/pages.h"
#include "eviction/queues.h"

namespace mapsafe {

inline constexpr std::uint32_t kNodeWords = kNodeBytes / sizeof(Word);

class Evictor final : public EntryStore {
 public:
  // `core` belongs to the thread whose writes evict.
  explicit Evictor(const Core& core);
  // The queues know where it is.
  Evictor(const Evictor&) = delete;
  Evictor& operator=(const Evictor&) = delete;

  // Gets a node for a key about to be inserted; the caller ends with Settle or Withdraw. Returns 0 with `failure` set
  // to kFull or kTimeout if there is none.
  Block Admit(std::uint32_t hash, Status* failure);

  // The entry with the node is published, or was replaced or deleted since. Release: a thread that then looks the entry
  // up meets it.
  void Settle(Block node) { core_.region.StoreRelease(WordOf(node) + kNodeOwner, 0); }

  // The entry with the node was never published.
  void Withdraw(Block node);

  // Notes that an entry was used; `node` comes from an entry that was validated since. Makes at most one store for each
  // key and epoch.
  void Touch(Block node, std::uint32_t hash) {
    if (!core_.region.Contains(node, kNodeWords)) return;
    const WordIndex stamp = WordOf(node) + kNodeStamp;
    const Word epoch = core_.region.Load(EpochOf(hash));
    if (core_.region.Load(stamp) != epoch) core_.region.Store(stamp, epoch);
  }

  // Notes that an entry was removed; SweepForgotten then takes its node out of the queues.
  void Forget(Block node, std::uint32_t hash) {
    if (core_.region.Contains(node, kNodeWords)) forgotten_.emplace_back(node, hash);
  }
  void SweepForgotten();

  // After deaths: frees every node whose entry is gone or was never published, and ends the inserts of dead threads
  // whose entry was published. Returns false if a partition could not be locked. Other threads insert meanwhile, and
  // only one partition waits at a time. O(nodes).
  bool Repair();

  // Begins a round: forgets what was passed over. A round passes over an entry whose eviction would wait for others.
  void StartRound() { passed_over_ = 0; }
  bool has_passed_over() const { return passed_over_ > 0; }

  // Gets a block of `bytes` bytes by evicting entries: first those next in turn, beginning in the partition of `hash`;
  // then all entries in some pages outside the reserve, since blocks of one size class serve no other. Bounded by one
  // round over the pages. Returns 0 with `failure` if that is not enough. Not for blocks of the reserve.
  Block MakeRoom(std::size_t bytes, std::uint32_t hash, Place place, Status* failure);

  // Like MakeRoom, for a block that never moves and that a call cannot do without: searches until no victim was passed
  // over, within the call's budget.
  Block MakeFixedRoom(std::size_t bytes, Status* failure);

  // Like MakeRoom, for an entry that can be evicted. Ends by emptying the reserve, which has room for everything that
  // CouldFit accepts. If something does not go within the call's budget, another thread has been inserting or deleting
  // it for all that time.
  Block MakeRoomForEntry(std::size_t bytes, std::uint32_t hash, Status* failure);

  // Evicts an entry of the home bucket of `hash`, where nothing can be inserted. Returns false if there is none to
  // evict.
  bool EvictAtHome(std::uint32_t hash);

  Eviction Evict(Block node, bool only_expired) override;
  Block AllocatePages(std::size_t pages) override;
  void FreePages(Block block) override;
  void FreeChunk(Block chunk) override;

  // Gives back the memory of partitions that hold few entries, beyond what they need. O(nodes).
  void GiveBackIdle();

 private:
  struct Partition {
    WordIndex at;
    EvictionQueues queues;
  };

  bool EvictNext(std::uint32_t hash);
  Block EvictInTurn(std::size_t bytes, std::uint32_t hash, Place place, Status* failure);
  Block EmptyPages(std::size_t bytes, int most, Place place, Status* failure);
  Block EmptyReserve(std::size_t bytes, Status* failure);
  bool EvictBlock(Block block);
  void GiveUp(Block block);
  void PrefetchVictims(const Partition& partition);
  void ReleaseIfStale(Partition& partition, Block node);
  bool HasEntry(std::uint32_t hash, Block node);
  Partition& PartitionFor(std::uint32_t hash);
  WordIndex EpochOf(std::uint32_t hash) const;
  bool Lock(const Partition& partition);
  bool LockAtOnce(const Partition& partition);
  void Unlock(const Partition& partition);

  Outcome outcome_{};
  Core core_;  // with an outcome of its own, since evictions happen in the middle of a write
  std::vector<Partition> partitions_;
  PageHand pages_;
  PageHand reserve_;
  WordIndex reserve_mutex_;
  std::vector<std::pair<Block, std::uint32_t>> forgotten_;  // nodes and hashes
  int passed_over_ = 0;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_H_
