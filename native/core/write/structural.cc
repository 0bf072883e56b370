// Writes that need more than their home bucket: keys in the neighbour or the stash, inserts that find the home full,
// and writers that lost too many races. See docs/internals/protocol.md, "Write, structural".
#include "index/expiry.h"
#include "threads/backoff.h"
#include "write/cleanup.h"
#include "write/compaction.h"
#include "write/restructure.h"
#include "write/split.h"
#include "write/tombstones.h"
#include "write/write.h"

namespace mapsafe {

namespace {

enum class Step { kFinished, kNoRoom };

// How often room is made for one write. Other threads may take the room first, but hardly ever this often; in a damaged
// segment no split may help.
constexpr std::uint32_t kMaxTries = 256;

// What is reclaimed at first for a segment that must split: its pages, and as many more.
constexpr std::size_t kSplitBytes = std::size_t{64} << 10;

// Like Walk, repeated until it was undisturbed. The home is held, so the key itself stays in place. But other slots of
// neighbour and stash may change during the walk, and their reused blocks could look like our key.
bool WalkHeld(Core& core, const Location& location, const Key& key, Sighting* sighting) {
  for (Backoff backoff(*core.budget, Obstacle::Others());;) {
    Versions versions(core.region);
    Walk(core, location, key, &versions, sighting);
    if (versions.Unchanged()) return true;
    if (!backoff.Wait()) return false;
  }
}

// Holds the first bucket with room for a key of this home: home, neighbour, stash. The home is held already.
Bucket HoldRoom(Core& core, const Location& location, std::uint32_t home_index, std::uint32_t* index,
                std::uint32_t* slot) {
  Bucket home = core.BucketAt(location, home_index);
  *index = home_index;
  *slot = home.FindRoom();
  if (*slot < kSlotsPerBucket) return home;
  // A bucket that another thread holds is waited for only if no other has room.
  for (const Patience patience : {Patience::kNone, core.budget->patience()}) {
    const WithPatience with(*core.budget, patience);
    for (std::uint32_t i = 0; i <= kStashBuckets; ++i) {
      *index = i == 0 ? NeighbourOf(home_index) : kHomeBuckets + i - 1;
      Bucket bucket = core.BucketAt(location, *index);
      if (bucket.FindRoom() == kSlotsPerBucket || !HoldBucket(core, &bucket)) continue;
      *slot = bucket.FindRoom();
      if (*slot < kSlotsPerBucket) return bucket;
      bucket.Release();
    }
  }
  return home;
}

void RaiseOverflow(Bucket* home, std::uint32_t index) {
  Overflow overflow = home->overflow();
  ++(index < kHomeBuckets ? overflow.neighbour : overflow.stash);
  home->SetOverflow(overflow);
}

// Does the edit under the segment's mutex and the home bucket. Releases both, but keeps the mutex for kNoRoom.
Step EditHeld(Core& core, const Location& location, Bucket home, Edit* edit) {
  const std::uint32_t home_index = HomeOf(edit->key.hash);
  Sighting sighting;
  Status status = Status::kTimeout;
  if (WalkHeld(core, location, edit->key, &sighting)) {
    status = !sighting.found() && sighting.damaged ? Status::kCorrupt
                                                   : Prepare(core, edit, sighting.found() ? sighting.entry : 0);
  }
  Bucket bucket = home;
  std::uint32_t index = home_index;
  std::uint32_t slot = sighting.slot;
  if (status == Status::kDone && sighting.found()) {
    index = sighting.bucket;
    bucket = core.BucketAt(location, index);
    if (index != home_index && !HoldBucket(core, &bucket)) status = Status::kTimeout;
  } else if (status == Status::kDone) {
    bucket = HoldRoom(core, location, home_index, &index, &slot);
    if (slot == kSlotsPerBucket) {
      home.Release();
      return Step::kNoRoom;
    }
    if (index != home_index) RaiseOverflow(&home, index);
  }
  // Again as late as possible: see "Expiry" in docs/internals/protocol.md.
  while (status == Status::kDone && HasDied(core.region, *edit)) {
    status = Prepare(core, edit, sighting.found() ? sighting.entry : 0);
    if (status != Status::kDone && index != home_index) bucket.Release();
  }
  if (status != Status::kDone) {
    Fail(core, status);
    core.outcome->home = home.block();
    core.outcome->home_version = home.Release();
    UnlockSegment(core, location.segment);
    return Step::kFinished;
  }

  const Block current = sighting.found() ? sighting.entry : 0;
  Change change{location.segment,
                home,
                bucket,
                slot,
                current,
                current == 0 ? bucket.Slot(slot) : 0,
                home.EntryVersionAfter(home.ReloadVersion())};
  CompleteEntry(core, *edit, change.version);
  Announce(core, *edit, &change, bucket.ReloadVersion());
  Apply(core, *edit, &change);
  Expose(core, *edit, change);
  if (index != home_index) bucket.Release();
  const Word home_version = home.Release();
  UnlockSegment(core, location.segment);
  Finish(core, edit, change, home_version);
  return Step::kFinished;
}

// Makes room in a segment that has none, by cleanup or else by a split.
Status MakeRoom(Core& core, Block segment) {
  return CleanUpLocked(core, segment).value_or(0) > 0 ? Status::kDone : Split(core, segment);
}

// Moves entries until a segment can split, and the directory can double. Returns false if there is no room for a
// segment. Both blocks are taken before either is given back.
bool MoveForSplit(Core& core) {
  Status failure;
  const Block segment = MakeRoomByMoving(core, kSegmentBytes, Place::kFixed, &failure);
  if (segment == 0) return false;
  const std::size_t bytes = core.directory.NextBytes();
  const Block directory = MakeRoomByMoving(core, bytes, Place::kFixed, &failure);
  if (directory != 0) core.blocks.Free(directory, bytes);
  core.blocks.Free(segment, kSegmentBytes);
  return true;
}

// Runs `attempt` under the mutex of the key's segment and with the home bucket held. `attempt` releases or keeps both.
// If it wants room and has released the home, makes room and begins again. Fills in the outcome on failure.
template <typename Attempt>
void AtHome(Core& core, const Key& key, Attempt attempt) {
  Reclaiming round(core);
  std::size_t wanted = kSplitBytes;  // to reclaim the next time
  bool moved = false;                // whether entries were moved to make room
  bool reclaimed = false;            // whether another attempt would reclaim no more
  bool all = true;                   // whether no segment was passed over meanwhile
  for (std::uint32_t tries = 0;; ++tries) {
    if (tries == kMaxTries) return Fail(core, Status::kCorrupt);
    const Location location = LockSegment(core, key.hash);
    if (location.segment == 0) return;
    Bucket home = core.BucketAt(location, HomeOf(key.hash));
    if (!HoldBucket(core, &home)) {
      Fail(core, Status::kTimeout);
      return UnlockSegment(core, location.segment);
    }
    if (attempt(location, home) == Step::kFinished) return;
    const Status made = MakeRoom(core, location.segment);
    UnlockSegment(core, location.segment);
    if (made == Status::kDone) continue;
    if (made == Status::kFull && !moved) {
      moved = true;
      if (MoveForSplit(core)) continue;
    }
    if (made == Status::kFull && !reclaimed) {
      // No mutex is held now, so memory can be gathered from everywhere: first where that takes no waiting; then, in a
      // map, which has no other source, everywhere.
      if (!round.is_over()) {
        round.GoOn(wanted);
        wanted *= 2;
        reclaimed = round.is_over() && (!round.has_passed_over() || core.evictor != nullptr);
        all = !round.has_passed_over();
      } else {
        all = CleanUpAll(core, Patience::kAll);
        reclaimed = true;
      }
      core.blocks.Flush();
      moved = false;
      continue;
    }
    if (made != Status::kTimeout) Fail(core, made == Status::kFull && !all ? Status::kTimeout : made);
    return;
  }
}

// Whether a key of a held home can be inserted for as long as the home is held. Other threads may take the neighbour's
// room. But no other thread fills the home, which is held, or the stash, which is filled under the mutex.
bool HasLastingRoom(Core& core, const Location& location, const Bucket& home) {
  if (home.FindRoom() < kSlotsPerBucket) return true;
  for (std::uint32_t i = kHomeBuckets; i < kAllBuckets; ++i) {
    if (core.BucketAt(location, i).FindRoom() < kSlotsPerBucket) return true;
  }
  return false;
}

// The part of HoldKey under the mutex and the home bucket.
Step HoldAtHome(Core& core, const Location& location, Bucket home, const Key& key, bool wants_room) {
  Outcome& outcome = *core.outcome;
  Sighting sighting;
  Status status = Status::kTimeout;
  EntryHeader header{};
  double expires_at = kNever;
  double stale_until = kNever;
  outcome.found_labels = 0;
  if (WalkHeld(core, location, key, &sighting)) {
    if (sighting.found()) {
      header = ReadHeader(core.region, sighting.entry);
      expires_at = ExpiryOf(core.region, sighting.entry, header);
      stale_until = StaleUntil(core.region, sighting.entry, header);
      status = HasExpired(core.region, expires_at) ? Status::kAbsent : CopyPresent(core, sighting.entry, header);
      ReportLabels(core, sighting.entry, status == Status::kFound ? header : EntryHeader{});
    } else {
      status = sighting.damaged ? Status::kCorrupt : Status::kAbsent;
    }
  }
  if (wants_room && !sighting.found() && status == Status::kAbsent && !HasLastingRoom(core, location, home)) {
    home.Release();
    return Step::kNoRoom;
  }
  Fail(core, status);
  if (status != Status::kFound && status != Status::kAbsent) {
    home.Release();
    UnlockSegment(core, location.segment);
    return Step::kFinished;
  }
  const std::uint64_t version = status == Status::kFound ? header.version : kNoVersion;
  outcome.version_low = static_cast<Word>(version);
  outcome.version_high = static_cast<Word>(version >> 32);
  outcome.home = home.block();
  outcome.home_version = home.ReloadVersion();
  outcome.entry = status == Status::kFound ? sighting.entry : 0;
  outcome.expires_at = status == Status::kFound ? expires_at : kNever;
  outcome.stale_until = status == Status::kFound ? stale_until : kNever;
  core.held_segment = location.segment;
  core.held_home = home.at();
  core.held_until = outcome.expires_at;
  core.held_entry = status == Status::kFound && header.label_count != 0 ? sighting.entry : 0;
  return Step::kFinished;
}

}  // namespace

void EditStructurally(Core& core, Edit* edit) {
  const Block segment = core.Locate(edit->key.hash).segment;
  if (segment != 0 && core.region.Load(WordOf(segment) + kSegmentMutex) != 0) MeetContention(core, edit, segment);
  AtHome(core, edit->key, [&](const Location& location, Bucket home) { return EditHeld(core, location, home, edit); });
}

void HoldKey(Core& core, const Key& key) {
  for (const bool wants_room : {true, false}) {
    AtHome(core, key,
           [&](const Location& location, Bucket home) { return HoldAtHome(core, location, home, key, wants_room); });
    // Without room nothing can be inserted; but whether there will be an insert is not known yet.
    if (core.outcome->status != Status::kFull) return;
  }
}

void EditHeldKey(Core& core, Edit* edit) {
  const Location location = core.Locate(edit->key.hash);
  const Bucket home = core.BucketAt(location, HomeOf(edit->key.hash));
  // The mutex keeps the segment in place; only in a damaged region does the key now lead elsewhere.
  if (location.segment != core.held_segment || home.at() != core.held_home) {
    LetGo(core);
    return Fail(core, Status::kCorrupt);
  }
  // The caller read an entry whose time has passed since, or which was invalidated, and will read again.
  const bool has_died = HasExpired(core.region, core.held_until) || IsInvalidated(core.region, core.held_entry);
  if (edit->kind == Edit::Kind::kPut && has_died) {
    LetGo(core);
    return Fail(core, Status::kNotDone);
  }
  core.held_segment = 0;
  if (EditHeld(core, location, home, edit) == Step::kFinished) return;
  UnlockSegment(core, location.segment);
  Fail(core, Status::kFull);
}

void LetGo(Core& core) {
  if (core.held_segment == 0) return;
  Bucket(core.region, core.held_home).Release();
  UnlockSegment(core, core.held_segment);
  core.held_segment = 0;
}

}  // namespace mapsafe
