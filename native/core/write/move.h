// Moving an entry to another block. See docs/internals/protocol.md, "Compaction".
//
// Thread safety: any thread, while it holds nothing.
#ifndef MAPSAFE_CORE_MOVE_H_
#define MAPSAFE_CORE_MOVE_H_

#include "core.h"

namespace mapsafe {

enum class Move {
  kDone,       // the entry lies elsewhere now, and its block is free
  kNothing,    // no slot refers to the block
  kTombstone,  // a slot refers to it as a tombstone
  kBusy,       // another thread is in the way
  kNoRoom,     // no other span of its class has room
};

// Looks whether a slot refers to the block: kDone if a live one does. The block may hold anything.
Move LookAtBlock(Core& core, Block block);

// Frees the block, and the others of the bucket, if a slot refers to it as a tombstone. Returns what LookAtBlock then
// does. The block may hold anything.
Move DropTombstone(Core& core, Block block);

// Moves the entry in a block, if there is one, to a block outside `avoided`. It keeps its key, value, version, expiry
// and node; the version of its home bucket grows. Waits for no other thread.
Move MoveEntry(Core& core, Block block, PageRange avoided);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MOVE_H_
