// What a partition remembers of keys that it evicted: a set-associative table of hashes, each with the epochs of its
// last use and of its eviction. See docs/internals/format.md, "Eviction".
//
// Thread safety: all of it needs the partition's mutex.
#ifndef MAPSAFE_CORE_EVICTION_GHOSTS_H_
#define MAPSAFE_CORE_EVICTION_GHOSTS_H_

#include "base/region.h"

namespace mapsafe {

// Evicted from the cold queue without ever having been in the main one, or after having been in it.
enum class GhostClass : Word { kCold = 0, kDemoted = 1 };

constexpr std::size_t GhostBytes(std::uint32_t buckets) {
  return std::size_t{buckets} * kGhostsPerBucket * kGhostWords * sizeof(Word);
}

// Pages that the table fills.
constexpr std::size_t GhostPages(std::uint32_t buckets) {
  return (GhostBytes(buckets) + kPageBytes - 1) / kPageBytes;
}

class Ghosts {
 public:
  // A ghost that was found. Ages are in epochs.
  struct Ghost {
    WordIndex at;
    GhostClass ghost_class;
    std::uint32_t idle;  // since the last use
    std::uint32_t age;   // since the eviction
  };

  // `partition`: its first word.
  Ghosts(Region region, WordIndex partition) : region_(region), partition_(partition) {}

  // Number of ghosts of a class.
  Word Count(GhostClass ghost_class) const { return region_.Load(CountOf(ghost_class)); }

  // Returns false if there is none of the hash.
  bool Find(std::uint32_t hash, Ghost* ghost) const;

  // Forgets a ghost.
  void Remove(const Ghost& ghost);

  // Remembers an eviction; a full bucket forgets its oldest ghost for it.
  void Add(std::uint32_t hash, GhostClass ghost_class, Word last_use);

  // Makes the counts match the table. O(ghosts).
  void Recount();

 private:
  WordIndex CountOf(GhostClass ghost_class) const {
    return partition_ + kPartitionGhostCounts + static_cast<Word>(ghost_class);
  }
  std::uint32_t AgeOf(Word epoch) const { return (region_.Load(partition_ + kPartitionUseClock) - epoch) & 0xffff; }

  // First word of the bucket of a hash; 0 if there is no table, or none in the region.
  WordIndex BucketOf(std::uint32_t hash) const;

  Region region_;
  WordIndex partition_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_GHOSTS_H_
