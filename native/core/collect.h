// Keys in hash order, for iterators. See docs/protocol.md, "Iteration".
#ifndef MAPSAFE_CORE_COLLECT_H_
#define MAPSAFE_CORE_COLLECT_H_

#include "core.h"

namespace mapsafe {

// Copies keys with hashes from `from` on, of one segment at most, into the scratch buffer; returns the hash to go on
// from, 2^32 at the end. Fills in the outcome: kDone with the number of keys in `length`, or kScratchTooSmall with the
// bytes that the keys of the first hash need. O(segment).
std::uint64_t Collect(Core& core, std::uint64_t from);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_COLLECT_H_
