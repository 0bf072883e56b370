#include "write/cleanup.h"

#include <algorithm>
#include <atomic>

#include "base/probes.h"
#include "eviction/eviction.h"
#include "feed/tell.h"
#include "index/expiry.h"
#include "index/lease.h"
#include "memory/leftovers.h"
#include "threads/mutex.h"
#include "write/departures.h"
#include "write/join.h"
#include "write/restructure.h"

namespace mapsafe {

namespace {

constexpr std::uint64_t kHashEnd = std::uint64_t{1} << 32;

// Empties the slot of a counted entry in a held bucket, and counts that. Announced like a write, one entry after the
// other: if this thread dies in the middle of a segment, other threads count what is gone.
void DropCounted(Core& core, Bucket* bucket, std::uint32_t slot) {
  core.thread.BeginWrite(bucket->at() + kBucketSlots + slot, 0, bucket->ReloadVersion(), ~Word{0});
  bucket->Vacate(slot, 0);
  core.thread.NotePublished();
  core.thread.AddSize(~Word{0});
  core.thread.EndWrite();
}

// Tells those who watch the map of the entries that were taken out of a held segment: those of `unlinked` from index
// `from` on.
void TellUnlinked(Core& core, Block segment, const Unlinked& unlinked, std::uint32_t from, Word cause) {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // as in Expose
  if (!IsWatched(core.region)) return;
  for (std::uint32_t i = from; i < unlinked.count(); ++i) {
    const Block entry = unlinked.block(i);
    if (!core.region.Contains(entry, kEntryData)) continue;
    const EntryHeader header = ReadHeader(core.region, entry);
    if (IsLeaseKind(header.value_kind())) continue;
    const Bucket home = core.BucketAt(segment, HomeOf(header.hash));
    Tell(core, entry, cause, home.EntryVersionAfter(home.ReloadVersion()));
  }
}

// Empties every slot of a held segment, except for leases, which lapse; sets `has_leases` if there are any. Returns the
// number of live entries there were.
std::uint32_t Empty(Core& core, Block segment, Unlinked* unlinked, bool* has_leases) {
  std::uint32_t live = 0;
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket.Slot(slot);
      if (!IsLive(reference)) continue;
      if (core.region.Contains(reference, kEntryData)) {
        const EntryHeader header = ReadHeader(core.region, reference);
        if (header.value_kind() == kValueLease) {
          Lapse(core.region, reference, core.BucketAt(segment, HomeOf(header.hash)));
        }
        if (IsLeaseKind(header.value_kind())) {
          *has_leases = true;
          continue;
        }
      }
      ++live;
      unlinked->Add(reference);
      DropCounted(core, &bucket, slot);
    }
  }
  if (*has_leases) {
    BringHome(core.region, segment);
  } else {
    for (std::uint32_t i = 0; i < kHomeBuckets; ++i) core.BucketAt(segment, i).SetOverflow({0, 0});
    core.region.Store(WordOf(segment) + kSegmentExpiry, 0);
    core.region.Store(WordOf(segment) + kSegmentLabelled, 0);
  }
  return live;
}

bool IsWorthCleaning(const Region& region, Block segment) {
  return TombstonesOf(region, segment) > 0 || IsWorthSweeping(region, segment);
}

// Deletes the expired entries of a held segment, and those invalidated, and makes its hints match the others.
void SweepExpired(Core& core, Block segment, Unlinked* unlinked) {
  if (!IsWorthSweeping(core.region, segment)) return;
  const double now = Now(core.region);
  const std::uint32_t before = unlinked->count();
  // Noted before the look at the entries: what is invalidated meanwhile is looked at again.
  const Word invalidations = InvalidationsNow(core.region);
  bool labelled = false;
  std::uint32_t expired = 0;
  Word next = 0;
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket.Slot(slot);
      if (!IsLive(reference) || !core.region.Contains(reference, kEntryData)) continue;
      const EntryHeader header = ReadHeader(core.region, reference);
      const double expires_at = KeptUntil(core.region, reference, header);
      labelled = labelled || (header.label_count != 0 && !(expires_at != kNever && expires_at <= now));
      if (expires_at == kNever) continue;
      if (expires_at <= now) {
        unlinked->Add(reference);
        if (IsLeaseKind(header.value_kind())) {
          bucket.Vacate(slot, 0);
        } else {
          DropCounted(core, &bucket, slot);
          ++expired;
          probes::EntryExpire(core.region, header.hash);
        }
      } else if (const Word tick = ExpiryTick(expires_at); tick != 0) {
        next = next == 0 ? tick : std::min(next, tick);
      }
    }
  }
  core.region.Store(WordOf(segment) + kSegmentExpiry, next);
  core.region.Store(WordOf(segment) + kSegmentLabelled, labelled ? invalidations : 0);
  core.thread.Count(kCounterExpired, expired);
  TellUnlinked(core, segment, *unlinked, before, kCauseExpired);
}

// Gives back what the map does not need any more, if it holds little now; and free blocks, of which one in the list of
// a thread keeps a span.
void GiveBackIdle(Core& core, bool was_cleared) {
  if (core.evictor != nullptr && MayJoin(core.region)) core.evictor->GiveBackIdle();
  GiveBackLeftovers(core.region, *core.budget);
  if (!GiveBackDeparted(core) && !was_cleared) return;
  core.blocks.RecallAll();
  core.blocks.Flush();
}

}  // namespace

std::optional<std::uint32_t> CleanUpLocked(Core& core, Block segment) {
  if (!HoldSegment(core, segment)) return std::nullopt;
  Unlinked unlinked;
  SweepTombstones(core, segment, &unlinked);
  SweepExpired(core, segment, &unlinked);
  BringHome(core.region, segment);
  ReleaseSegment(core, segment);
  WakeWatchers(core);
  unlinked.FreeAll(core);
  return unlinked.count();
}

bool CleanUp(Core& core, Block segment, Patience patience) {
  const WithPatience with(*core.budget, patience);
  const Outcome outcome = *core.outcome;  // of the operation that met the tombstones
  bool held = false;
  core.thread.Claim(segment);
  if (LockMutex(*core.budget, WordOf(segment) + kSegmentMutex)) {
    held = CleanUpLocked(core, segment).has_value();
    UnlockMutex(core.region, WordOf(segment) + kSegmentMutex);
  }
  core.thread.ClearClaim();
  *core.outcome = outcome;
  return held;
}

bool CleanUpAll(Core& core, Patience patience) {
  bool all = true;
  for (std::uint64_t hash = 0; hash < kHashEnd;) {
    const Location location = core.Locate(static_cast<std::uint32_t>(hash));
    if (location.segment == 0) return all;
    if (IsWorthCleaning(core.region, location.segment)) {
      all = CleanUp(core, location.segment, patience) && all;
    }
    const std::uint64_t end = EndOf(core.region, location.segment);
    if (end <= hash) return all;
    hash = end;
  }
  return all;
}

std::uint64_t Sweep(Core& core, std::uint64_t from_hash, std::uint32_t budget) {
  Outcome& outcome = *core.outcome;
  outcome.status = Status::kDone;
  outcome.length = 0;
  core.blocks.GiveBackDue();
  while (from_hash < kHashEnd && budget > 0) {
    --budget;
    const Location location = core.Locate(static_cast<std::uint32_t>(from_hash));
    if (location.segment == 0) {
      Fail(core, Status::kCorrupt);
      return from_hash;
    }
    if (IsWorthSweeping(core.region, location.segment) && CleanUp(core, location.segment, Patience::kNone)) {
      ++outcome.length;
      budget -= std::min(budget, kSweepCost);
    }
    if (JoinHalves(core, static_cast<std::uint32_t>(from_hash), JoinFor::kTidiness)) {
      budget -= std::min(budget, kSweepCost);
      continue;  // with the segment that came of it
    }
    // If the segment was just split, its lower half may end before `from_hash`: then the upper half is next.
    from_hash = std::max(from_hash, EndOf(core.region, location.segment));
  }
  if (core.evictor != nullptr) core.evictor->SweepForgotten();
  if (from_hash >= kHashEnd) GiveBackIdle(core, false);
  return from_hash;
}

std::uint64_t Clear(Core& core, std::uint64_t from_hash, std::uint32_t segments) {
  core.outcome->status = Status::kDone;
  std::uint64_t hash = from_hash;
  for (; hash < kHashEnd && segments > 0; --segments) {
    const Location location = LockSegment(core, static_cast<std::uint32_t>(hash));
    if (location.segment == 0) return hash;
    const std::uint64_t end = EndOf(core.region, location.segment);
    if (!HoldSegment(core, location.segment)) {
      UnlockSegment(core, location.segment);
      return hash;
    }
    Unlinked unlinked;
    SweepTombstones(core, location.segment, &unlinked);
    const std::uint32_t tombstones = unlinked.count();
    bool has_leases = false;
    core.thread.Count(kCounterDeleted, Empty(core, location.segment, &unlinked, &has_leases));
    TellUnlinked(core, location.segment, unlinked, tombstones, kCauseCleared);
    ReleaseSegment(core, location.segment);
    WakeWatchers(core);
    unlinked.FreeAll(core);
    UnlockSegment(core, location.segment);
    if (has_leases) WakeAllWaiting(core.region, core.waker);
    if (core.evictor != nullptr) core.evictor->SweepForgotten();
    if (end <= hash) {
      Fail(core, Status::kCorrupt);
      return hash;
    }
    // The half before was cleared before.
    JoinAround(core, static_cast<std::uint32_t>(hash), JoinFor::kRoom);
    hash = end;
  }
  if (hash >= kHashEnd) GiveBackIdle(core, true);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // as in Expose: no later read of this thread overtakes it
  return hash;
}

}  // namespace mapsafe
