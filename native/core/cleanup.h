// Reclaiming tombstones, and emptying the map. See docs/protocol.md, "Cleanup" and "Clear".
#ifndef MAPSAFE_CORE_CLEANUP_H_
#define MAPSAFE_CORE_CLEANUP_H_

#include "core.h"

namespace mapsafe {

// Reclaims the tombstones of a segment whose mutex is held. Returns how many; 0 too if its buckets could not be had.
std::uint32_t CleanUpLocked(Core& core, Block segment);

// Reclaims the tombstones of one segment, if its mutex can be had.
void CleanUp(Core& core, Block segment);

// Reclaims the tombstones of every segment. O(segments).
void CleanUpAll(Core& core);

// Deletes every entry, segment by segment; fills in the outcome.
void Clear(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_CLEANUP_H_
