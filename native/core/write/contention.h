// Hot segments: counts how often writers get in each other's way. Where that happens too often, the keys are parted
// before their segment is full. See docs/internals/protocol.md, "Hot segments".
#ifndef MAPSAFE_CORE_CONTENTION_H_
#define MAPSAFE_CORE_CONTENTION_H_

#include "core.h"

namespace mapsafe {

// Counts a finished write: 16 at a time, so that the line is seldom written.
void CountWrite(Core& core, Block segment);

// Counts a write that found a bucket or mutex taken, or a bucket changed. Returns true, once in a window, if the
// segment proves hot.
bool CountContention(Core& core, Block segment);

// Splits the segment that `hash` maps to, if that can part keys and the bounds allow it. Leaves the outcome as it is.
// The thread must hold nothing.
void Relieve(Core& core, std::uint32_t hash);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_CONTENTION_H_
