// Making and recognising regions. See docs/internals/format.md.
#ifndef MAPSAFE_CORE_FORMAT_H_
#define MAPSAFE_CORE_FORMAT_H_

#include <cstddef>

#include "base/half_sip_hash.h"
#include "base/region.h"

namespace mapsafe {

// Formats zeroed memory of a whole number of pages as an empty map, or with kFlagCache as a cache of at most
// `max_entries` entries, 0 for as many as fit. No other thread may know the memory yet.
void FormatRegion(void* base, std::size_t bytes, HashSecret secret, Word flags = 0, std::uint32_t max_entries = 0);

// Whether the memory holds a region of this format version and size that is ready to be attached to, and whose header
// stays within it.
bool CheckRegion(void* base, std::size_t bytes);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_FORMAT_H_
