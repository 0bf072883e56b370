// Reclaiming tombstones and expired entries, and emptying the map. See docs/internals/protocol.md, "Cleanup", "Expiry",
// "Clear".
#ifndef MAPSAFE_CORE_CLEANUP_H_
#define MAPSAFE_CORE_CLEANUP_H_

#include <optional>

#include "core.h"

namespace mapsafe {

// Reclaims the tombstones and the expired entries of a segment whose mutex is held. Returns how many; nothing if its
// buckets could not be taken.
std::optional<std::uint32_t> CleanUpLocked(Core& core, Block segment);

// Like CleanUpLocked, for one segment, if its mutex can be taken. Returns whether mutex and buckets were taken.
bool CleanUp(Core& core, Block segment, Patience patience);

// Like CleanUp, for every segment that needs it. O(segments).
bool CleanUpAll(Core& core, Patience patience);

// Reclaims the expired entries of segments from the one that covers `from_hash` on, until the budget is spent: looking
// at a segment costs 1, cleaning one up kSweepCost. First gives back what this thread keeps, and others want. Passes
// over segments that others have locked. Returns the hash to go on from; the outcome's length is the number of segments
// cleaned up.
std::uint64_t Sweep(Core& core, std::uint64_t from_hash, std::uint32_t budget);
inline constexpr std::uint32_t kSweepCost = 64;

// Deletes every entry, segment by segment from the one that covers `from_hash` on, of `segments` at most; fills in the
// outcome. Returns the hash to go on from.
std::uint64_t Clear(Core& core, std::uint64_t from_hash, std::uint32_t segments);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_CLEANUP_H_
