// Asks the processor for the memory that reads of several keys are going to need. Far more keys than fit into its
// caches cost a read two or three waits for memory; asked for together, the waits of many keys last little longer than
// those of one. See docs/decisions/2026-11-29-reads-of-many-keys-ask-ahead.md.
#ifndef MAPSAFE_CORE_AHEAD_H_
#define MAPSAFE_CORE_AHEAD_H_

#include <span>

#include "core.h"

namespace mapsafe {

// The most keys that are worth asking for at once: all that is asked for must still be there when it is used.
inline constexpr std::size_t kAskedAtOnce = 64;

// Asks for the home buckets of `keys`, and then for the entries that have their tags there. Nothing that it sees is
// trusted, and nothing depends on it: whoever reads the keys afterwards looks at everything anew. Returns the number of
// entries asked for.
std::size_t AskAhead(Core& core, std::span<const Key> keys);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_AHEAD_H_
