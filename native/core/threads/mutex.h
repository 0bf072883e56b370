// A mutex in one word of the region: 0, or the owner mark of the thread that holds it.
#ifndef MAPSAFE_CORE_MUTEX_H_
#define MAPSAFE_CORE_MUTEX_H_

#include "base/region.h"
#include "threads/backoff.h"

namespace mapsafe {

// False if the mutex could not be had within the bound; the word then still tells who holds it.
inline bool LockMutex(Region& region, WordIndex mutex, Word owner_mark) {
  Backoff backoff(region);
  // Acquire pairs with the release in UnlockMutex: we see all that the last holder did.
  while (region.Load(mutex) != 0 || !region.CompareAndSwap(mutex, 0, owner_mark)) {
    if (!backoff.Wait()) return false;
  }
  return true;
}

inline void UnlockMutex(Region& region, WordIndex mutex) {
  region.StoreRelease(mutex, 0);
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MUTEX_H_
