// Increments. See docs/internals/protocol.md, "Increments".
#ifndef MAPSAFE_CORE_INCREMENT_H_
#define MAPSAFE_CORE_INCREMENT_H_

#include "write/write.h"

namespace mapsafe {

// Adds `by` to a counter, which keeps its expiry. A new counter gets `expires_at`: kNever or infinity for no expiry.
// `mode` is kPutAlways or kPutIfPresent, perhaps with kRenewExpiry: then a counter that is there gets that expiry, too.
double IncrementEntry(Core& core, const Key& key, double by, double expires_at, std::uint32_t mode);

// The part of Prepare for increments. `current` is the entry with the number to add to, with its header, or 0.
Status PrepareSum(Core& core, Edit* edit, Block current, const EntryHeader& header);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_INCREMENT_H_
