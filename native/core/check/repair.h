// Putting right what the deaths of threads left behind: counts that are off, blocks that nobody can reach.
#ifndef MAPSAFE_CORE_REPAIR_H_
#define MAPSAFE_CORE_REPAIR_H_

#include "core.h"

namespace mapsafe {

struct RepairReport {
  std::uint32_t dead_threads = 0;
  std::int32_t size_correction = 0;      // added to the number of entries
  std::uint32_t segments_corrected = 0;  // segments whose count of tombstones was wrong
  std::uint32_t blocks_freed = 0;        // blocks and runs that nothing led to
  std::uint64_t bytes_freed = 0;
  bool has_looked_for_leaks = false;  // no other thread was attached
};

// Fills in the outcome: kDone; kTimeout or kCorrupt, and what was repaired by then stays so. Writers wait meanwhile,
// readers do not. Blocks are looked for only if no other thread is attached, since one may just be building an entry in
// them. O(entries + blocks).
RepairReport Repair(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_REPAIR_H_
