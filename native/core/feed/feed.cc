#include "feed/feed.h"

#include <atomic>

#include "threads/thread_record.h"

namespace mapsafe {

void BeginWatching(Region region, WordIndex record) {
  region.StoreRelease(record + kThreadWatches, 1);
  // The word grows with every watcher, so that who is about to find nobody watching fails to say so.
  for (;;) {
    const Word seen = region.LoadAcquire(kHeaderFeedWatched);
    if (region.CompareAndSwap(kHeaderFeedWatched, seen, (seen + 2) | 1)) break;
  }
  // Pairs with the fence of a writer between its change and its look at the word: it sees the watcher, or the watcher
  // sees the change.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void EndWatching(Region region, WordIndex record) {
  region.StoreRelease(record + kThreadWatches, 0);
  UnwatchIfNobody(region);
}

void UnwatchIfNobody(Region region) {
  const Word seen = region.LoadAcquire(kHeaderFeedWatched);
  if ((seen & 1) == 0) return;
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    if (region.LoadAcquire(ThreadRecord::At(index) + kThreadWatches) != 0) return;
  }
  region.CompareAndSwap(kHeaderFeedWatched, seen, seen & ~Word{1});
}

}  // namespace mapsafe
