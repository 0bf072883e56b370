// Checks a cache's eviction area: every node in one place, every live entry with a node of its own.
#ifndef MAPSAFE_CORE_VERIFY_EVICTION_H_
#define MAPSAFE_CORE_VERIFY_EVICTION_H_

#include <functional>
#include <initializer_list>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/region.h"

namespace mapsafe {

class EvictionAudit {
 public:
  // Notes that a structure of this many pages begins at a block; false if it should not be examined.
  using Use = std::function<bool(Block, std::size_t, const char*)>;
  using Problem = std::function<void(const std::string&)>;

  EvictionAudit(Region region, Use use, Problem problem);

  // Checks all partitions.
  void Run();

  // Checks the node of a live entry. After Run.
  void CheckEntry(Block entry);

 private:
  void CheckPartition(WordIndex at);
  std::uint32_t ReadChunks(WordIndex at);
  std::uint32_t WalkQueue(WordIndex at, WordIndex queue, std::initializer_list<Word> states);
  std::uint32_t WalkFree(WordIndex at);
  void CheckGhosts(WordIndex at);

  Word Get(Block node, std::uint32_t field) const { return region_.Load(WordOf(node) + field); }

  Region region_;
  Use use_;
  Problem problem_;
  std::vector<WordIndex> partitions_;
  std::unordered_map<Block, WordIndex> nodes_;  // and the partition that each belongs to
  std::unordered_set<Block> owned_;             // owned by a live entry
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_VERIFY_EVICTION_H_
