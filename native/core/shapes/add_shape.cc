#include "shapes/add_shape.h"

#include "eviction/eviction.h"
#include "threads/mutex.h"
#include "write/compaction.h"

namespace mapsafe {

namespace {

// A block for a chunk. A thread that holds a key neither moves nor evicts, and takes what is there.
Block TakeChunk(Core& core, Word chunk) {
  const std::size_t bytes = ShapeChunkBytes(chunk);
  Status failure;
  const Block block = core.blocks.Allocate(bytes, Place::kFixed, &failure);
  if (block != 0 || failure != Status::kFull || core.held_segment != 0) return block;
  const Outcome before = *core.outcome;
  Block made;
  if (core.evictor != nullptr) {
    core.evictor->StartRound();
    made = core.evictor->MakeRoom(bytes, chunk, Place::kFixed, &failure);
  } else {
    made = MakeRoomByMoving(core, bytes, Place::kFixed, &failure);
  }
  *core.outcome = before;
  return made;
}

Status StatusOf(ShapeTable::Search search) {
  switch (search) {
    case ShapeTable::Search::kFound:
      return Status::kDone;
    case ShapeTable::Search::kNoMore:
      return Status::kFull;
    default:
      return Status::kCorrupt;
  }
}

// One attempt under the mutex. kNeedsBlock: `chunk` is missing.
Status TryToAdd(Core& core, ShapeId parent, const ShapeName& name, ShapeId* id, Word* chunk) {
  ShapeTable table(core.region);
  if (!LockMutex(*core.budget, kHeaderShapeMutex)) return Status::kNotDone;
  // Another thread may have added it since this one looked.
  const ShapeTable::Search search = table.Find(parent, name, id);
  Status status = StatusOf(search);
  if (search == ShapeTable::Search::kNone) {
    switch (table.Append(parent, name, id, chunk)) {
      case ShapeTable::Appended::kDone:
        status = Status::kDone;
        break;
      case ShapeTable::Appended::kFull:
        status = Status::kFull;
        break;
      case ShapeTable::Appended::kNeedsChunk:
        status = Status::kNeedsBlock;
        break;
      case ShapeTable::Appended::kCorrupt:
        status = Status::kCorrupt;
        break;
    }
  }
  UnlockMutex(core.region, kHeaderShapeMutex);
  return status;
}

// Gets a block and puts it into the table as `chunk`. The memory is taken before the mutex, whose holder takes no other
// lock.
Status AddChunk(Core& core, Word chunk) {
  const Block block = TakeChunk(core, chunk);
  if (block == 0) return Status::kNotDone;
  const bool has_mutex = LockMutex(*core.budget, kHeaderShapeMutex);
  const bool is_needed = has_mutex && ShapeTable(core.region).Install(chunk, block);
  if (has_mutex) UnlockMutex(core.region, kHeaderShapeMutex);
  if (!is_needed) core.blocks.Free(block, ShapeChunkBytes(chunk));
  return has_mutex ? Status::kDone : Status::kNotDone;
}

}  // namespace

Status AddShape(Core& core, ShapeId parent, const ShapeName& name, ShapeId* id) {
  const ShapeTable table(core.region);
  const ShapeTable::Search search = table.Find(parent, name, id);
  Status status = StatusOf(search);
  if (search == ShapeTable::Search::kNone) {
    const WithPatience little(*core.budget, Patience::kLittle);
    Word chunk = 0;
    // Every chunk is missing once at most.
    for (Word tries = 0; tries <= kShapeChunks; ++tries) {
      status = TryToAdd(core, parent, name, id, &chunk);
      if (status != Status::kNeedsBlock) break;
      status = AddChunk(core, chunk);
      if (status != Status::kDone) break;
      status = Status::kCorrupt;
    }
  }
  if (status == Status::kFull) core.region.Add(kHeaderShapeRefusals, 1);
  return status;
}

}  // namespace mapsafe
