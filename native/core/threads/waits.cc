#include "threads/waits.h"

#include <atomic>

#include "../platform/futex.h"

namespace mapsafe {

// Makes an odd word even, and wakes. If the swap fails, another thread was faster: it makes the swap after this
// thread's change, since this thread's load met the value before, and wakes the same threads.
void WakeWaitingAt(Region region, const Waker& waker, WordIndex at) {
  const Word value = region.Load(at);
  if ((value & 1) == 0 || !region.CompareAndSwap(at, value, value + 1)) return;
  if (region.locks() != nullptr) {
    RingBell(region);
  } else if (waker.wake != nullptr) {
    waker.wake(waker.data, at);
  }
}

Announced AnnounceWait(Region region, std::uint32_t hash) {
  const WordIndex at = WaitWordAt(hash);
  const Word value = region.SetBits(at, 1) | 1;
  // Pairs with the fence of the thread that changes the key: one of the two sees what the other one did before it.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return {at, value};
}

void WakeWaiting(Region region, const Waker& waker, std::uint32_t hash) {
  WakeWaitingAt(region, waker, WaitWordAt(hash));
}

void WakeAllWaiting(Region region, const Waker& waker) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (std::uint32_t i = 0; i < kWaitWords; ++i) WakeWaitingAt(region, waker, WaitWordAt(i));
  WakeWaitingAt(region, waker, kHeaderFeedWait);
}

void RingBell(Region region) {
  region.Add(kHeaderBell, 1);
  WakeAtFutex(region.AddressOf(kHeaderBell));
}

}  // namespace mapsafe
