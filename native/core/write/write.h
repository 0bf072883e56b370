// Writes: one key changed, if a condition holds. See docs/internals/protocol.md, "Write, optimistic" and "Write,
// structural".
#ifndef MAPSAFE_CORE_WRITE_H_
#define MAPSAFE_CORE_WRITE_H_

#include "core.h"
#include "index/expiry.h"
#include "index/lookup.h"
#include "threads/backoff.h"

namespace mapsafe {

// One change in the making. `Prepare` decides, from the entry found, whether and how to go on. It may be called again
// after a lost race.
struct Edit {
  enum class Kind { kPut, kRemove, kIncrement, kEvict };

  Kind kind;
  const Key& key;
  std::uint32_t mode;     // a kPut condition, perhaps with kReturnPrevious, kRenewExpiry, kPutQuietly or kPutGiven
  std::uint64_t version;  // for kPutIfVersion
  double by = 0;          // for kIncrement
  double sum = 0;
  Block block = 0;                  // the entry to publish, built but for its version; 0 for kRemove, or if in_place
  double kept_until = kNever;       // of that entry
  double expiry_given = kNever;     // for kIncrement: of a new entry, or with kRenewExpiry of any
  Block node = 0;                   // in a cache, for an insert: 0 once it belongs to the entry
  bool met_hot_segment = false;     // set by MeetContention
  bool puts_lease = false;          // whether `block` is a lease
  bool meets_lease = false;         // set by Prepare: the entry found is a lease
  bool meets_expired = false;       // set by Prepare: the entry found has expired, and counts as absent
  bool only_expired = false;        // for kEvict: takes the entry away only if it has expired
  bool met = false;                 // set by Prepare: there is an entry
  double alive_until = kNever;      // set by Prepare: when the entry found expires, if its being there decides
  Block alive_entry = 0;            // set by Prepare: that entry, if it has labels
  std::uint32_t label_count = 0;    // of `block`
  std::uint32_t labels_needed = 0;  // set by Prepare with kNeedsBlock: how many the block must have
  Block met_node = 0;               // set by Prepare: its node, or 0
  bool lapses = false;              // set by Prepare: a deletion leaves that lease, lapsed
  bool drops_stale = false;         // set by Prepare: a deletion takes a value away that had expired
  bool is_given = false;            // set by Prepare: the value is none that was made of older ones
  bool in_place = false;            // set by Prepare: an increment changes the counter found

  bool renews() const { return (mode & kRenewExpiry) != 0; }

  // Whether the key has a value afterwards.
  bool leaves_value() const { return in_place || (block != 0 && !puts_lease); }
};

// Entries above this size do not stay as tombstones: deleted megabytes must not wait for a cleanup.
inline constexpr std::size_t kMaxTombstoneBytes = 512;

// A cleanup runs once tombstones exceed this share of a segment's slots.
inline constexpr std::int32_t kTombstoneLimit = kAllBuckets * kSlotsPerBucket * 3 / 10;

// Lost races before a write queues up at the segment's mutex instead. More would only burn time: measured on two cores,
// a writer that lost four times in a row has met a stream of writers.
inline constexpr int kOptimisticTries = 4;

// Where the labels of the entry to publish lie. Its header does not say yet how many there are.
inline WordIndex LabelsOf(const Region& region, const Edit& edit) {
  return WordOf(edit.block) + ReadHeader(region, edit.block).labels_offset();
}

// Whether the edit has a value that was made before one of its labels was invalidated: it must not be stored, since it
// would replace what is newer. A lease may be: it is over from the start.
inline bool IsOutdated(const Region& region, const Edit& edit) {
  if (edit.label_count == 0 || edit.kind != Edit::Kind::kPut || edit.puts_lease || edit.is_given) return false;
  return AreInvalidated(region, LabelsOf(region, edit), edit.label_count);
}

// Whether the entry that decides has expired, or was invalidated, since Prepare looked. Called with the home held.
// Before it looks, it notes the labels of a value given, which are those of this instant: an invalidation of the entry
// met is then one of the new entry, too.
inline bool HasDied(Region& region, const Edit& edit) {
  if (edit.label_count != 0 && edit.is_given) NoteGenerations(region, LabelsOf(region, edit), edit.label_count);
  return HasExpired(region, edit.alive_until) || IsInvalidated(region, edit.alive_entry);
}

enum class Attempt { kFinished, kLost, kStructural };

// Repeats a lost attempt a few times. Returns kLost if every attempt was lost.
template <typename Try>
Attempt Optimistically(Try attempt) {
  for (int tries = 0; tries < kOptimisticTries; ++tries) {
    if (const Attempt ended = attempt(); ended != Attempt::kLost) return ended;
    for (int spin = 0; spin < 8 << tries; ++spin) SpinPause();
  }
  return Attempt::kLost;
}

// Returns kLost, because the home bucket was taken or changed.
Attempt Lose(Core& core, Edit* edit, Block segment);

// Writes `value` under `key`; fills in the outcome.
void PutEntry(Core& core, const Key& key, const Value& value, std::uint32_t mode, std::uint64_t version);
void RemoveEntry(Core& core, const Key& key, std::uint32_t mode, std::uint64_t version);

// Counts that the edit met a bucket or mutex taken, or a bucket that changed during the edit.
void MeetContention(Core& core, Edit* edit, Block segment);

// Result of Prepare: kDone to go on, anything else to stop with it. It is kNeedsBlock for an increment that finds no
// counter to change in place, and kNeedsNode for an insert into a cache, if the edit lacks them. `current` is the entry
// found, or 0.
Status Prepare(Core& core, Edit* edit, Block current);

// A change to one slot.
struct Change {
  Block segment;
  Bucket home;
  Bucket bucket;  // where the slot lies; both buckets are held
  std::uint32_t slot;
  Block previous;         // the live entry to replace or delete, or 0
  Word displaced;         // the tombstone whose slot is reused, or 0
  std::uint64_t version;  // of the entry to write
  // Set by Announce:
  bool leaves_tombstone = false;  // `previous` stays in its slot as a tombstone
  Word reference = 0;             // what the slot will hold
  Word size_delta = 0;            // what this adds to the number of entries
};

// Writes what the entry to publish still lacked: its version, and in a cache its node.
void CompleteEntry(Core& core, const Edit& edit, std::uint64_t version);

// Announces the change in the thread record, if the counts depend on it. `version` is the odd one of its bucket during
// the change. If this thread dies, other threads know what to count. The change ends with Finish or TakeBack.
void Announce(Core& core, const Edit& edit, Change* change, Word version);
void TakeBack(Core& core, const Change& change);

// Changes the slot.
void Apply(Core& core, const Edit& edit, Change* change);

// Makes the change that was applied visible to all threads, and tells those who watch the map, if there are any. To be
// called while slot's bucket and home are held.
void Expose(Core& core, const Edit& edit, const Change& change);

// Fills in the outcome, counts, and frees what was unlinked. Called once both buckets are released, the home with
// `home_version`.
void Finish(Core& core, Edit* edit, const Change& change, Word home_version);

// Runs an edit; a cache evicts for it.
void Run(Core& core, Edit* edit);

// Runs an edit that publishes an entry, and takes the block back if it was not published.
void RunWithEntry(Core& core, Edit* edit, const Value& value);

// Prefetches the home bucket while the entry is built.
void PrefetchHome(Core& core, std::uint32_t hash);

// Runs an edit in a region, or a part of it, that needs no eviction.
void RunToEnd(Core& core, Edit* edit);

// The structural path; see structural.cc.
void EditStructurally(Core& core, Edit* edit);

// The edit of a key that is held; it ends the hold.
void EditHeldKey(Core& core, Edit* edit);

// Takes the locks of a structural write of `key`, and makes room for an entry if there is none and room can be made.
// The outcome is that of Get; with kFound or kAbsent the key is held until PutHeld, RemoveHeld or LetGo. Meanwhile this
// thread may read, but not write.
void HoldKey(Core& core, const Key& key);

// Ends the hold by a write of the same key. If the status is not kDone, nothing was written.
void PutHeldEntry(Core& core, const Key& key, const Value& value);
void RemoveHeldEntry(Core& core, const Key& key);

// Ends the hold, if there is one, without a write.
void LetGo(Core& core);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_WRITE_H_
