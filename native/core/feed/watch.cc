#include "feed/watch.h"

#include "eviction/eviction.h"
#include "feed/feed.h"
#include "threads/takeover.h"
#include "write/cleanup.h"
#include "write/compaction.h"

namespace mapsafe {

namespace {

// A block for the ring; for want of memory as a write gets one: by evicting, or by cleaning up and moving entries.
Block AllocateRing(Core& core, std::size_t bytes, Status* failure) {
  *failure = Status::kFull;
  Block block = core.blocks.Allocate(bytes, Place::kFixed, failure);
  if (block != 0 || *failure != Status::kFull) return block;
  if (core.evictor != nullptr) return core.evictor->MakeFixedRoom(bytes, failure);
  CleanUpAll(core, Patience::kAll);
  core.blocks.Flush();
  return MakeRoomByMoving(core, bytes, Place::kFixed, failure);
}

}  // namespace

void Watch(Core& core) {
  Region& region = core.region;
  TakeOverFromDead(region);
  Status failure = Status::kDone;
  if (region.LoadAcquire(kHeaderFeed) == 0) {
    const std::size_t bytes = FeedBytes(region);
    const Block block = AllocateRing(core, bytes, &failure);
    if (block == 0) return Fail(core, failure);
    // Before there is anything that a process which does not know the feed must not touch.
    region.SetBits(kHeaderFeatures, kFeatureFeed);
    if (!region.CompareAndSwap(kHeaderFeed, 0, block)) core.blocks.Free(block, bytes);
  }
  if (region.Load(core.thread.at() + kThreadWatches) == 0) BeginWatching(region, core.thread.at());
  core.outcome->status = Status::kDone;
}

void Unwatch(Core& core) {
  EndWatching(core.region, core.thread.at());
  core.outcome->status = Status::kDone;
}

}  // namespace mapsafe
