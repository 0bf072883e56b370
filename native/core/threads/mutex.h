// A mutex in one word of the region: 0, or the owner mark of the thread that holds it.
#ifndef MAPSAFE_CORE_MUTEX_H_
#define MAPSAFE_CORE_MUTEX_H_

#include "base/region.h"
#include "threads/backoff.h"

namespace mapsafe {

// Returns false if the mutex could not be taken within the rest of the call's budget.
inline bool LockMutex(WaitBudget& budget, WordIndex mutex) {
  Region& region = budget.region();
  // Acquire, here and below, pairs with the release in UnlockMutex: we see all that the last holder did.
  if (region.CompareAndSwap(mutex, 0, budget.own_mark())) [[likely]]
    return true;
  Backoff backoff(budget, Obstacle::Mutex(mutex));
  do {
    if (!backoff.Wait()) return false;
  } while (region.Load(mutex) != 0 || !region.CompareAndSwap(mutex, 0, budget.own_mark()));
  return true;
}

inline void UnlockMutex(Region& region, WordIndex mutex) {
  region.StoreRelease(mutex, 0);
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MUTEX_H_
