// Making room without giving anything up: spans with few entries are emptied by moving these, so that their pages lie
// together again. See docs/internals/protocol.md, "Compaction".
//
// Thread safety: any thread, while it holds nothing.
#ifndef MAPSAFE_CORE_COMPACTION_H_
#define MAPSAFE_CORE_COMPACTION_H_

#include "core.h"

namespace mapsafe {

// Gets a block of `bytes` bytes, for which it moves entries; 0 with `failure` as FreeLists::Allocate. Moves what lies
// in as many pages as the block needs, those with least in them; more only if other threads take the pages first or
// hold what lies in them. Waits a little
// for blocks that other threads keep.
Block MakeRoomByMoving(Core& core, std::size_t bytes, Place place, Status* failure);

// The same for a cache, which can evict as well: waits for no other thread.
Block MakeRoomAtOnce(Core& core, std::size_t bytes, Place place, Status* failure);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_COMPACTION_H_
