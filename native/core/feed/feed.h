// The change feed: a ring of what happened to keys, which threads that watch the map read. See
// docs/internals/protocol.md, "Change feed". Here is what concerns the region alone; tell.h is what writers do.
//
// Thread safety: any thread.
#ifndef MAPSAFE_CORE_FEED_H_
#define MAPSAFE_CORE_FEED_H_

#include <algorithm>
#include <bit>
#include <cstddef>

#include "base/region.h"

namespace mapsafe {

// Bytes of the ring: the same for every thread, since the region's size decides. A power of two.
inline std::size_t FeedBytes(const Region& region) {
  return std::clamp(std::bit_floor(region.bytes() / kFeedPart), std::size_t{kMinFeedBytes}, std::size_t{kMaxFeedBytes});
}

// First word of the ring; 0 if there is none, or none can lie where the header says.
inline WordIndex FeedRing(const Region& region) {
  const Block block = region.LoadAcquire(kHeaderFeed);
  return region.Contains(block, FeedBytes(region) / sizeof(Word)) ? WordOf(block) : 0;
}

// Whether any thread watches. All that a writer pays while none does.
inline bool IsWatched(const Region& region) {
  return (region.Load(kHeaderFeedWatched) & 1) != 0;
}

// Notes that a change may be missing in the ring: every watcher learns that it may have missed some.
inline void NoteMissed(Region region) {
  region.Add(kHeaderFeedLost, 1);
}

// Has the thread with the record at word `record` watch. Whatever it reads afterwards is as every write left it that
// does not tell.
void BeginWatching(Region region, WordIndex record);

// Has that thread no longer watch.
void EndWatching(Region region, WordIndex record);

// Has writers tell no longer if no record says that its thread watches.
void UnwatchIfNobody(Region region);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_FEED_H_
