// Code that split, cleanup and clear share: holding a whole segment, emptying its tombstones, bringing spilled keys
// home.
//
// Thread safety: everything here needs the segment's mutex; what changes slots also needs all its buckets held.
#ifndef MAPSAFE_CORE_RESTRUCTURE_H_
#define MAPSAFE_CORE_RESTRUCTURE_H_

#include <array>
#include <vector>

#include "core.h"

namespace mapsafe {

// Takes a bucket, waiting for an optimistic writer to finish. Returns false if the writer did not finish within the
// bound.
bool HoldBucket(Core& core, Bucket* bucket);

// Takes every bucket of a segment. On failure nothing is held, and the outcome says which thread is in the way.
bool HoldBuckets(Core& core, Block segment);
void ReleaseBuckets(Core& core, Block segment);

inline std::size_t MaxSegments(const Region& region) {
  return region.word_count() / kSegmentWords;
}

// Like HoldBuckets, for callers that move keys: also makes SEGMENT_MOVES odd.
bool HoldSegment(Core& core, Block segment);
void ReleaseSegment(Core& core, Block segment);

// The first hash after those of a segment, 2^32 after the last one's.
std::uint64_t EndOf(const Region& region, Block segment);

// How often a hash may come to map to another segment, while a thread waits for the mutex of the one before. In a sound
// region each split, and each join, takes much longer than a look.
inline constexpr std::uint32_t kMaxMoves = 1000;

// Locks the mutex of the segment that `hash` maps to, having claimed it. On failure the outcome says why.
// The location's segment is 0 then.
Location LockSegment(Core& core, std::uint32_t hash);
void UnlockSegment(Core& core, Block segment);

// Claims and holds every segment, in the order of their hashes, and lists those held. Returns false if one could not be
// taken; the outcome says why. In both cases the caller releases the listed segments, in any order, and then clears the
// claim.
bool HoldEverything(Core& core, std::vector<Block>* held);
void ReleaseHeld(Core& core, Block segment);

// Blocks that are unlinked but not freed yet, because readers may be in them until the buckets are released.
class Unlinked {
 public:
  // There are never more than a segment has slots, except in a region that changes in spite of every lock; the excess
  // is lost.
  void Add(Block entry) {
    if (count_ < blocks_.size()) blocks_[count_++] = entry;
  }
  std::uint32_t count() const { return count_; }
  Block block(std::uint32_t index) const { return blocks_[index]; }
  void FreeAll(Core& core) const;

 private:
  std::array<Block, kAllBuckets * kSlotsPerBucket> blocks_;
  std::uint32_t count_ = 0;
};

// Empties every tombstone slot.
void SweepTombstones(Core& core, Block segment, Unlinked* unlinked);

// Moves spilled keys back towards their homes where there is room, and recounts all overflow marks.
void BringHome(Region& region, Block segment);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_RESTRUCTURE_H_
