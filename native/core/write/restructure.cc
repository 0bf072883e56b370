#include "write/restructure.h"

#include "eviction/eviction.h"
#include "threads/backoff.h"
#include "threads/mutex.h"

namespace mapsafe {

bool HoldBucket(Core& core, Bucket* bucket) {
  for (Backoff backoff(*core.budget, Obstacle::Bucket(bucket->at()));;) {
    const Word version = bucket->LoadVersion();
    if ((version & 1) == 0 && bucket->TryHold(version)) return true;
    // Only while waiting: once the swap may have taken the bucket, no thread must read here that it is not ours.
    core.thread.SetWaiting(bucket->block());
    const bool may_go_on = backoff.Wait();
    core.thread.SetWaiting(0);
    if (!may_go_on) return false;
  }
}

bool HoldBuckets(Core& core, Block segment) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    Bucket bucket = core.BucketAt(segment, i);
    if (HoldBucket(core, &bucket)) continue;
    Fail(core, Status::kTimeout);
    while (i-- > 0) core.BucketAt(segment, i).Release();
    return false;
  }
  return true;
}

void ReleaseBuckets(Core& core, Block segment) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) core.BucketAt(segment, i).Release();
}

bool HoldSegment(Core& core, Block segment) {
  if (!HoldBuckets(core, segment)) return false;
  const WordIndex moves = WordOf(segment) + kSegmentMoves;
  // Odd before the first move: the moves themselves are releases, so a collector that meets one also meets this.
  core.region.Store(moves, core.region.Load(moves) + 1);
  return true;
}

void ReleaseSegment(Core& core, Block segment) {
  const WordIndex moves = WordOf(segment) + kSegmentMoves;
  core.region.StoreRelease(moves, core.region.Load(moves) + 1);
  ReleaseBuckets(core, segment);
}

std::uint64_t EndOf(const Region& region, Block segment) {
  const Word depth = region.Load(WordOf(segment) + kSegmentDepth);
  const std::uint64_t width = (std::uint64_t{1} << 32) >> (depth > kMaxDepth ? kMaxDepth : depth);
  return region.Load(WordOf(segment) + kSegmentPrefix) + width;
}

Location LockSegment(Core& core, std::uint32_t hash) {
  for (std::uint32_t tries = 0;; ++tries) {
    Location location = core.Locate(hash);
    if (tries > kMaxMoves) location.segment = 0;
    if (location.segment == 0) {
      Fail(core, Status::kCorrupt);
      return location;
    }
    const WordIndex mutex = WordOf(location.segment) + kSegmentMutex;
    core.thread.Claim(location.segment);
    if (!LockMutex(*core.budget, mutex)) {
      core.thread.ClearClaim();
      Fail(core, Status::kTimeout);
      return {location.directory, location.entry, 0};
    }
    if (StillMaps(core.region, location)) return location;
    UnlockSegment(core, location.segment);  // it was split while we waited
  }
}

void UnlockSegment(Core& core, Block segment) {
  UnlockMutex(core.region, WordOf(segment) + kSegmentMutex);
  core.thread.ClearClaim();
}

namespace {

// Locks the mutex of the segment that `hash` maps to. The thread claims everything already. The segment is 0 if the
// mutex could not be taken; the outcome says why.
Block LockUnderClaim(Core& core, std::uint32_t hash) {
  for (std::uint32_t tries = 0;; ++tries) {
    const Location location = core.Locate(hash);
    if (location.segment == 0 || tries > kMaxMoves) {
      Fail(core, Status::kCorrupt);
      return 0;
    }
    const WordIndex mutex = WordOf(location.segment) + kSegmentMutex;
    if (!LockMutex(*core.budget, mutex)) {
      Fail(core, Status::kTimeout);
      return 0;
    }
    if (StillMaps(core.region, location)) return location.segment;
    UnlockMutex(core.region, mutex);  // it was split while we waited
  }
}

}  // namespace

bool HoldEverything(Core& core, std::vector<Block>* held) {
  core.thread.Claim(kClaimAll);
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) {
    const Block segment = LockUnderClaim(core, static_cast<std::uint32_t>(hash));
    if (segment == 0) return false;
    if (!HoldBuckets(core, segment)) {
      UnlockMutex(core.region, WordOf(segment) + kSegmentMutex);
      return false;
    }
    held->push_back(segment);
    const std::uint64_t end = EndOf(core.region, segment);
    if (end <= hash || held->size() > MaxSegments(core.region)) {
      Fail(core, Status::kCorrupt);
      return false;
    }
    hash = end;
  }
  return true;
}

void ReleaseHeld(Core& core, Block segment) {
  ReleaseBuckets(core, segment);
  UnlockMutex(core.region, WordOf(segment) + kSegmentMutex);
}

void Unlinked::FreeAll(Core& core) const {
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Block entry = blocks_[i];
    if (core.evictor != nullptr && core.region.Contains(entry, kEntryData)) {
      const WordIndex at = WordOf(entry);
      core.evictor->Forget(core.region.Load(at + kEntryNode), core.region.Load(at + kEntryHash));
    }
    FreeEntry(core, entry);
  }
}

void SweepTombstones(Core& core, Block segment, Unlinked* unlinked) {
  const std::uint32_t before = unlinked->count();
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket.Slot(slot);
      if ((reference & kTombstone) == 0) continue;
      unlinked->Add(reference & ~kTombstone);
      bucket.Vacate(slot, 0);
    }
  }
  core.region.Add(WordOf(segment) + kSegmentTombstones, before - unlinked->count());
}

namespace {

// Moves one spilled key of `home` out of `from`, in the order copy, step, clear: a scan that could miss both places
// meets a changed home version. If a tombstone is in its way, which only a takeover leaves there, the two change
// places.
void MoveTo(Bucket* to, std::uint32_t room, Bucket* home, Bucket* from, std::uint32_t slot) {
  const Word displaced = to->Slot(room);
  to->Publish(room, from->Tag(slot), from->Slot(slot));
  home->Step();
  from->Vacate(slot, displaced);
}

}  // namespace

void BringHome(Region& region, Block segment) {
  std::array<Overflow, kHomeBuckets> overflows{};
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    Bucket bucket(region, BucketIn(segment, i));
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket.Slot(slot);
      if (!IsLive(reference) || !region.Contains(reference, kEntryData)) continue;
      const std::uint32_t home_index = HomeOf(ReadHeader(region, reference).hash);
      if (home_index == i) continue;
      Bucket home(region, BucketIn(segment, home_index));
      if (const std::uint32_t room = home.FindRoom(); room < kSlotsPerBucket) {
        MoveTo(&home, room, &home, &bucket, slot);
      } else if (i < kHomeBuckets) {
        ++overflows[home_index].neighbour;
      } else {
        Bucket neighbour(region, BucketIn(segment, NeighbourOf(home_index)));
        const std::uint32_t spare = neighbour.FindRoom();
        if (spare == kSlotsPerBucket) {
          ++overflows[home_index].stash;
          continue;
        }
        ++overflows[home_index].neighbour;
        home.SetOverflow({home.overflow().neighbour + 1, home.overflow().stash});
        MoveTo(&neighbour, spare, &home, &bucket, slot);
      }
    }
  }
  for (std::uint32_t i = 0; i < kHomeBuckets; ++i) Bucket(region, BucketIn(segment, i)).SetOverflow(overflows[i]);
}

}  // namespace mapsafe
