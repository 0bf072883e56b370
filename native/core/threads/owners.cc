#include "threads/owners.h"

#include "../platform/record_locks.h"
#include "threads/thread_record.h"

namespace mapsafe {

namespace {

// No thread takes this many blocks from the heap before it counts them (see FreeLists).
constexpr Word kMostUncounted = 1024;

}  // namespace

bool Owners::IsAnyDead() const {
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    if (IsTaken(i) && IsDead(region_, i)) return true;
  }
  return false;
}

void Owners::Seize() {
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    dead_[i] = IsTaken(i) && IsSeized(i);
    living_[i] = !dead_[i] && IsTaken(i);
  }
}

void Owners::Release() {
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    if (seized_[i]) region_.locks()->Unlock(i);
  }
}

// Whether the owner of a record that was taken is dead. An owner holds the record's lock from before it takes the
// record until after it gave it back. So a thread that gets the lock of a taken record has it from a dead owner.
bool Owners::IsSeized(std::uint32_t index) {
  if (ProofOf(NameOf(index)) != Proof::kLock) return IsDead(region_, index);
  if (region_.locks() == nullptr || !region_.locks()->TryLock(index)) return false;
  seized_[index] = true;
  return IsTaken(index) && ProofOf(NameOf(index)) == Proof::kLock;
}

std::uint32_t Owners::DeadOwner(Word mark) const {
  const std::uint32_t index = (mark & 0xff) - 1;
  const bool is_dead = index < kRegistryThreads && dead_[index] && ThreadRecord::MarkOf(region_, index) == mark;
  return is_dead ? index : kRegistryThreads;
}

bool Owners::IsClaimed(Block bucket) const {
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    if (living_[i] && region_.LoadAcquire(ThreadRecord::At(i) + kThreadClaim) == bucket) return true;
  }
  return false;
}

void Owners::Free(std::uint32_t index) {
  const WordIndex at = ThreadRecord::At(index);
  // Ends walks over damaged lists: together the lists have no more blocks than the region.
  std::size_t left = region_.block_count();
  Word kept = 0;
  for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    const Word most = region_.Load(at + kThreadFreeCounts + size_class) + kMostUncounted;
    Word count = 0;
    Block block = region_.Load(at + kThreadFreeHeads + size_class);
    for (; region_.Contains(block, kBlockWords) && count < most && left > 0; ++count, --left) {
      block = region_.Load(WordOf(block));
    }
    region_.Store(at + kThreadFreeCounts + size_class, count);
    kept += count;
  }
  if (kept > 0) region_.Store(at + kThreadHasExcess, 1);  // for GiveBackLeftovers
  region_.Store(at + kThreadClaim, 0);
  region_.Store(at + kThreadWaiting, 0);
  region_.Store(at + kThreadWatches, 0);
  region_.StorePair(at + kThreadNamespace, 0);
  region_.Add(kHeaderDeaths, 1);
  region_.StoreRelease(at + kThreadState, kThreadFree);
  region_.StorePairRelease(at + kThreadKernelId, 0);
}

KernelId Owners::NameOf(std::uint32_t index) const {
  return region_.LoadPairAcquire(ThreadRecord::At(index) + kThreadKernelId);
}

}  // namespace mapsafe
