// Beginning and ending to watch. See docs/internals/protocol.md, "Change feed".
#ifndef MAPSAFE_CORE_FEED_WATCH_H_
#define MAPSAFE_CORE_FEED_WATCH_H_

#include "core.h"

namespace mapsafe {

// Makes the ring, if there is none, and has this thread watch. Status kDone, or that of an allocation that failed, and
// then it does not watch. Takes over from the dead first, so that their last changes are known to be missing.
void Watch(Core& core);
void Unwatch(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_FEED_WATCH_H_
