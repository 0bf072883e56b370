// Leases: entries that hold a key's place while its value is being loaded. See docs/protocol.md, "Loads". To all but
// those who load, the key is absent.
#ifndef MAPSAFE_CORE_LEASE_H_
#define MAPSAFE_CORE_LEASE_H_

#include "bucket.h"
#include "entry.h"

namespace mapsafe {

constexpr bool IsLeaseKind(std::uint32_t value_kind) {
  return value_kind >= kValueLease;
}

// What a deletion does to a lease that has not lapsed yet: it stays, so that those who wait for it get their value, but
// with another version, so that the value is not stored. Changed in place, since a deletion must not need memory; the
// bucket of its slot and `home`, both held, make that one change for every reader. Release, as all changes of what a
// reader may be looking at: see Bucket::Publish.
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
