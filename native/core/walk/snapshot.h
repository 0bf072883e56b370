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

// A snapshot in steps, of which only the last one holds other threads up. Lives no longer than the engine.
class SnapshotJob {
 public:
  explicit SnapshotJob(Core& core);
  ~SnapshotJob();

  // Copies most entries while other threads go on writing, some segments at a time. Returns true once it is time to
  // finish, or if the outcome is kCorrupt.
  bool CopyAhead(std::uint32_t segments);

  // Copies what changed since, at one instant; fills in the outcome as TakeSnapshot does. O(segments + changes).
  void Finish();

  // The copied entries, after Finish with kDone.
  std::vector<SnapshotPiece>& pieces();

 private:
  struct State;

  void BeginAgainAfterDepartures();
  Status CopyNext();
  Status RefreshNext();

  Core& core_;
  std::unique_ptr<State> state_;
};

// Fills in the outcome: kDone with the number of entries in `length`; kTimeout or kCorrupt, and nothing is returned.
// O(entries and their bytes). Writers wait while the entries are copied that changed during the first pass.
std::vector<SnapshotPiece> TakeSnapshot(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_SNAPSHOT_H_
