#include "thread_record.h"

namespace mapsafe {

ThreadRecord::ThreadRecord(Region region, std::uint32_t index)
    : region_(region), at_(At(index)), owner_mark_((index + 1) | region.Load(At(index) + kThreadIncarnation) << 8) {}

std::optional<ThreadRecord> ThreadRecord::Attach(Region region, Identity identity, Word engine) {
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    const WordIndex at = At(index);
    if (region.Load(at + kThreadState) != kThreadFree) continue;
    // Acquire pairs with the release in Detach: the former owner's last stores come before our first.
    if (!region.CompareAndSwap(at + kThreadState, kThreadFree, kThreadAttached)) continue;
    region.Store(at + kThreadIncarnation, region.Load(at + kThreadIncarnation) + 1);
    region.Store(at + kThreadPid, identity.pid);
    region.Store(at + kThreadId, identity.thread);
    region.Store(at + kThreadEngine, engine);
    region.Store(at + kThreadClaim, 0);
    return ThreadRecord(region, index);
  }
  return std::nullopt;
}

void ThreadRecord::Detach() {
  ClearClaim();
  region_.StoreRelease(at_ + kThreadState, kThreadFree);
}

Identity ThreadRecord::OwnerOf(const Region& region, Word owner_mark) {
  const std::uint32_t index = (owner_mark & 0xff) - 1;
  if (index >= kRegistryThreads) return {0, 0};
  return {region.Load(At(index) + kThreadPid), region.Load(At(index) + kThreadId)};
}

Identity ThreadRecord::ClaimantOf(const Region& region, Block target) {
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    const WordIndex at = At(index);
    if (region.LoadAcquire(at + kThreadState) != kThreadAttached) continue;
    if (const Word claim = region.Load(at + kThreadClaim); claim == target || claim == kClaimAll) {
      return {region.Load(at + kThreadPid), region.Load(at + kThreadId)};
    }
  }
  return {0, 0};
}

}  // namespace mapsafe
