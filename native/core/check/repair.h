// Repair of what the deaths of threads left behind: wrong counts, and blocks that nothing leads to.
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

// Fills in the outcome: kDone; or kTimeout or kCorrupt, and what was repaired by then stays repaired. Writers wait
// meanwhile, readers do not. Looks for blocks only if no other thread is attached, since another thread may just be
// building an entry in them. O(entries + blocks).
RepairReport Repair(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_REPAIR_H_
