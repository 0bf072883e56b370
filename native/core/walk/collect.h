// Keys in hash order, for iterators. See docs/internals/protocol.md, "Iteration".
#ifndef MAPSAFE_CORE_COLLECT_H_
#define MAPSAFE_CORE_COLLECT_H_

#include "core.h"

namespace mapsafe {

// Hashes from `from` to below `to`, at most 2^32.
struct HashRange {
  std::uint64_t from;
  std::uint64_t to;
};

inline constexpr HashRange kAllHashes{0, std::uint64_t{1} << 32};

// Copies keys of `range` in hash order, from one segment at most, into the scratch buffer. Stops after the hash at
// which there are `limit` of them. Returns the hash to go on from, which is `range.to` at the end. Fills in the
// outcome: kDone with the number of keys in `length`, or kScratchTooSmall with the bytes that the keys of the first
// hash need. O(segment).
std::uint64_t Collect(Core& core, HashRange range, std::uint32_t limit);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_COLLECT_H_
