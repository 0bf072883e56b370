// Waiting for the end of a load without looking again and again. See docs/internals/protocol.md, "Waking".
//
// The region has 2,048 wait words, in the lines of the thread records that nothing else needs. A key's hash chooses
// one. A wait word is odd while a thread may wait at it, and grows with every wake-up: the waiting thread makes it odd
// and looks once more at what it waits for; who has changed that looks whether the word is odd, makes it even, and
// wakes all that wait.
//
// Thread safety: any thread.
#ifndef MAPSAFE_CORE_WAITS_H_
#define MAPSAFE_CORE_WAITS_H_

#include <cstdint>

#include "base/region.h"
#include "threads/thread_record.h"

namespace mapsafe {

inline constexpr std::uint32_t kWaitWords = kRegistryThreads * kThreadWaitWords;

// The wait word with number `hash`, modulo their number.
constexpr WordIndex WaitWordAt(std::uint32_t hash) {
  const std::uint32_t record = hash / kThreadWaitWords % kRegistryThreads;
  return ThreadRecord::At(record) + kThreadWaits + hash % kThreadWaitWords;
}

// Wakes the threads that wait at word `at` of a region in the memory of one process, where only JavaScript can. In a
// file the system does.
struct Waker {
  void (*wake)(void* data, WordIndex at) = nullptr;
  void* data = nullptr;
};

// A wait word, and its odd value: if it has another one, a thread that announced its wait was woken since.
struct Announced {
  WordIndex at;
  Word value;
};

// Announces that this thread is going to wait for a change of the key with this hash. What it looks at afterwards, it
// sees as it was left by every thread that will not wake it.
Announced AnnounceWait(Region region, std::uint32_t hash);

// Wakes those who wait for a change of a key with this hash. To be called after the change, and after a sequentially
// consistent fence. Costs one load if no thread waits.
void WakeWaiting(Region region, const Waker& waker, std::uint32_t hash);

// Wakes those who wait at word `at`, if it is odd. To be called after the change and such a fence, too.
void WakeWaitingAt(Region region, const Waker& waker, WordIndex at);

// Wakes all who wait for anything in the region.
void WakeAllWaiting(Region region, const Waker& waker);

// Wakes those whom the system lets wait at the bell of a region in a file: the processes, not what waits in them.
void RingBell(Region region);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_WAITS_H_
