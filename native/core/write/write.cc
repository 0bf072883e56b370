#include "write/write.h"

#include <algorithm>

#include "base/probes.h"
#include "eviction/eviction.h"
#include "feed/tell.h"
#include "index/counter.h"
#include "index/expiry.h"
#include "index/lease.h"
#include "threads/backoff.h"
#include "write/cleanup.h"
#include "write/compaction.h"
#include "write/contention.h"
#include "write/departures.h"
#include "write/increment.h"
#include "write/join.h"
#include "write/tombstones.h"

namespace mapsafe {

namespace {

// Whether a put or increment will most likely change bucket and entry. A put that wants the key to be absent may well
// find it, and should then not have taken lines away from readers.
bool WillPublish(const Edit& edit) {
  return edit.kind == Edit::Kind::kIncrement || (edit.block != 0 && (edit.mode & kPutConditionMask) != kPutIfAbsent);
}

Attempt TryOptimistically(Core& core, Edit* edit) {
  const Key& key = edit->key;
  const Location location = core.Locate(key.hash);
  if (location.segment == 0) {
    Fail(core, Status::kCorrupt);
    return Attempt::kFinished;
  }
  Versions versions(core.region);
  Bucket home = core.BucketAt(location, HomeOf(key.hash));
  const Word version = versions.Note(home);
  if ((version & 1) != 0) return Lose(core, edit, location.segment);
  if (!StillMaps(core.region, location)) return Attempt::kLost;

  Sighting sighting;
  if (WillPublish(*edit)) {
    Walk<true>(core, location, key, &versions, &sighting);
  } else {
    Walk(core, location, key, &versions, &sighting);
  }
  if (sighting.found() && sighting.bucket != HomeOf(key.hash)) return Attempt::kStructural;
  const Block current = sighting.found() ? sighting.entry : 0;
  Status status = Prepare(core, edit, current);
  if (!sighting.found() && sighting.damaged) status = Status::kCorrupt;
  if (status != Status::kDone) {
    if (!versions.Unchanged()) return Attempt::kLost;
    core.outcome->status = status;
    core.outcome->home = home.block();
    core.outcome->home_version = version;
    return Attempt::kFinished;
  }
  const std::uint32_t slot = sighting.found() ? sighting.slot : home.FindRoom();
  if (slot == kSlotsPerBucket) return Attempt::kStructural;
  if (!versions.Unchanged()) return Attempt::kLost;  // neighbour or stash; the swap checks the home's version

  Change change{
      location.segment, home, home, slot, current, current == 0 ? home.Slot(slot) : 0, home.EntryVersionAfter(version)};
  CompleteEntry(core, *edit, change.version);
  Announce(core, *edit, &change, version + 1);
  core.thread.Claim(home.block());
  if (!home.TryHold(version)) {
    core.thread.ClearClaim();
    TakeBack(core, change);
    return Lose(core, edit, location.segment);
  }
  // The time of the entry may have passed since Prepare looked, and a reader may have seen that. From now on readers
  // find the home held, and look again before they say so: see "Expiry" in docs/internals/protocol.md.
  if (HasDied(core.region, *edit) || IsOutdated(core.region, *edit)) {
    TakeBack(core, change);
    home.Release();
    core.thread.ClearClaim();
    return Attempt::kLost;
  }
  Apply(core, *edit, &change);
  Expose(core, *edit, change);
  const Word home_version = home.Release();
  core.thread.ClearClaim();
  Finish(core, edit, change, home_version);
  return Attempt::kFinished;
}

}  // namespace

void RunToEnd(Core& core, Edit* edit) {
  if (Optimistically([&] { return TryOptimistically(core, edit); }) != Attempt::kFinished) EditStructurally(core, edit);
}

namespace {

// How often one write gathers memory for a split: other threads may use the memory first.
constexpr int kMaxGatherings = 8;

// Evicts until a segment can split; if `doubles`, until the directory can double, too. Both blocks are taken before
// either is given back: room for one must not come from what was gathered for the other.
bool GatherForSplit(Core& core, std::uint32_t hash, bool doubles) {
  Evictor& evictor = *core.evictor;
  Status failure;
  const Block segment = evictor.MakeRoom(kSegmentBytes, hash, Place::kFixed, &failure);
  if (segment == 0) return false;
  if (doubles) {
    const std::size_t bytes = core.directory.NextBytes();
    const Block directory = evictor.MakeRoom(bytes, hash, Place::kFixed, &failure);
    if (directory != 0) core.blocks.Free(directory, bytes);
  }
  core.blocks.Free(segment, kSegmentBytes);
  return true;
}

// Like RunToEnd; also gets a node for a new key, and memory for a segment that must split.
void RunInCache(Core& core, Edit* edit) {
  Evictor& evictor = *core.evictor;
  std::optional<Backoff> backoff;
  for (int tries = 0;;) {
    RunToEnd(core, edit);
    Status failure = core.outcome->status;
    if (failure == Status::kNeedsNode) {
      edit->node = evictor.Admit(edit->key.hash, &failure);
      if (edit->node != 0) continue;
      Fail(core, failure);
    } else if (failure == Status::kFull && tries++ < 2 * kMaxGatherings) {
      evictor.StartRound();
      // Few splits double the directory. Where a split has no room or does not help, an entry of the home has to go.
      if (tries <= kMaxGatherings && GatherForSplit(core, edit->key.hash, tries > 1)) continue;
      if (evictor.EvictAtHome(edit->key.hash)) continue;
      if (evictor.has_passed_over()) {
        --tries;
        if (!backoff) backoff = Backoff::BetweenSearches(*core.budget);
        if (backoff->Wait()) continue;
        Fail(core, Status::kTimeout);
      }
    }
    break;
  }
  if (edit->node != 0) evictor.Withdraw(edit->node);
  evictor.SweepForgotten();
}

// Makes room for a block in a map: reclaims tombstones and expired entries, and moves entries, so that free memory lies
// together. What is reclaimed at a time is what the block needs, and twice as much whenever that was not enough, so
// that a call does not pay for what the next ones need. It fails only when nothing is left anywhere, and waits for
// other threads only before that.
Block Reclaim(Core& core, std::size_t bytes, Place place, Status* failure) {
  Reclaiming round(core);
  std::uint32_t looks = kLooksAtOnce;
  for (std::size_t wanted = bytes; !round.is_over(); wanted *= 2) {
    round.GoOn(wanted, looks);
    looks = ~0u;
    core.blocks.Flush();
    const Block block = MakeRoomByMoving(core, bytes, place, failure);
    if (block != 0 || *failure != Status::kFull) return block;
  }
  bool all = true;
  for (const Patience patience : {Patience::kNone, Patience::kAll}) {
    if (patience == Patience::kAll) all = CleanUpAll(core, patience);
    JoinAll(core, JoinFor::kRoom);
    GiveBackDeparted(core);
    core.blocks.Flush();
    const Block block = MakeRoomByMoving(core, bytes, place, failure);
    if (block != 0 || *failure != Status::kFull || !round.has_passed_over()) return block;
  }
  if (!all) *failure = Status::kTimeout;
  return 0;
}

// A cache that is full of entries has nothing to gain from moves. After one attempt in vain, so many of its writes do
// not try.
constexpr std::uint32_t kWritesWithoutMoves = 64;

// Moves entries for a block, where a cache has free memory in many places.
Block MoveInCache(Core& core, std::size_t bytes, Place place, Status* failure) {
  if (core.writes_without_moves > 0) {
    --core.writes_without_moves;
    return 0;
  }
  const Block block = MakeRoomAtOnce(core, bytes, place, failure);
  if (block == 0) core.writes_without_moves = kWritesWithoutMoves;
  return block;
}

// Evicts for a block until no victim was passed over.
Block EvictFor(Core& core, std::size_t bytes, std::uint32_t hash, bool lease, Status* failure) {
  Evictor& evictor = *core.evictor;
  for (Backoff backoff = Backoff::BetweenSearches(*core.budget);;) {
    evictor.StartRound();
    Block block = 0;
    if (lease) block = evictor.MakeRoom(bytes, hash, Place::kOutsideReserve, failure);
    if (block == 0 && *failure == Status::kFull) block = evictor.MakeRoomForEntry(bytes, hash, failure);
    if (block != 0 || *failure != Status::kFull || !evictor.has_passed_over()) return block;
    if (backoff.Wait()) continue;
    *failure = Status::kTimeout;
    return 0;
  }
}

// Allocates a block for the entry. A cache evicts for it; a map reclaims deleted entries once before it gives up.
Block AllocateEntry(Core& core, std::size_t bytes, std::uint32_t hash, bool lease) {
  Status failure = Status::kFull;
  if (!core.blocks.CouldFit(bytes)) {
    Fail(core, Status::kEntryTooLarge);
    return 0;
  }
  // A lease cannot be evicted, so it lies in the reserve only if it finds room nowhere else.
  const Place place = lease ? Place::kOutsideReserve : Place::kAnywhere;
  Block block = core.blocks.Allocate(bytes, place, &failure);
  if (block == 0 && failure == Status::kFull && core.evictor != nullptr) {
    block = MoveInCache(core, bytes, place, &failure);
  }
  if (block == 0 && failure == Status::kFull) {
    block =
        core.evictor != nullptr ? EvictFor(core, bytes, hash, lease, &failure) : Reclaim(core, bytes, place, &failure);
  }
  if (block == 0) Fail(core, failure);
  return block;
}

}  // namespace

Attempt Lose(Core& core, Edit* edit, Block segment) {
  MeetContention(core, edit, segment);
  return Attempt::kLost;
}

void Run(Core& core, Edit* edit) {
  if (core.evictor == nullptr) {
    RunToEnd(core, edit);
  } else {
    RunInCache(core, edit);
  }
  // Only now: the write holds nothing any more, and its outcome is known. After an error it does nothing more.
  if (edit->met_hot_segment && static_cast<int>(core.outcome->status) >= 0) Relieve(core, edit->key.hash);
}

void PrefetchHome(Core& core, std::uint32_t hash) {
  const Location location = core.Locate(hash);
  if (location.segment != 0) core.region.PrefetchForWrite(location.bucket(HomeOf(hash)));
}

void RunWithEntry(Core& core, Edit* edit, const Value& value) {
  const std::size_t bytes = EntryBytes(edit->key, value);
  edit->kept_until = value.kept_until();
  if ((edit->mode & kPutConditionMask) != kPutIfAbsent) PrefetchHome(core, edit->key.hash);
  edit->puts_lease = IsLeaseKind(value.kind);
  edit->label_count = value.label_count;
  edit->block = AllocateEntry(core, bytes, edit->key.hash, edit->puts_lease);
  if (edit->block == 0) return;
  BuildEntry(core.region, edit->block, edit->key, value);
  Run(core, edit);
  if (edit->puts_lease && core.outcome->status == Status::kDone) probes::LeaseTake(core.region, edit->key.hash);
  if (core.outcome->status != Status::kDone || edit->in_place) core.blocks.Free(edit->block, bytes);
}

void MeetContention(Core& core, Edit* edit, Block segment) {
  if (CountContention(core, segment)) edit->met_hot_segment = true;
}

namespace {

// Whether what the edit writes or returns depends on an entry that is there. A deletion's does not: whether it took an
// entry away or met none, the key is absent.
bool DependsOnLife(const Edit& edit) {
  if (edit.kind == Edit::Kind::kIncrement) return true;
  if (edit.block == 0 || edit.puts_lease) return false;
  const std::uint32_t condition = edit.mode & kPutConditionMask;
  return condition == kPutIfPresent || condition == kPutIfVersion || (edit.mode & kReturnPrevious) != 0;
}

}  // namespace

Status Prepare(Core& core, Edit* edit, Block current) {
  Outcome& outcome = *core.outcome;
  const EntryHeader met = current == 0 ? EntryHeader{} : ReadHeader(core.region, current);
  const double expires_at = ExpiryOf(core.region, current, met);
  const bool expired = HasExpired(core.region, expires_at);
  edit->met = current != 0;
  const bool decides = !expired && DependsOnLife(*edit);
  edit->alive_until = decides ? expires_at : kNever;
  edit->alive_entry = decides && met.label_count != 0 ? current : 0;
  edit->in_place = false;
  edit->is_given = (edit->mode & kPutGiven) != 0;
  // A lease has no node: it is never evicted.
  edit->met_node = current == 0 ? 0 : core.region.Load(WordOf(current) + kEntryNode);
  edit->meets_expired = expired;
  edit->meets_lease = IsLeaseKind(met.value_kind());
  const bool present = current != 0 && !edit->meets_lease && !expired;
  edit->lapses = edit->kind == Edit::Kind::kRemove && met.value_kind() == kValueLease &&
                 (edit->mode & kPutConditionMask) != kPutIfVersion;
  edit->drops_stale = edit->kind == Edit::Kind::kRemove && expired && met.may_be_stale();
  outcome.previous = present ? Status::kFound : Status::kAbsent;
  bool holds = true;
  switch (edit->mode & kPutConditionMask) {
    case kPutIfAbsent:
      holds = !present && !(edit->puts_lease && edit->meets_lease && !expired);
      break;
    case kPutIfPresent:
      holds = present;
      break;
    case kPutIfVersion:
      // A lease may replace a value that expired.
      holds = current != 0 && (!expired || edit->puts_lease) && met.version == edit->version;
      break;
    default:
      holds = edit->kind != Edit::Kind::kRemove || present || edit->lapses || edit->drops_stale;
  }
  if (edit->kind == Edit::Kind::kEvict) holds = expired || (present && !edit->only_expired);
  if (IsOutdated(core.region, *edit)) holds = false;
  if (present && (edit->mode & kReturnPrevious) != 0) {
    // Copied now, before any change: if the value does not fit, the caller can grow the buffer and try again.
    const Status copied = CopyValue(core, current, met);
    if (copied != Status::kFound) return copied;
  }
  if (!holds) {
    if (current != 0 && !expired) {
      outcome.version_low = static_cast<Word>(met.version);
      outcome.version_high = static_cast<Word>(met.version >> 32);
      outcome.entry = current;
    }
    return Status::kNotDone;
  }
  if (core.evictor != nullptr && edit->block != 0 && !edit->puts_lease && edit->node == 0 && edit->met_node == 0) {
    return Status::kNeedsNode;
  }
  return edit->kind == Edit::Kind::kIncrement ? PrepareSum(core, edit, present ? current : 0, met) : Status::kDone;
}

namespace {

bool ChangesCounts(const Change& change) {
  return change.size_delta != 0 || change.leaves_tombstone || change.displaced != 0;
}

}  // namespace

void Announce(Core& core, const Edit& edit, Change* change, Word version) {
  if (edit.lapses || edit.in_place) return;
  if (edit.kind == Edit::Kind::kEvict) {
    change->reference = 0;  // no tombstone: room is wanted
  } else if (edit.kind == Edit::Kind::kRemove) {
    change->leaves_tombstone =
        !core.blocks.is_tight() && ReadHeader(core.region, change->previous).bytes() <= kMaxTombstoneBytes;
    change->reference = change->leaves_tombstone ? change->previous | kTombstone : 0;
  } else {
    change->reference = edit.block;
  }
  const bool counted = change->previous != 0 && !edit.meets_lease;
  change->size_delta = Word{edit.leaves_value()} - Word{counted};
  if (!ChangesCounts(*change)) return;
  const WordIndex slot = change->bucket.at() + kBucketSlots + change->slot;
  core.thread.BeginWrite(slot, change->reference, version, change->size_delta);
}

void TakeBack(Core& core, const Change& change) {
  if (ChangesCounts(change)) core.thread.EndWrite();
}

void Apply(Core& core, const Edit& edit, Change* change) {
  if (edit.kept_until != kNever) LowerExpiryHint(core.region, change->segment, edit.kept_until);
  if (edit.label_count != 0 && edit.block != 0) NoteLabelled(core.region, change->segment);
  if (edit.lapses) {
    Lapse(core.region, change->previous, change->home);
  } else if (edit.in_place) {
    const EntryHeader header = ReadHeader(core.region, change->previous);
    StoreSum(core.region, change->previous, header, edit.sum, change->version);
    core.counter = {edit.key.hash, change->previous, header.words(), change->slot};
  } else if (edit.block == 0) {
    change->bucket.Vacate(change->slot, change->reference);
  } else if (change->previous != 0) {
    change->bucket.Replace(change->slot, edit.block);
  } else {
    change->bucket.Publish(change->slot, TagOf(edit.key.hash), edit.block);
  }
  if (ChangesCounts(*change)) core.thread.NotePublished();
}

namespace {

// Why the change concerns those who watch the key; 0 if it does not: a lease is no value, and what is stored quietly is
// the value that was there.
Word CauseOf(const Edit& edit, const Change& change) {
  if (edit.leaves_value()) return (edit.mode & kPutQuietly) != 0 ? 0 : kCauseSet;
  if (change.previous == 0 || edit.meets_lease) return 0;
  if (edit.meets_expired) return kCauseExpired;
  return edit.kind == Edit::Kind::kEvict ? kCauseEvicted : kCauseDeleted;
}

void TellChange(Core& core, const Edit& edit, const Change& change) {
  const Word cause = CauseOf(edit, change);
  if (cause == 0) return;
  Tell(core, cause == kCauseSet && !edit.in_place ? edit.block : change.previous, cause, change.version);
}

}  // namespace

void Expose(Core& core, const Edit& edit, const Change& change) {
  // Without the fence a later read of this thread could overtake the stores that made the change. Of two threads that
  // each write one key and then read the other's, both could then miss the other's write, and no order of the four
  // operations explains that. And of a writer that looks whether anybody watches, and a watcher that looks at the key,
  // both could miss the other. That the bucket is held was visible before, so its release need not be yet.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (IsWatched(core.region)) [[unlikely]] {
    TellChange(core, edit, change);
  }
}

void CompleteEntry(Core& core, const Edit& edit, std::uint64_t version) {
  if (edit.block == 0 || edit.in_place) return;
  SetEntryVersion(core.region, edit.block, version, edit.label_count);
  const Block node = edit.met_node == 0 ? edit.node : edit.met_node;
  if (!edit.puts_lease) core.region.Store(WordOf(edit.block) + kEntryNode, node);
}

namespace {

// Notes what became of the nodes of the entry published and the entry met.
void TellEvictor(Evictor& evictor, Edit* edit) {
  if (edit->leaves_value() && edit->met_node != 0) {
    evictor.Touch(edit->met_node, edit->key.hash);
  } else if (edit->kind != Edit::Kind::kEvict) {
    evictor.Forget(edit->met_node, edit->key.hash);
  }
  if (edit->met_node != 0 || edit->node == 0 || edit->puts_lease) return;
  evictor.Settle(edit->node);
  edit->node = 0;
}

// Counts the loss of the value that an edit met, and tells tracers of a loss that no call asked for.
void CountLoss(Core& core, const Edit& edit) {
  if (edit.meets_expired) {
    core.thread.Count(kCounterExpired);
    probes::EntryExpire(core.region, edit.key.hash);
  } else if (edit.kind == Edit::Kind::kEvict) {
    core.thread.Count(kCounterEvictedSize);
    probes::EntryEvict(core.region, edit.key.hash);
  } else {
    core.thread.Count(edit.block == 0 && !edit.in_place ? kCounterDeleted : kCounterReplaced);
  }
}

}  // namespace

void Finish(Core& core, Edit* in, const Change& change, Word home_version) {
  const Edit& edit = *in;
  Outcome& outcome = *core.outcome;
  outcome.status = edit.lapses || edit.drops_stale ? Status::kNotDone : Status::kDone;
  outcome.version_low = static_cast<Word>(change.version);
  outcome.version_high = static_cast<Word>(change.version >> 32);
  outcome.home = change.home.block();
  outcome.home_version = home_version;
  outcome.entry = edit.in_place ? change.previous : edit.block;

  WakeWatchers(core);
  if (edit.meets_lease) [[unlikely]] {
    WakeWaiting(core.region, core.waker, edit.key.hash);
    if (edit.lapses) {
      probes::LeaseLapse(core.region, edit.key.hash);
    } else {
      probes::LeaseEnd(core.region, edit.key.hash);
    }
  }
  CountWrite(core, change.segment);
  if (edit.lapses) return;
  const WordIndex tombstones = WordOf(change.segment) + kSegmentTombstones;
  if (ChangesCounts(change)) {
    if (change.size_delta != 0) core.thread.AddSize(change.size_delta);
    if (change.displaced != 0) core.region.Add(tombstones, ~Word{0});
    if (change.leaves_tombstone) core.region.Add(tombstones, 1);
    core.thread.EndWrite();
  }
  if (change.displaced != 0) FreeEntry(core, change.displaced & ~kTombstone);
  if (change.previous != 0 && !edit.meets_lease) CountLoss(core, edit);
  if (core.evictor != nullptr) TellEvictor(*core.evictor, in);
  if (change.leaves_tombstone) {
    if (TombstonesOf(core.region, change.segment) > kTombstoneLimit) CleanUp(core, change.segment, Patience::kLittle);
  } else if (change.previous != 0 && !edit.in_place) {
    FreeEntry(core, change.previous);
  }
}

namespace {

// Gives a value the labels that the caller left in the outcome. They are gone from there once the write is over.
Value WithLabels(const Outcome& outcome, Value value) {
  value.label_count = std::min(outcome.given_labels, kMaxEntryLabels);
  value.labels = outcome.labels;
  return value;
}

}  // namespace

void PutEntry(Core& core, const Key& key, const Value& value, std::uint32_t mode, std::uint64_t version) {
  Edit edit{Edit::Kind::kPut, key, mode, version};
  if (core.outcome->given_labels == 0) [[likely]] {
    return RunWithEntry(core, &edit, value);
  }
  RunWithEntry(core, &edit, WithLabels(*core.outcome, value));
  core.outcome->given_labels = 0;
}

void RemoveEntry(Core& core, const Key& key, std::uint32_t mode, std::uint64_t version) {
  Edit edit{Edit::Kind::kRemove, key, mode, version};
  Run(core, &edit);
}

void PutHeldEntry(Core& core, const Key& key, const Value& given) {
  const Value value = WithLabels(*core.outcome, given);
  core.outcome->given_labels = 0;
  Edit edit{Edit::Kind::kPut, key, kPutAlways, kNoVersion};
  edit.kept_until = value.kept_until();
  edit.label_count = value.label_count;
  const std::size_t bytes = EntryBytes(key, value);
  // Without a cleanup: it would wait for the segment that this thread holds.
  Status failure = core.blocks.CouldFit(bytes) ? Status::kFull : Status::kEntryTooLarge;
  if (failure == Status::kFull) edit.block = core.blocks.Allocate(bytes, Place::kAnywhere, &failure);
  if (edit.block == 0) {
    LetGo(core);
    return Fail(core, failure);
  }
  BuildEntry(core.region, edit.block, key, value);
  EditHeldKey(core, &edit);
  if (core.outcome->status != Status::kDone) core.blocks.Free(edit.block, bytes);
  // An insert into a cache may have to evict, so this thread must hold nothing at that time.
  if (core.outcome->status == Status::kNeedsNode) Fail(core, Status::kFull);
  if (core.evictor != nullptr) core.evictor->SweepForgotten();
}

void RemoveHeldEntry(Core& core, const Key& key) {
  Edit edit{Edit::Kind::kRemove, key, kPutAlways, kNoVersion};
  EditHeldKey(core, &edit);
  if (core.evictor != nullptr) core.evictor->SweepForgotten();
}

}  // namespace mapsafe
