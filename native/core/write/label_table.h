// Tables of labels. Their slots are filled by the store, which is the same over both engines: src/store/labels.ts. See
// docs/internals/protocol.md, "Labels".
#ifndef MAPSAFE_CORE_LABEL_TABLE_H_
#define MAPSAFE_CORE_LABEL_TABLE_H_

#include "core.h"

namespace mapsafe {

// Makes the table of a level, if there is none yet; a cache evicts for it. Status kDone if there is one now; kFull,
// kTimeout or kCorrupt.
void MakeLabelTable(Core& core, std::uint32_t level);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LABEL_TABLE_H_
