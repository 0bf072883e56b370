// Memory that threads may still look at when nothing leads to it any more: segments that vanished in joins, chunks of
// nodes. See docs/internals/protocol.md, "Departures".
#ifndef MAPSAFE_CORE_DEPARTURES_H_
#define MAPSAFE_CORE_DEPARTURES_H_

#include "core.h"

namespace mapsafe {

// Begins an operation: from here on the thread reaches nothing that left before.
inline void HeedDepartures(Core& core) {
  const Word departures = core.region.LoadAcquire(kHeaderDepartures);
  if (departures != core.departures) [[unlikely]] {
    core.departures = departures;
    core.thread.HeedDepartures(departures);
  }
}

// Whether segments may vanish here: not in regions of earlier versions, whose threads heed nothing.
inline bool MayJoin(const Region& region) {
  return (region.Load(kHeaderFeatures) & kFeatureJoins) != 0;
}

// Adds a segment that no directory entry will name any more. Under the directory mutex.
void NoteGoneSegment(Region& region, Block segment);

// Adds a chunk of nodes that no partition names. Under the directory mutex.
void NoteGoneChunk(Region& region, Block chunk);

// Gives back what no thread can look at any more, and begins the next round. Waits for nobody. Returns whether anything
// was given back. The thread must hold nothing, and use nothing afterwards that it found before.
bool GiveBackDeparted(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_DEPARTURES_H_
