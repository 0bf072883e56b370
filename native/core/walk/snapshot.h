// A copy of all entries at one instant. See docs/internals/protocol.md, "Snapshot".
#ifndef MAPSAFE_CORE_SNAPSHOT_H_
#define MAPSAFE_CORE_SNAPSHOT_H_

#include <memory>
#include <vector>

#include "core.h"

namespace mapsafe {

// Entries as they lie in the region (docs/internals/format.md, "Entry"), one after the other. No entry is cut in two.
// Entries with key kind 0 are out of date; skip them.
struct SnapshotPiece {
  std::unique_ptr<Word[]> words;
  std::size_t capacity;  // words
  std::size_t used = 0;
};

// Fills in the outcome: kDone with the number of entries in `length`; kTimeout or kCorrupt, and nothing is returned.
// O(entries and their bytes). Writers wait while the entries are copied that changed during the first pass.
std::vector<SnapshotPiece> TakeSnapshot(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_SNAPSHOT_H_
