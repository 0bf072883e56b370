// The nodes of a partition of a cache: the chunks they lie in, the list of the free ones, and the lists that the queues
// are. See docs/internals/format.md, "Eviction".
//
// Thread safety: all of it needs the partition's mutex.
#ifndef MAPSAFE_CORE_EVICTION_NODES_H_
#define MAPSAFE_CORE_EVICTION_NODES_H_

#include "base/region.h"

namespace mapsafe {

inline constexpr std::uint32_t kNodeBlocks = kNodeBytes / kBlockBytes;

// Where chunks come from.
class PageSource {
 public:
  // Allocates memory; 0 if there is none. Not from a size class, whose spans would be larger.
  virtual Block AllocatePages(std::size_t pages) = 0;
  virtual void FreePages(Block block) = 0;
  // Frees a chunk once no thread can store a stamp in it any more. Needs the directory mutex.
  virtual void FreeChunk(Block chunk) = 0;

 protected:
  ~PageSource() = default;
};

// A queue is named by its first word in the partition.
class Nodes {
 public:
  // `partition`: its first word.
  Nodes(Region region, WordIndex partition) : region_(region), at_(partition) {}

  // Makes lists and counts anew from the states of the nodes. Their order is lost. May be done again from its
  // beginning. O(nodes).
  void Relink();

  // Calls `visit` for every node, free or not, chunk by chunk.
  template <typename Act>
  void Visit(Act visit) const;

  // Takes a free node; 0 if there is none.
  Block Take();

  void Free(Block node);

  // Adds free nodes. Returns false if the source has no pages.
  bool AddChunk(PageSource* source);

  // Gives back the chunks of which no node is in use. O(nodes).
  void DropIdleChunks(PageSource* source);

  // The oldest node of a queue; 0 if it is empty.
  Block Oldest(std::uint32_t queue) const;

  void Push(std::uint32_t queue, Block node);
  void Remove(std::uint32_t queue, Block node);

 private:
  bool IsIdle(Block chunk) const;
  bool AddPages(PageSource* source, std::uint64_t pages);

  bool IsNode(Block block) const { return region_.Contains(block, kNodeBytes / sizeof(Word)); }
  Word Get(std::uint32_t field) const { return region_.Load(at_ + field); }
  void Set(std::uint32_t field, Word value) { region_.Store(at_ + field, value); }
  Word Get(Block node, std::uint32_t field) const { return region_.Load(WordOf(node) + field); }
  void Set(Block node, std::uint32_t field, Word value) { region_.Store(WordOf(node) + field, value); }

  Region region_;
  WordIndex at_;
};

template <typename Act>
void Nodes::Visit(Act visit) const {
  // Ends a walk over a damaged list: no two chunks overlap.
  std::uint64_t left = region_.block_count() / kNodeBlocks;
  for (Block chunk = Get(kPartitionChunks); IsNode(chunk); chunk = Get(chunk, kChunkNext)) {
    const std::uint64_t nodes = Get(chunk, kChunkNodes);
    if (nodes >= left || !region_.Contains(chunk, (nodes + 1) * kNodeBytes / sizeof(Word))) return;
    left -= nodes + 1;
    for (std::uint32_t index = 1; index <= nodes; ++index) visit(chunk + index * kNodeBlocks);
  }
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_NODES_H_
