// Making all entries with a label invalid at once. See docs/internals/protocol.md, "Labels" and "Change feed".
#ifndef MAPSAFE_CORE_INVALIDATE_H_
#define MAPSAFE_CORE_INVALIDATE_H_

#include "core.h"
#include "index/entry.h"

namespace mapsafe {

// Raises the generations of a label, in its own word and in the one that it shares with others (0: it has none), and
// tells those who watch the map. `name` is the label's, as a key. Status kDone; kCorrupt for a word outside.
void Invalidate(Core& core, const Key& name, WordIndex own, WordIndex shared);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_INVALIDATE_H_
