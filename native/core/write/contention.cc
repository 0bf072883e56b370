#include "write/contention.h"

#include "write/restructure.h"
#include "write/split.h"

namespace mapsafe {

namespace {

constexpr Word kSampleWrites = 16;

// Counted contentions in a window: so many that a chance meeting means nothing.
constexpr Word kWindowContentions = 256;

// A segment is hot if in a window more than one write in this many collided. Below that, collisions cost less than a
// split.
constexpr Word kHotShare = 32;

// Segments must not take the room that entries need.
bool MayAddSegment(const Region& region) {
  return region.Load(kHeaderSegmentCount) <= region.Load(kHeaderReliefLimit);
}

// A lone key contends with itself wherever it lies.
bool HasTwoKeys(Core& core, Block segment) {
  int live = 0;
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    const Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      if (IsLive(bucket.Slot(slot)) && ++live == 2) return true;
    }
  }
  return false;
}

}  // namespace

void CountWrite(Core& core, Block segment) {
  if (++core.writes % kSampleWrites == 0) core.region.Add(WordOf(segment) + kSegmentOperations, kSampleWrites);
}

bool CountContention(Core& core, Block segment) {
  Region& region = core.region;
  const WordIndex at = WordOf(segment);
  const Word contention = region.Add(at + kSegmentContention, 1) + 1;
  if (contention % kWindowContentions != 0) return false;
  // Nothing synchronizes these words: they are estimates, and a wrong one costs at most a needless split.
  const Word operations = region.Load(at + kSegmentOperations);
  const Word window = operations - region.Load(at + kSegmentWindow);
  region.Store(at + kSegmentWindow, operations);
  return window < kWindowContentions * kHotShare && MayAddSegment(region);
}

void Relieve(Core& core, std::uint32_t hash) {
  const Outcome outcome = *core.outcome;  // of the write that met the contention
  const WithPatience patience(*core.budget, Patience::kLittle);
  if (const Location location = LockSegment(core, hash); location.segment != 0) {
    // Checked again under the mutex: another thread may have split the segment meanwhile.
    if (MayAddSegment(core.region) && HasTwoKeys(core, location.segment)) {
      // Both halves are marked, so that no sweep joins them again.
      core.region.Store(WordOf(location.segment) + kSegmentParted, 1);
      Split(core, location.segment);
    }
    UnlockSegment(core, location.segment);
  }
  *core.outcome = outcome;
}

}  // namespace mapsafe
