// Shrinking: two segments that a split parted become one again. See docs/internals/protocol.md, "Join".
#ifndef MAPSAFE_CORE_JOIN_H_
#define MAPSAFE_CORE_JOIN_H_

#include "core.h"

namespace mapsafe {

// Why segments are joined.
enum class JoinFor {
  kTidiness,  // leaves alone those that were parted because their writers collided
  kRoom,
};

// Most entries that two segments have together when they are joined: a quarter of one's slots, so that the next inserts
// do not split it again.
inline constexpr std::uint32_t kMostJoined = kAllBuckets * kSlotsPerBucket / 4;

// Joins the segment that `hash` maps to with the other half of what a split parted, if both exist, few entries are left
// in them, and nobody is in the way. Returns the prefix of the segment that came of it. Leaves the outcome as it is.
// The thread must hold nothing.
std::optional<std::uint32_t> JoinHalves(Core& core, std::uint32_t hash, JoinFor reason);

// Joins for as long as that succeeds, from the segment of `hash` on downwards.
void JoinAround(Core& core, std::uint32_t hash, JoinFor reason);

// Joins whatever can be joined. O(segments).
void JoinAll(Core& core, JoinFor reason);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_JOIN_H_
