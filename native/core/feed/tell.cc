#include "feed/tell.h"

#include <atomic>

#include "threads/mutex.h"
#include "threads/waits.h"

namespace mapsafe {

namespace {

// The place in the ring for one change. Only the holder of the feed's mutex makes one.
class FeedPlace {
 public:
  FeedPlace(Region& region, WordIndex ring)
      : region_(region),
        ring_(ring),
        mask_(FeedBytes(region) / sizeof(Word) - 1),
        head_(region.Load(kHeaderFeedHead)) {}

  // Says, before the first word of what lay there is overwritten, that it will be. What a dead thread reserved stays
  // so.
  void Reserve(std::uint32_t blocks) {
    end_ = head_ + blocks;
    const Word reserved = region_.Load(kHeaderFeedReserved);
    if (static_cast<std::int32_t>(end_ - reserved) > 0) {
      if (end_ < reserved) region_.StoreRelease(kHeaderFeedLaps, region_.Load(kHeaderFeedLaps) + 1);
      region_.StoreRelease(kHeaderFeedReserved, end_);
    }
    // Pairs with the acquire fence of a reader before its second look at the word.
    std::atomic_thread_fence(std::memory_order_release);
  }

  void Store(std::size_t word, Word value) {
    region_.Store(ring_ + ((std::size_t{head_} * kBlockWords + word) & mask_), value);
  }

  // Release: pairs with the acquire of a reader, which then finds all words of the change.
  void Publish() { region_.StoreRelease(kHeaderFeedHead, end_); }

 private:
  Region& region_;
  const WordIndex ring_;
  const std::size_t mask_;
  const Word head_;
  Word end_ = 0;
};

// Adds a change to the ring at word `ring`. `load` returns the words of its key.
template <typename Load>
void Add(Core& core, WordIndex ring, Word hash, Word meta, std::uint64_t version, std::uint32_t words, Load load) {
  Region& region = core.region;
  // What is told took effect, and may not fail or be held up any more.
  const WithPatience with(*core.budget, Patience::kLittle);
  if (!LockMutex(*core.budget, kHeaderFeedMutex)) return NoteMissed(region);
  FeedPlace place(region, ring);
  place.Reserve((kChangeKey + words + kBlockWords - 1) / kBlockWords);
  place.Store(kChangeHash, hash);
  place.Store(kChangeMeta, meta);
  place.Store(kChangeVersion, static_cast<Word>(version));
  place.Store(kChangeVersion + 1, static_cast<Word>(version >> 32));
  for (std::uint32_t i = 0; i < words; ++i) place.Store(kChangeKey + i, load(i));
  place.Publish();
  UnlockMutex(region, kHeaderFeedMutex);
}

}  // namespace

void Tell(Core& core, Block entry, Word cause, std::uint64_t version) {
  Region& region = core.region;
  core.has_told = true;
  const WordIndex ring = FeedRing(region);
  if (ring == 0 || !region.Contains(entry, kEntryData)) return NoteMissed(region);
  const WordIndex at = WordOf(entry);
  const Word meta = region.Load(at + kEntryMeta) & kKeyMetaMask;
  const std::uint32_t words = WordsFor(std::min(EntryHeader{0, meta, 0, 0, 0}.key_length(), kMaxFeedKeyBytes));
  if (!region.Contains(entry, kEntryData + std::size_t{words})) return NoteMissed(region);
  Add(core, ring, region.Load(at + kEntryHash), meta | cause << kChangeCauseShift, version, words,
      [&](std::uint32_t i) { return region.Load(at + kEntryData + i); });
}

void TellLabel(Core& core, const Key& name) {
  core.has_told = true;
  const WordIndex ring = FeedRing(core.region);
  if (ring == 0) return NoteMissed(core.region);
  const std::uint32_t words = WordsFor(std::min(name.length, kMaxFeedKeyBytes));
  Add(core, ring, name.hash, name.meta() | kCauseInvalidated << kChangeCauseShift, 0, words,
      [&](std::uint32_t i) { return name.words[i]; });
}

void WakeWatchers(Core& core) {
  if (!core.has_told) [[likely]]
    return;
  core.has_told = false;
  // Between the change told and the look at the wait word, as "Waking" in docs/internals/protocol.md demands.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  WakeWaitingAt(core.region, core.waker, kHeaderFeedWait);
}

}  // namespace mapsafe
