// A thread's own stock of free blocks, kept in its thread record so that it is never lost from sight: verify() counts
// it, and the blocks of a dead thread can be found. It has none of a cache's reserve: those are taken and given back
// one by one.
//
// Thread safety: owner only. Takes the heap mutex once a batch.
#ifndef MAPSAFE_CORE_BLOCK_CACHE_H_
#define MAPSAFE_CORE_BLOCK_CACHE_H_

#include "base/outcome.h"
#include "memory/heap.h"
#include "threads/thread_record.h"

namespace mapsafe {

class BlockCache {
 public:
  BlockCache(Region region, ThreadRecord thread);

  // A block for `bytes` bytes; 0 with `failure` set to kFull, kTimeout or kCorrupt. Only entries that can be evicted
  // may be anywhere.
  Block Allocate(std::size_t bytes, Place place, Status* failure);

  // `bytes` as given to Allocate. If the heap mutex cannot be had the block stays in the cache.
  void Free(Block block, std::size_t bytes);

  // A run of whole pages, of any length; as Allocate.
  Block AllocatePages(std::size_t pages, Place place, Status* failure);
  void FreePages(Block block);

  // Gives everything back to the heap, and spans without a used block back to the page runs.
  void Flush();

  // Whether `bytes` bytes could be had from a heap that holds only an empty map; in a cache, whether evictions can
  // always make room for them.
  bool CouldFit(std::size_t bytes) const;

 private:
  bool Refill(std::uint32_t size_class, Place place, Status* failure);
  Place Allowed(Place place) const;
  bool GiveReserved(std::uint32_t size_class, Block block);
  bool Lock();
  void Unlock();
  void GiveBack(std::uint32_t size_class, std::uint32_t count);

  Region region_;
  ThreadRecord thread_;
  Heap heap_;
  WordIndex reserve_mutex_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_BLOCK_CACHE_H_
