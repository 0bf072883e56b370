// Whether a thread, of this process or another, still lives: asked of the kernel, since the dead leave no word.
//
// Thread safety: free functions without state.
#ifndef MAPSAFE_CORE_LIVENESS_H_
#define MAPSAFE_CORE_LIVENESS_H_

#include <chrono>
#include <cstdint>

namespace mapsafe {

// What names a thread for as long as the machine runs. Linux: bits 0..21 the kernel's thread id, which is below 2^22;
// bits 22..31 the low bits of its PID namespace, because ids of another namespace mean nothing here; bits 32..63 its
// start time in clock ticks, because ids are used again. Elsewhere the process id stands for all its threads. Never 0.
using KernelId = std::uint64_t;

enum class Life : std::uint32_t { kUnknown = 0, kRunning = 1, kStopped = 2, kDead = 3 };

// What a thread is doing just now.
struct Activity {
  bool known = false;               // else it may be dead
  bool runnable = false;            // runs, or waits for a processor
  std::chrono::nanoseconds ran{0};  // processor time it used in all
};

// The calling thread's. Some system calls.
KernelId OwnKernelId();

// kDead only if the thread certainly runs no more; kUnknown if it cannot be told from here. Some system calls.
Life LifeOf(KernelId id);

// Known on Linux only. Some system calls.
Activity ActivityOf(KernelId id);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LIVENESS_H_
