// Bounded waiting: spin, then yield, then sleep. Nobody depends on being woken, so a waiter survives whatever happens
// to the thread it waits for; and what a dead thread held is taken over by those who wait.
#ifndef MAPSAFE_CORE_BACKOFF_H_
#define MAPSAFE_CORE_BACKOFF_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "threads/takeover.h"

namespace mapsafe {

inline void SpinPause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class Backoff {
 public:
  explicit Backoff(const Region& region) : region_(&region) {}

  // Waits a little longer each time. False once the bound is spent: the caller gives up.
  bool Wait() {
    if (++rounds_ <= kSpins) {
      SpinPause();
      return true;
    }
    if (rounds_ == kSpins + 1) {
      start_ = std::chrono::steady_clock::now();
      next_burial_ = start_ + kPatience;
    }
    if (rounds_ <= kSpins + kYields) {
      std::this_thread::yield();
      return true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - start_ > bound_.load(std::memory_order_relaxed)) return false;
    if (now >= next_burial_) {
      BuryTheDead(*region_);
      next_burial_ = std::chrono::steady_clock::now() + kPatience;
    }
    std::this_thread::sleep_for(sleep_);
    sleep_ = std::min(sleep_ * 2, kLongestSleep);
    return true;
  }

  // Changes the bound for all waiters of this process from now on: for tests in which many wait in vain.
  static void SetBound(std::chrono::microseconds bound) { bound_.store(bound, std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kSpins = 64;   // about 2 microseconds: a bucket is held for far less
  static constexpr std::uint32_t kYields = 16;  // lets a holder run that was preempted on this core
  static constexpr std::chrono::microseconds kLongestSleep{1000};
  // Longer than any scheduling delay; see docs/protocol.md, "Waiting".
  static inline std::atomic<std::chrono::microseconds> bound_{std::chrono::seconds{2}};

  // Before the kernel is asked who is dead: longer than almost every wait, so that asking costs nothing.
  static constexpr std::chrono::milliseconds kPatience{5};

  const Region* region_;
  std::uint32_t rounds_ = 0;
  std::chrono::microseconds sleep_{50};
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point next_burial_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_BACKOFF_H_
