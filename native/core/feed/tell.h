// What writers do for the change feed. See docs/internals/protocol.md, "Change feed".
#ifndef MAPSAFE_CORE_FEED_TELL_H_
#define MAPSAFE_CORE_FEED_TELL_H_

#include "core.h"
#include "feed/feed.h"

namespace mapsafe {

// Notes that the key of the entry at block `entry` was changed, and why (one of the kCause constants); `version` is
// that of the entry now, or of the deletion. To be called if the map is watched, after the change and a sequentially
// consistent fence, while the key's home is still held: so changes of a key are told in their order, and whoever reads
// of one finds it.
void Tell(Core& core, Block entry, Word cause, std::uint64_t version);

// Notes that the label with this name was invalidated. To be called if the map is watched, after the invalidation and
// such a fence, under a claim: should the thread die before, watchers learn that they may have missed some.
void TellLabel(Core& core, const Key& name);

// Wakes the watchers if this thread has told anything since it last did. It holds nothing any more.
void WakeWatchers(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_FEED_TELL_H_
