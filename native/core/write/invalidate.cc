#include "write/invalidate.h"

#include <atomic>

#include "feed/tell.h"

namespace mapsafe {

namespace {

// Counts of one invalidation: before and after the generation is raised. Even, since a segment's note of them is odd.
constexpr Word kInvalidationCount = 2;

// Raises a generation, once; not beyond the last one, from which on nothing that has the label is valid.
void Raise(Region& region, WordIndex word) {
  for (;;) {
    const Word generation = region.LoadAcquire(word);
    if (generation == kLabelRetired || region.CompareAndSwap(word, generation, generation + 1)) return;
  }
}

}  // namespace

void Invalidate(Core& core, const Key& name, WordIndex own, WordIndex shared) {
  Region& region = core.region;
  if (own >= region.word_count() || shared >= region.word_count()) return Fail(core, Status::kCorrupt);
  // No bucket's block: it says that a change may not have been told yet.
  core.thread.Claim(kHeaderFeedMutex / kBlockWords);
  // Before: a copy of the generations that met a later invalidation without this one sees that it has to begin anew.
  // After: a segment that was looked at before the generation rose is looked at again.
  region.Add(kHeaderInvalidations, kInvalidationCount);
  if (own != 0) Raise(region, own);
  if (shared != 0) Raise(region, shared);
  region.Add(kHeaderInvalidations, kInvalidationCount);
  // Of this thread and one that begins to watch, one sees the other; see Expose in write.cc.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (IsWatched(region)) TellLabel(core, name);
  core.thread.ClearClaim();
  WakeWatchers(core);
  core.outcome->status = Status::kDone;
}

}  // namespace mapsafe
