// A thread's record in the region's registry: which thread it is, what it is about to take, how many entries it added.
//
// Thread safety: only the owner writes its record, except when it is taken or returned, and except for a takeover from
// a dead owner (takeover.h). Any thread may read any record.
#ifndef MAPSAFE_CORE_THREAD_RECORD_H_
#define MAPSAFE_CORE_THREAD_RECORD_H_

#include <algorithm>
#include <optional>

#include "base/region.h"
#include "threads/liveness.h"

namespace mapsafe {

struct Identity {
  std::uint32_t pid;
  std::uint32_t thread;  // Node's threadId, unique within the process
};

class ThreadRecord {
 public:
  // Takes a free record, after freeing those of dead threads. Returns nothing if all are taken. O(records). Costs one
  // system call for every attached thread.
  static std::optional<ThreadRecord> Attach(Region region, Identity identity, Word engine);
  void Detach();

  // Takes a free record for as long as it takes to give back the memory that its last owner left. The thread is not
  // attached with it. Returns nothing if it is not free any more.
  static std::optional<ThreadRecord> Borrow(Region region, std::uint32_t index);
  void Return();

  // The value that this thread leaves in a mutex it holds. Never 0, and different after the record changed owners.
  Word owner_mark() const { return owner_mark_; }

  // Announces what the thread is about to take. The compare-and-swap that follows is a release, so a thread that sees a
  // bucket taken also sees the claim on it.
  void Claim(Block target) { region_.Store(at_ + kThreadClaim, target); }

  // Release, so that other threads see the claim end only after the version or mutex was released.
  void ClearClaim() { region_.StoreRelease(at_ + kThreadClaim, 0); }

  // Announces a write that changes the number of entries, before the compare-and-swap or the store that begins it:
  // `slot` will hold `reference` while its bucket has the odd `version`, and the thread's share of the size will then
  // be the given one. If the thread dies, the announcement shows whether the write took place.
  void BeginWrite(WordIndex slot, Word reference, Word version, Word delta) {
    region_.Store(at_ + kThreadWriteReference, reference);
    region_.Store(at_ + kThreadWriteVersion, version);
    region_.Store(at_ + kThreadWriteSize, region_.Load(at_ + kThreadSizeDelta) + delta);
    region_.StoreRelease(at_ + kThreadWriteSlot, static_cast<Word>(slot));
  }
  // Notes that the slot holds the reference. Release: other threads do not see the note before the slot.
  void NotePublished() { region_.StoreRelease(at_ + kThreadWriteVersion, 0); }
  // Notes that the write is counted, or did not take place.
  void EndWrite() { region_.StoreRelease(at_ + kThreadWriteSlot, 0); }

  // Notes that the thread reaches nothing any more that left before the round `departures`. Release: its earlier loads
  // come first.
  void HeedDepartures(Word departures) { region_.StoreRelease(at_ + kThreadDepartures, departures); }

  // A bucket that the thread waits for although its claim covers it, because it does not hold it. 0 before it tries to
  // take the bucket.
  void SetWaiting(Block bucket) { region_.StoreRelease(at_ + kThreadWaiting, bucket); }

  // Release: other threads do not see the count before NotePublished.
  void AddSize(Word delta) {
    region_.StoreRelease(at_ + kThreadSizeDelta, region_.Load(at_ + kThreadSizeDelta) + delta);
  }

  // Adds to a counter. Only the owner writes it, so no read-modify-write is needed. Stores 64 bits at once, so that no
  // reader meets half a carry.
  void Count(std::uint32_t counter, std::uint64_t delta = 1) {
    const WordIndex at = at_ + kThreadCounters + std::size_t{2} * counter;
    region_.StorePair(at, region_.LoadPair(at) + delta);
  }

  WordIndex CacheHead(std::uint32_t size_class) const { return at_ + kThreadFreeHeads + size_class; }
  WordIndex CacheCount(std::uint32_t size_class) const { return at_ + kThreadFreeCounts + size_class; }
  // First word of the record.
  WordIndex at() const { return at_; }
  WordIndex owed() const { return at_ + kThreadOwed; }
  WordIndex has_excess() const { return at_ + kThreadHasExcess; }
  // The span that the thread is emptying, as page index + 1.
  WordIndex emptying() const { return at_ + kThreadEmptying; }

  // The value that the thread with record `index` leaves in mutexes.
  static Word MarkOf(const Region& region, std::uint32_t index) {
    return (index + 1) | region.Load(At(index) + kThreadIncarnation) << 8;
  }

  static constexpr WordIndex At(std::uint32_t index) {
    return WordOf(kRegistryBlock) + std::size_t{index} * kThreadWords;
  }

  // Index of the record whose first word is `at`.
  static std::uint32_t IndexAt(WordIndex at) { return static_cast<std::uint32_t>((at - At(0)) / kThreadWords); }

  // The number of entries, modulo 2^32, once all writes are counted.
  static Word SumOfSizeDeltas(const Region& region);

  // Index that stands for no record.
  static constexpr std::uint32_t kNobody = kRegistryThreads;

  // The record of the thread that left `owner_mark` in a mutex.
  static std::uint32_t IndexOf(Word owner_mark) { return std::min((owner_mark & 0xff) - 1, kNobody); }

  static Identity IdentityOf(const Region& region, std::uint32_t index) {
    return {region.Load(At(index) + kThreadPid), region.Load(At(index) + kThreadId)};
  }

  // Whether the thread that left `owner_mark` is still attached.
  static bool IsAttached(const Region& region, Word owner_mark);

  // The record of a thread that claims `target`, other than the thread with mark `self`.
  static std::uint32_t ClaimantOf(const Region& region, Block target, Word self);

 private:
  ThreadRecord(Region region, std::uint32_t index);

  static bool Take(Region region, std::uint32_t index, KernelId self, bool* is_changing);
  std::uint32_t index() const { return IndexAt(at_); }

  Region region_;
  WordIndex at_;
  Word owner_mark_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_THREAD_RECORD_H_
