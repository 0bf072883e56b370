// Whether the thread that has a record still lives. The dead leave no word, so each thread gives others a way to see
// it, and its name in the record says which. See docs/internals/protocol.md, "Death".
//
// Thread safety: free functions without state; from any thread.
#ifndef MAPSAFE_CORE_LIVENESS_H_
#define MAPSAFE_CORE_LIVENESS_H_

#include <chrono>
#include <cstdint>

#include "base/region.h"

namespace mapsafe {

// How others see that a thread has died.
enum class Proof : std::uint32_t {
  kNone = 0,    // not at all
  kLock = 1,    // nobody has the record's lock (RecordLocks): the region is in a file
  kHook = 2,    // what runs after its last step closes the engine, or marks the record: all are threads of one process
  kKernel = 3,  // the kernel knows no such thread
};

// What names a thread. Bits 0..21 the kernel's thread id, which is below 2^22; on systems without one the process id.
// Bits 22 and 23 its Proof. Bits 32..63 its start time in clock ticks, because ids are used again; 0 if it could not be
// read. Never 0.
using KernelId = std::uint64_t;

enum class Life : std::uint32_t {
  kUnknown = 0,
  kRunning = 1,
  kStopped = 2,
  kDead = 3,
  kElsewhere = 4,  // lives, in another PID namespace, whose threads cannot be looked at
};

// What a thread is doing just now.
struct Activity {
  bool known = false;               // else it is dead, or may be
  bool stopped = false;             // by a signal or a debugger
  bool runnable = false;            // runs, or waits for a processor
  std::chrono::nanoseconds ran{0};  // processor time it used in all
};

constexpr Proof ProofOf(KernelId name) {
  return static_cast<Proof>(name >> 22 & 3);
}

// The calling thread's name in a region. Some system calls.
KernelId OwnKernelId(const Region& region);

// What thread ids of this process mean: the number of its PID namespace, and in the upper half the first 32 bits of the
// boot id, since other kernels number their namespaces alike. 0 if that cannot be read. Some system calls.
std::uint64_t OwnNamespace();

// Whether the owner of record `index`, which is taken, certainly runs no more. A system call; some for kKernel.
bool IsDead(const Region& region, std::uint32_t index);

// What becomes of the owner of record `index`, which is taken, as far as can be seen from here. Some system calls.
Life LifeOf(const Region& region, std::uint32_t index);

// What the owner of record `index`, which is taken, is doing: known on Linux only, and in its PID namespace. Some
// system calls.
Activity ActivityOf(const Region& region, std::uint32_t index);

// Whether a thread of this process, by the name it left in a region of this process, certainly runs no more.
bool IsGone(KernelId name);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LIVENESS_H_
