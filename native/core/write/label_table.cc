#include "write/label_table.h"

#include "eviction/eviction.h"
#include "index/labels.h"

namespace mapsafe {

void MakeLabelTable(Core& core, std::uint32_t level) {
  if (level >= kLabelLevels) return Fail(core, Status::kFull);
  const WordIndex word = kHeaderLabelTables + level;
  if (core.region.Load(word) != 0) return Fail(core, Status::kDone);
  const std::size_t bytes = LabelTableBytes(level);
  Status failure = Status::kFull;
  Block table = core.blocks.Allocate(bytes, Place::kFixed, &failure);
  if (table == 0 && failure == Status::kFull && core.evictor != nullptr) {
    table = core.evictor->MakeFixedRoom(bytes, &failure);
    core.evictor->SweepForgotten();
  }
  if (table == 0) return Fail(core, failure);
  for (std::size_t i = 0; i < bytes / sizeof(Word); ++i) core.region.Store(WordOf(table) + i, 0);
  // Before any entry can have a label: a version that does not know them must not open the region any more.
  core.region.SetBits(kHeaderFeatures, kFeatureLabels);
  // Release: whoever finds the table finds it empty.
  if (!core.region.CompareAndSwap(word, 0, table)) core.blocks.Free(table, bytes);
  Fail(core, Status::kDone);
}

}  // namespace mapsafe
