#include "threads/thread_record.h"

#include <chrono>
#include <thread>

#include "../platform/record_locks.h"
#include "feed/feed.h"
#include "threads/takeover.h"

namespace mapsafe {

namespace {

// Time to find a free record while other threads are taking or freeing some. That takes them microseconds unless they
// are stopped.
constexpr int kMostTries = 200;

}  // namespace

ThreadRecord::ThreadRecord(Region region, std::uint32_t index)
    : region_(region), at_(At(index)), owner_mark_(MarkOf(region, index)) {}

std::optional<ThreadRecord> ThreadRecord::Attach(Region region, Identity identity, Word engine) {
  const KernelId self = OwnKernelId(region);
  for (int tries = 1;; ++tries) {
    bool is_changing = !TakeOverFromDead(region);
    UnwatchIfNobody(region);  // if who took over from the last watcher died as well
    for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
      if (!Take(region, index, self, &is_changing)) continue;
      const WordIndex at = At(index);
      region.Store(at + kThreadIncarnation, region.Load(at + kThreadIncarnation) + 1);
      region.Store(at + kThreadPid, identity.pid);
      region.Store(at + kThreadId, identity.thread);
      region.Store(at + kThreadEngine, engine);
      region.Store(at + kThreadClaim, 0);
      region.Store(at + kThreadSleeps, 0);
      region.Store(at + kThreadWatches, 0);
      // Before this thread looks at the directory: see HaveAllHeeded in departures.cc.
      std::atomic_thread_fence(std::memory_order_seq_cst);
      region.Store(at + kThreadDepartures, region.LoadAcquire(kHeaderDepartures));
      region.StorePair(at + kThreadNamespace, OwnNamespace());
      region.StoreRelease(at + kThreadState, kThreadAttached);
      return ThreadRecord(region, index);
    }
    if (!is_changing || tries == kMostTries) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Takes the record's lock first, so that a taken record never looks like a dead thread's. The name then takes the
// record, so that other threads can always tell how to ask for its owner. `is_changing` becomes true if a thread has
// the lock of a free record: it has it only for as long as it frees or takes the record.
bool ThreadRecord::Take(Region region, std::uint32_t index, KernelId self, bool* is_changing) {
  const WordIndex at = At(index);
  if (region.LoadPair(at + kThreadKernelId) != 0) return false;
  const bool needs_lock = ProofOf(self) == Proof::kLock;
  if (needs_lock && !region.locks()->TryLock(index)) {
    *is_changing = true;
    return false;
  }
  // Acquire pairs with the release in Detach: the former owner's last stores come before our first.
  if (region.CompareAndSwapPair(at + kThreadKernelId, 0, self)) return true;
  if (needs_lock) region.locks()->Unlock(index);
  return false;
}

void ThreadRecord::Detach() {
  if (region_.Load(at_ + kThreadWatches) != 0) EndWatching(region_, at_);
  ClearClaim();
  region_.StorePair(at_ + kThreadNamespace, 0);
  region_.StoreRelease(at_ + kThreadState, kThreadFree);
  region_.StorePairRelease(at_ + kThreadKernelId, 0);
  // Last: otherwise other threads would take over from this thread while it still has the record.
  if (region_.locks() != nullptr) region_.locks()->UnlockAndClose(index());
}

std::optional<ThreadRecord> ThreadRecord::Borrow(Region region, std::uint32_t index) {
  bool is_changing = false;
  if (!Take(region, index, OwnKernelId(region), &is_changing)) return std::nullopt;
  return ThreadRecord(region, index);
}

void ThreadRecord::Return() {
  region_.StorePairRelease(at_ + kThreadKernelId, 0);
  if (region_.locks() != nullptr) region_.locks()->Unlock(index());  // last, as in Detach
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
