// Leases: entries that hold a key's place while its value is being loaded. See docs/internals/protocol.md, "Loads". To
// all but those who load, the key is absent.
#ifndef MAPSAFE_CORE_LEASE_H_
#define MAPSAFE_CORE_LEASE_H_

#include "index/bucket.h"
#include "index/entry.h"

namespace mapsafe {

// What a deletion does to a lease that has not lapsed yet: it stays, so that those who wait for it get their value, but
// with another version, so that the value is not stored. Changed in place, since a deletion must not need memory; the
// bucket of its slot and `home` are held. A reader that meets the change half way meets the new kind with the old
// version, and what it then writes on condition of that version fails: the kind is stored first, and the release pairs
// with the acquire in ReadHeader.
inline void Lapse(Region& region, Block block, const Bucket& home) {
  const WordIndex at = WordOf(block);
  const std::uint64_t version = home.EntryVersionAfter(home.ReloadVersion());
  const Word meta = region.Load(at + kEntryMeta) & ~(kValueKindMask << kValueKindShift);
  region.StoreRelease(at + kEntryMeta, meta | kValueLapsedLease << kValueKindShift);
  region.StoreRelease(at + kEntryVersion, static_cast<Word>(version));
  region.StoreRelease(at + kEntryVersion + 1, static_cast<Word>(version >> 32));
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LEASE_H_
