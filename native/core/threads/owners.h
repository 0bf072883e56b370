// The owners of thread records, as one takeover finds them: alive or dead.
//
// Thread safety: only IsAnyDead may be called without the takeover lock.
#ifndef MAPSAFE_CORE_OWNERS_H_
#define MAPSAFE_CORE_OWNERS_H_

#include <array>

#include "base/region.h"
#include "threads/liveness.h"

namespace mapsafe {

// Owners and their records are named by their index.
class Owners {
 public:
  explicit Owners(Region region) : region_(region) {}

  // Whether a thread is dead. The answer may be out of date until the caller has the
  // takeover lock.
  bool IsAnyDead() const;

  // Makes certain which threads are dead, and keeps it so. The caller has the takeover lock, so no other thread frees
  // records.
  void Seize();

  // Lets go of the records that Seize kept.
  void Release();

  // Calls `act` with every dead owner but those that were left.
  template <typename Act>
  void ForEachDead(Act act) const {
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      if (dead_[i] && !stuck_[i]) act(i);
    }
  }

  // Leaves the rest of a dead owner's work for the next takeover.
  void Leave(std::uint32_t index) { stuck_[index] = true; }

  // The dead thread that left `mark` in a mutex, or kRegistryThreads.
  std::uint32_t DeadOwner(Word mark) const;

  // Whether a living thread announced that it takes the bucket itself.
  bool IsClaimed(Block bucket) const;

  // Frees a dead thread's record. Its free blocks stay with the record, for the next owner.
  void Free(std::uint32_t index);

 private:
  KernelId NameOf(std::uint32_t index) const;
  bool IsTaken(std::uint32_t index) const { return NameOf(index) != 0; }
  bool IsSeized(std::uint32_t index);

  Region region_;
  std::array<bool, kRegistryThreads> dead_{};
  std::array<bool, kRegistryThreads> living_{};
  std::array<bool, kRegistryThreads> stuck_{};   // dead, but with work left to do
  std::array<bool, kRegistryThreads> seized_{};  // this takeover has the record's lock
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_OWNERS_H_
