// Memory that threads could not give back before they ended: it stays with their records, and comes back here instead
// of with the records' next owners, of which there may be none.
#ifndef MAPSAFE_CORE_LEFTOVERS_H_
#define MAPSAFE_CORE_LEFTOVERS_H_

#include "memory/free_lists.h"

namespace mapsafe {

// Gives back to the heap what free records keep. Returns whether one had something, and has nothing now. O(records),
// and what they keep. For a thread that finds no room, and holds no mutex of the heap. Hardly waits.
bool GiveBackLeftovers(const Region& region, WaitBudget& budget);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LEFTOVERS_H_
