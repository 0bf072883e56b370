// Which entry a partition of a cache evicts. See docs/decisions/2026-11-20-eviction-policy.md for the policy,
// docs/internals/format.md, "Eviction", for its memory.
//
// Thread safety: all of it needs the partition's mutex, but for the stamps of nodes, which hits store without it.
#ifndef MAPSAFE_CORE_EVICTION_QUEUES_H_
#define MAPSAFE_CORE_EVICTION_QUEUES_H_

#include <optional>

#include "base/region.h"
#include "eviction/ghosts.h"
#include "eviction/nodes.h"

namespace mapsafe {

// Result of an eviction.
enum class Eviction {
  kSpared,   // only an expired entry was to be removed, and the entry has not expired
  kEvicted,  // the entry is gone
  kStale,    // there was no entry any more
  kPending,  // its insert is still under way
};

// Operations that the queues need from the code that knows the entries.
class EntryStore : public PageSource {
 public:
  // Removes the entry of a node; with `only_expired`, only if it has expired.
  virtual Eviction Evict(Block node, bool only_expired) = 0;

 protected:
  ~EntryStore() = default;
};

class EvictionQueues {
 public:
  // `partition`: its first word. `entries` may be null for a caller that only rebuilds.
  EvictionQueues(Region region, WordIndex partition, EntryStore* entries)
      : region_(region), at_(partition), entries_(entries), nodes_(region, partition), ghosts_(region, partition) {}

  std::uint32_t size() const;

  // Gets a node for a key that is being inserted, in its place in the queues. Evicts if necessary; returns 0 if there
  // is none. kNodeOwner holds `owner` until the insert is over.
  Block Admit(std::uint32_t hash, Word owner);

  // Evicts the next entry in turn, or drops a node without one. Returns false if no entry can be evicted.
  bool Evict();

  // Takes a node without an entry out of the queues.
  void Release(Block node);

  // Gives back nodes and ghosts if there are many times as many as entries. O(nodes).
  void GiveBackIdle();

  // Makes lists and counts anew from the states of the nodes, after the death of a thread that was changing them. Their
  // order is lost. May be done again from its beginning. O(nodes + ghosts).
  void Rebuild();

  // Calls `visit` for every node, free or not, chunk by chunk.
  template <typename Visit>
  void VisitNodes(Visit visit) const {
    nodes_.Visit(visit);
  }

 private:
  void CountMiss();
  std::optional<Word> Recall(std::uint32_t hash);
  bool BelongsInMain(std::optional<Word> last_use);
  void Keep(Block node);
  void EnterMain(Block node);
  void EnterCold(Block node, Word state);
  void FillCold();
  void Demote();
  Block OldestOfMain();
  bool WasUsed(Block node) const;
  void Record(Block node);
  void Remember(Block node);
  std::uint32_t ColdTarget() const;
  void GrowCold();
  void ShrinkCold();
  std::uint32_t Step(GhostClass others, GhostClass own) const;
  Block TakeNode();
  bool AddNodes();
  void GrowGhosts();
  void DropGhosts();

  Word Get(std::uint32_t field) const { return region_.Load(at_ + field); }
  void Set(std::uint32_t field, Word value) { region_.Store(at_ + field, value); }
  Word Get(Block node, std::uint32_t field) const { return region_.Load(WordOf(node) + field); }
  void Set(Block node, std::uint32_t field, Word value) { region_.Store(WordOf(node) + field, value); }

  Region region_;
  WordIndex at_;
  EntryStore* entries_;
  Nodes nodes_;
  Ghosts ghosts_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_QUEUES_H_
