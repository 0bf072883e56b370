// Growth: one segment becomes two. See docs/internals/protocol.md, "Split".
#ifndef MAPSAFE_CORE_SPLIT_H_
#define MAPSAFE_CORE_SPLIT_H_

#include "core.h"

namespace mapsafe {

// Splits a segment whose mutex is held. kDone; kFull if there is no memory or the keys cannot be told apart by further
// bits of their hashes; kTimeout with the outcome naming the owner; kCorrupt. Nothing has
// changed then.
Status Split(Core& core, Block segment);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_SPLIT_H_
