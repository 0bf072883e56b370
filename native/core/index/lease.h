// Leases: entries that hold a key's place while its value is being loaded. See docs/internals/protocol.md, "Loads". For
// all calls but loads, the key is absent.
#ifndef MAPSAFE_CORE_LEASE_H_
#define MAPSAFE_CORE_LEASE_H_

#include "index/bucket.h"
#include "index/entry.h"

namespace mapsafe {

// The effect of a deletion on a lease that has not lapsed yet. The lease stays, so that the calls waiting for it get
// their value; but its version changes, so that the value is not stored. It changes in place, since a deletion must not
// need memory; the bucket of its slot and `home` are held. A reader that meets the change half way meets the new kind
// with the old version, and a write of that reader that depends on that version fails: the kind is stored first, and
// the release pairs with the acquire in ReadHeader.
inline void Lapse(Region& region, Block block, const Bucket& home) {
  const WordIndex at = WordOf(block);
  const std::uint64_t version = home.EntryVersionAfter(home.ReloadVersion());
  const Word meta = region.Load(at + kEntryMeta) & ~(kValueKindMask << kValueKindShift);
  region.StoreRelease(at + kEntryMeta, meta | kValueLapsedLease << kValueKindShift);
  region.StoreRelease(at + kEntryVersion, static_cast<Word>(version));
  const std::uint32_t label_count = region.Load(at + kEntryVersion + 1) >> kLabelCountShift;
  region.StoreRelease(at + kEntryVersion + 1, HighWordOf(version, label_count));
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LEASE_H_
