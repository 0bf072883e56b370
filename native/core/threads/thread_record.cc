#include "threads/thread_record.h"

#include "threads/liveness.h"
#include "threads/takeover.h"

namespace mapsafe {

ThreadRecord::ThreadRecord(Region region, std::uint32_t index)
    : region_(region), at_(At(index)), owner_mark_(MarkOf(region, index)) {}

std::optional<ThreadRecord> ThreadRecord::Attach(Region region, Identity identity, Word engine) {
  BuryTheDead(region);
  const KernelId self = OwnKernelId();
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    const WordIndex at = At(index);
    // The owner's name is what takes the record, so that there is no instant at which nobody could tell whose it is.
    // Acquire pairs with the release in Detach: the former owner's last stores come before our first.
    if (region.LoadPair(at + kThreadKernelId) != 0 || !region.CompareAndSwapPair(at + kThreadKernelId, 0, self))
      continue;
    region.Store(at + kThreadIncarnation, region.Load(at + kThreadIncarnation) + 1);
    region.Store(at + kThreadPid, identity.pid);
    region.Store(at + kThreadId, identity.thread);
    region.Store(at + kThreadEngine, engine);
    region.Store(at + kThreadClaim, 0);
    region.StoreRelease(at + kThreadState, kThreadAttached);
    return ThreadRecord(region, index);
  }
  return std::nullopt;
}

void ThreadRecord::Detach() {
  ClearClaim();
  region_.StoreRelease(at_ + kThreadState, kThreadFree);
  region_.StorePairRelease(at_ + kThreadKernelId, 0);
}

Word ThreadRecord::SumOfSizeDeltas(const Region& region) {
  Word sum = 0;
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) sum += region.Load(At(index) + kThreadSizeDelta);
  return sum;
}

bool ThreadRecord::IsAttached(const Region& region, Word owner_mark) {
  const std::uint32_t index = IndexOf(owner_mark);
  if (index == kNobody || region.LoadAcquire(At(index) + kThreadState) != kThreadAttached) return false;
  return region.Load(At(index) + kThreadIncarnation) << 8 == (owner_mark & ~Word{0xff});
}

std::uint32_t ThreadRecord::ClaimantOf(const Region& region, Block target, Word self) {
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    const WordIndex at = At(index);
    if (index == IndexOf(self) || region.LoadAcquire(at + kThreadState) != kThreadAttached) continue;
    if (const Word claim = region.Load(at + kThreadClaim); claim == target || claim == kClaimAll) return index;
  }
  return kNobody;
}

}  // namespace mapsafe
