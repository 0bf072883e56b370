#include "index/lookup.h"

#include "eviction/eviction.h"
#include "index/expiry.h"
#include "index/lease.h"
#include "threads/backoff.h"

namespace mapsafe {

void WalkSpilled(Core& core, const Location& location, const Key& key, Overflow overflow, Versions* versions,
                 Sighting* sighting) {
  const auto probe = [&](std::uint32_t index) {
    sighting->bucket = index;
    const Bucket bucket = core.BucketAt(location, index);
    versions->Note(bucket);
    sighting->slot = bucket.Probe(key, &sighting->entry, &sighting->damaged);
    return sighting->found();
  };
  if (overflow.neighbour > 0 && probe(NeighbourOf(HomeOf(key.hash)))) return;
  if (overflow.stash == 0) return;
  for (std::uint32_t i = kHomeBuckets; i < kAllBuckets; ++i) {
    if (probe(i)) return;
  }
}

Status CopyValue(Core& core, Block entry, const EntryHeader& header) {
  core.outcome->kind = header.value_kind();
  if (!IsKnownKind(header.value_kind())) return Status::kUnknownKind;
  if (!core.region.Contains(entry, header.words()) || !header.is_sound()) return Status::kCorrupt;
  core.outcome->length = header.value_length;
  if (header.value_length > core.scratch.capacity) return Status::kScratchTooSmall;
  core.region.CopyOut(WordOf(entry) + header.value_offset(), header.value_length, core.scratch.data);
  return Status::kFound;
}

void ReportLabels(Core& core, Block entry, const EntryHeader& header) {
  Outcome& outcome = *core.outcome;
  const bool readable = header.label_count <= kMaxEntryLabels && core.region.Contains(entry, header.words());
  outcome.found_labels = readable ? header.label_count : 0;
  core.region.CopyOut(WordOf(entry) + header.labels_offset(),
                      std::size_t{outcome.found_labels} * kLabelWords * sizeof(Word),
                      reinterpret_cast<std::byte*>(outcome.of_found_labels));
}

Status CopyPresent(Core& core, Block entry, const EntryHeader& header) {
  return IsLeaseKind(header.value_kind()) ? Status::kAbsent : CopyValue(core, entry, header);
}

namespace {

// So often a lookup looks again at an expired entry in a home that is held: for some 12 milliseconds.
constexpr int kHeldLooks = 96;

// Looks `key` up; `read(entry, header)` then gives the status of an entry found, before it is validated. If `uses`, the
// lookup counts as a use of the entry.
template <bool uses, typename Read>
void Lookup(Core& core, const Key& key, Read read, bool sees_stale = false) {
  Outcome& outcome = *core.outcome;
  int held_looks = 0;
  for (Backoff backoff(*core.budget, Obstacle::Others());;) {
    const Location location = core.Locate(key.hash);
    if (location.segment == 0) return Fail(core, Status::kCorrupt);
    Versions versions(core.region);
    const Bucket home = core.BucketAt(location, HomeOf(key.hash));
    const Word version = versions.Note(home);
    Sighting sighting;
    Walk(core, location, key, &versions, &sighting);

    Status status = Status::kAbsent;
    std::uint64_t entry_version = 0;
    double expires_at = kNever;
    double stale_until = kNever;
    Block node = 0;
    bool expired = false;
    outcome.found_labels = 0;
    if (sighting.found()) {
      const EntryHeader header = ReadHeader(core.region, sighting.entry);
      expires_at = ExpiryOf(core.region, sighting.entry, header);
      if (header.may_be_stale()) stale_until = StaleUntil(core.region, sighting.entry, header);
      expired = HasExpired(core.region, expires_at);
      if (!expired || (sees_stale && stale_until > Now(core.region))) [[likely]] {
        entry_version = header.version;
        node = core.region.Load(WordOf(sighting.entry) + kEntryNode);
        status = read(sighting.entry, header);
        if (header.label_count != 0) [[unlikely]] {
          ReportLabels(core, sighting.entry, header);
        }
      }
    } else if (sighting.damaged) {
      status = Status::kCorrupt;
    }
    // Who holds the home may be about to renew the entry: it looked at the clock before the entry's time had passed.
    if (expired && status == Status::kAbsent && (version & 1) != 0 && held_looks++ < kHeldLooks && backoff.Wait()) {
      continue;
    }
    if (versions.Unchanged() && (sighting.found() || StillMaps(core.region, location))) {
      outcome.status = status;
      outcome.version_low = static_cast<Word>(entry_version);
      outcome.version_high = static_cast<Word>(entry_version >> 32);
      outcome.home = home.block();
      outcome.home_version = version;
      outcome.entry = entry_version != 0 ? sighting.entry : 0;
      outcome.expires_at = entry_version != 0 ? expires_at : kNever;
      outcome.stale_until = entry_version != 0 ? stale_until : kNever;
      if (uses && core.evictor != nullptr) core.evictor->Touch(node, key.hash);
      return;
    }
    if (!backoff.Wait()) return Fail(core, Status::kTimeout);
  }
}

}  // namespace

void Get(Core& core, const Key& key, std::uint64_t known) {
  Lookup<true>(core, key, [&](Block entry, const EntryHeader& header) {
    return known != kNoVersion && header.version == known ? Status::kUnchanged : CopyPresent(core, entry, header);
  });
}

void GetPassing(Core& core, const Key& key) {
  Lookup<false>(core, key, [&](Block entry, const EntryHeader& header) { return CopyPresent(core, entry, header); });
}

void GetForLoad(Core& core, const Key& key) {
  const auto read = [&](Block entry, const EntryHeader& header) { return CopyValue(core, entry, header); };
  Lookup<true>(core, key, read, true);
}

void Peek(Core& core, const Key& key) {
  Lookup<false>(core, key, [](Block, const EntryHeader& header) {
    return IsLeaseKind(header.value_kind()) ? Status::kAbsent : Status::kFound;
  });
}

}  // namespace mapsafe
