// The engine read: no lock, no store to shared memory. See docs/internals/protocol.md, "Read".
#ifndef MAPSAFE_CORE_LOOKUP_H_
#define MAPSAFE_CORE_LOOKUP_H_

#include "core.h"

namespace mapsafe {

// Where a bucket walk met a key, with the versions to validate. The slot is kSlotsPerBucket if the walk met none.
struct Sighting {
  std::uint32_t bucket;  // index within the segment
  std::uint32_t slot;
  Block entry;
  bool damaged;

  bool found() const { return slot < kSlotsPerBucket; }
};

// The versions of the buckets that a walk read references from: the home bucket, then the others.
class Versions {
 public:
  explicit Versions(Region& region) : region_(&region) {}

  Word Note(const Bucket& bucket) {
    const Word version = bucket.LoadVersion();
    buckets_[count_] = bucket.at();
    versions_[count_++] = version;
    return version;
  }

  // Whether no version changed since. The fence pairs with the release that every writer's version store is: if any
  // word read before the fence came from after that store, the reload sees a changed version (Boehm, MSPC 2012, section
  // 4).
  bool Unchanged() const {
    std::atomic_thread_fence(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (Bucket(*region_, buckets_[i]).ReloadVersion() != versions_[i]) return false;
    }
    return true;
  }

 private:
  Region* region_;
  std::uint32_t count_ = 0;
  WordIndex buckets_[2 + kStashBuckets];
  Word versions_[2 + kStashBuckets];
};

// The rest of Walk, for a key that is not in its home bucket. Separate, so that the usual walk stays short.
void WalkSpilled(Core& core, const Location& location, const Key& key, Overflow overflow, Versions* versions,
                 Sighting* sighting);

// Looks for `key` in home, neighbour and stash, in this order (see docs/internals/protocol.md, "Read", for why). The
// home's version must have been noted already; those of further buckets are noted before they are read.
//
// The sighting is filled in field by field, not returned: it would come back in two wide registers, loaded over narrow
// stores that were not yet through (a store-forwarding stall, 4 ns of a 35 ns read).
//
// `replaces`: see Bucket::Probe.
template <bool replaces = false>
inline void Walk(Core& core, const Location& location, const Key& key, Versions* versions, Sighting* sighting) {
  sighting->bucket = HomeOf(key.hash);
  sighting->damaged = false;
  const Bucket home = core.BucketAt(location, sighting->bucket);
  sighting->slot = home.Probe<replaces>(key, &sighting->entry, &sighting->damaged);
  if (sighting->found()) return;
  const Overflow overflow = home.overflow();
  if (overflow.byte() != 0) WalkSpilled(core, location, key, overflow, versions, sighting);
}

// Copies the value of an entry into the scratch buffer. Returns kFound; kScratchTooSmall with outcome.length; or
// kCorrupt if lengths leave the region or do not fit the kind, which is reliable only if the versions then validate.
Status CopyValue(Core& core, Block entry, const EntryHeader& header);

// Leaves the labels of an entry in the outcome: none for an empty header. Before the versions are validated, as
// CopyValue.
void ReportLabels(Core& core, Block entry, const EntryHeader& header);

// Like CopyValue, but returns kAbsent for a lease.
Status CopyPresent(Core& core, Block entry, const EntryHeader& header);

// Looks `key` up and fills in the outcome. Copies the value out unless the entry has version `known`; the status is
// then kUnchanged.
void Get(Core& core, const Key& key, std::uint64_t known);

// Like Get, but in a cache it does not count as a use of the entry.
void GetPassing(Core& core, const Key& key);

// Like Get, but copies a lease out, too.
void GetForLoad(Core& core, const Key& key);

// Like Get, without the value: kFound or kAbsent.
void Peek(Core& core, const Key& key);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LOOKUP_H_
