// Growth: one segment becomes two. See docs/internals/protocol.md, "Split".
#ifndef MAPSAFE_CORE_SPLIT_H_
#define MAPSAFE_CORE_SPLIT_H_

#include "core.h"

namespace mapsafe {

// Splits a segment whose mutex is held. Returns kDone; kFull if there is no memory or further bits of the hashes do not
// tell the keys apart; kTimeout, with the owner in the outcome; or kCorrupt. Except for kDone, nothing has changed.
Status Split(Core& core, Block segment);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_SPLIT_H_
