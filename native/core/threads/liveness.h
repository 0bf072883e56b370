// Whether the thread that has a record is still alive. A dead thread sends no message, so each thread gives others a
// way to see its death, and its name in the record says which way. See docs/internals/protocol.md, "Death".
//
// Thread safety: free functions without state; from any thread.
#ifndef MAPSAFE_CORE_LIVENESS_H_
#define MAPSAFE_CORE_LIVENESS_H_

#include <chrono>
#include <cstdint>

#include "base/region.h"

namespace mapsafe {

// How other threads see that a thread has died.
enum class Proof : std::uint32_t {
  kNone = 0,    // they cannot
  kLock = 1,    // no thread has the record's lock (RecordLocks): the region is in a file
  kHook = 2,    // code that runs after its last step closes the engine or marks the record: threads of one process
  kKernel = 3,  // the kernel knows no such thread
};

// Name of a thread. Bits 0..21 hold the kernel's thread id, which is below 2^22, or the process id on systems without
// thread ids. Bits 22 and 23 hold its Proof. Bits 32..63 hold its start time in clock ticks, because ids are used
// again, or 0 if it could not be read. Never 0.
using KernelId = std::uint64_t;

enum class Life : std::uint32_t {
  kUnknown = 0,
  kRunning = 1,
  kStopped = 2,
  kDead = 3,
  kElsewhere = 4,  // alive, in another PID namespace, whose threads cannot be seen from here
};

// What a thread is doing at this moment.
struct Activity {
  bool known = false;               // if false, the thread is dead or may be
  bool stopped = false;             // stopped by a signal or a debugger
  bool runnable = false;            // running, or waiting for a processor
  std::chrono::nanoseconds ran{0};  // processor time it has used in total
};

constexpr Proof ProofOf(KernelId name) {
  return static_cast<Proof>(name >> 22 & 3);
}

// Returns the calling thread's name in a region. Costs some system calls.
KernelId OwnKernelId(const Region& region);

// What makes thread ids of this process unique: the number of its PID namespace, and in the upper half the first 32
// bits of the boot id, since other kernels number their namespaces alike. 0 if that cannot be read. Costs some system
// calls.
std::uint64_t OwnNamespace();

// Whether the owner of record `index`, which is taken, has certainly ended. Costs one system call; some for kKernel.
bool IsDead(const Region& region, std::uint32_t index);

// State of the owner of record `index`, which is taken, as far as it can be seen from here. Costs some system calls.
Life LifeOf(const Region& region, std::uint32_t index);

// What the owner of record `index`, which is taken, is doing. Known only on Linux and in the same PID namespace. Costs
// some system calls.
Activity ActivityOf(const Region& region, std::uint32_t index);

// Whether a thread of this process has certainly ended. The thread is given by the name it left in a region of this
// process.
bool IsGone(KernelId name);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LIVENESS_H_
