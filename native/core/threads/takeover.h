// Taking over from threads that died in the middle of something. See docs/internals/protocol.md, "Death".
//
// Thread safety: from any thread, attached or not, whatever it holds. One thread at a time does the work, the others
// return at once.
#ifndef MAPSAFE_CORE_TAKEOVER_H_
#define MAPSAFE_CORE_TAKEOVER_H_

#include "base/region.h"

namespace mapsafe {

// Finishes or undoes what dead threads left half done, lets go of all they held, and frees their records. What cannot
// be done yet, because a living thread may hold the same bucket, is left for the next call. False if somebody is dead,
// and another thread is at it. A system call for every attached thread; O(segments) if one is dead.
bool BuryTheDead(Region region);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_TAKEOVER_H_
