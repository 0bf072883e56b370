// Walks the whole region and checks every structural invariant of docs/internals/format.md.
//
// Thread safety: reads only, and survives any bytes; but writes that run meanwhile show up as false findings.
#ifndef MAPSAFE_CORE_VERIFY_H_
#define MAPSAFE_CORE_VERIFY_H_

#include <string>
#include <vector>

#include "base/half_sip_hash.h"
#include "base/region.h"

namespace mapsafe {

// One line for every violation, at most 50; empty if the region is sound. O(region).
std::vector<std::string> Verify(Region region, HashSecret secret);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_VERIFY_H_
