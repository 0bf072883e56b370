// A copy of all entries at one instant. See docs/internals/protocol.md, "Snapshot".
#ifndef MAPSAFE_CORE_SNAPSHOT_H_
#define MAPSAFE_CORE_SNAPSHOT_H_

#include <memory>
#include <vector>

#include "core.h"

namespace mapsafe {

// Entries as they lie in the region (docs/internals/format.md, "Entry"), one after the other. None is cut in two. Those
// with key kind 0 are out of date and to be skipped.
struct SnapshotPiece {
  std::unique_ptr<Word[]> words;
  std::size_t capacity;  // words
  std::size_t used = 0;
};

// Fills in the outcome: kDone with the number of entries in `length`; kTimeout or kCorrupt, and nothing is returned.
// O(entries and their bytes); writers wait for what was written while most of it was copied.
std::vector<SnapshotPiece> TakeSnapshot(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_SNAPSHOT_H_
