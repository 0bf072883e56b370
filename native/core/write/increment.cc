#include "write/increment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/counter.h"
#include "index/expiry.h"
#include "write/contention.h"

namespace mapsafe {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

bool IsSafeInteger(double number) {
  return std::trunc(number) == number && std::fabs(number) <= kMaxSafeInteger;
}

// Prefetches for one counter that other threads change, too: its lines are fetched together with the home's, and not
// only after the home says where it is. The block may hold another entry by now; then nothing is gained.
void PrefetchRecent(Core& core) {
  core.region.PrefetchForWrite(WordOf(core.counter.block));
  core.region.PrefetchForWrite(WordOf(core.counter.block) + core.counter.words - 1);
}

// Writes optimistically to the counter that this thread changed last, without a walk: the sooner the swap follows the
// look, the fewer swaps are lost to other threads. Returns kStructural if that entry, in that slot, is no longer the
// key's counter, and if the value in its place is not a sum.
Attempt TryRecent(Core& core, Edit* edit) {
  const RecentCounter& counter = core.counter;
  const Location location = core.Locate(edit->key.hash);
  if (location.segment == 0) return Attempt::kStructural;
  Bucket home = core.BucketAt(location, HomeOf(edit->key.hash));
  const Word version = home.LoadVersion();
  if ((version & 1) != 0) return Lose(core, edit, location.segment);
  if (!StillMaps(core.region, location)) return Attempt::kLost;
  bool outside = false;
  if (home.Slot(counter.slot) != counter.block || !EntryMatches(core.region, counter.block, edit->key, &outside)) {
    return Attempt::kStructural;
  }
  const EntryHeader header = ReadHeader(core.region, counter.block);
  const double expires_at = ExpiryOf(core.region, counter.block, header);
  if (HasExpired(core.region, expires_at)) return Attempt::kStructural;
  if (PrepareSum(core, edit, counter.block, header) != Status::kDone) return Attempt::kStructural;
  edit->met_node = core.region.Load(WordOf(counter.block) + kEntryNode);

  const Change change{location.segment, home, home, counter.slot, counter.block, 0, home.EntryVersionAfter(version)};
  core.thread.Claim(home.block());
  if (!home.TryHold(version)) {
    core.thread.ClearClaim();
    return Lose(core, edit, location.segment);
  }
  // As in TryOptimistically.
  if (HasExpired(core.region, ExpiryOf(core.region, counter.block, header))) {
    home.Release();
    core.thread.ClearClaim();
    return Attempt::kStructural;
  }
  StoreSum(core.region, counter.block, header, edit->sum, change.version);
  Expose(core, *edit, change);
  const Word home_version = home.Release();
  core.thread.ClearClaim();
  Finish(core, edit, change, home_version);
  return Attempt::kFinished;
}

bool IsRecent(const Core& core, std::uint32_t hash) {
  return core.counter.hash == hash && core.region.Contains(core.counter.block, core.counter.words);
}

}  // namespace

// Makes the number stored in `current` the edit's sum. If `current` is no counter to change in place, writes the sum
// into the entry to publish, with the number's expiry and labels.
Status PrepareSum(Core& core, Edit* edit, Block current, const EntryHeader& header) {
  double number = 0;
  double expires_at = edit->expiry_given;
  edit->labels_needed = current != 0 ? header.label_count : std::min(core.outcome->given_labels, kMaxEntryLabels);
  if (current != 0) {
    if (header.value_kind() != kValueNumber) return Status::kNotACounter;
    if (!header.is_sound() || !core.region.Contains(current, header.words())) return Status::kCorrupt;
    core.region.CopyOut(WordOf(current) + header.value_offset(), sizeof number, reinterpret_cast<std::byte*>(&number));
    if (!IsSafeInteger(number)) return Status::kNotACounter;
    if (!edit->renews()) expires_at = ExpiryOf(core.region, current, header);
    // The expiry of an entry never changes, so another one takes a new entry.
    edit->in_place = header.is_counter() && !edit->renews();
  }
  edit->is_given = current == 0;
  edit->sum = number + edit->by + 0.0;  // + 0.0: never -0
  if (!IsSafeInteger(edit->sum)) return Status::kCounterRange;
  core.outcome->expires_at = expires_at;
  if (edit->in_place) return Status::kDone;
  if (edit->block == 0 || edit->label_count != edit->labels_needed) return Status::kNeedsBlock;
  const WordIndex value = WordOf(edit->block) + kEntryData + WordsFor(edit->key.length);
  core.region.CopyIn(value, sizeof edit->sum, reinterpret_cast<const std::byte*>(&edit->sum));
  const WordIndex labels = value + kCounterWords;
  for (std::size_t i = 0; i < std::size_t{edit->label_count} * kLabelWords; ++i) {
    const Word word =
        current != 0 ? core.region.Load(WordOf(current) + header.labels_offset() + i) : core.outcome->labels[i];
    core.region.Store(labels + i, word);
  }
  if (core.is_cache) {
    edit->kept_until = expires_at == kNever ? std::numeric_limits<double>::infinity() : expires_at;
    StoreExpiry(core.region, labels + std::size_t{edit->label_count} * kLabelWords, edit->kept_until);
  }
  return Status::kDone;
}

namespace {

// How often an increment takes a block for a number of labels that the entry no longer has when the block is there.
constexpr int kMaxBlocks = 64;

double Increment(Core& core, const Key& key, double by, double expires_at, std::uint32_t mode) {
  Edit edit{Edit::Kind::kIncrement, key, mode, 0, by};
  edit.expiry_given = expires_at;
  PrefetchHome(core, key.hash);
  if (IsRecent(core, key.hash) && !edit.renews()) {
    PrefetchRecent(core);
    if (Optimistically([&] { return TryRecent(core, &edit); }) == Attempt::kFinished) {
      if (edit.met_hot_segment) Relieve(core, key.hash);
      return edit.sum;
    }
  }
  Run(core, &edit);
  if (core.outcome->status != Status::kNeedsBlock) return edit.sum;
  const double zero = 0;
  Value value{reinterpret_cast<const std::byte*>(&zero), sizeof zero, kValueNumber};
  value.counts = true;
  // In a cache, always with room for an expiry: whether the counter has one is known only once its block is there.
  if (core.is_cache) value.expires_at = std::numeric_limits<double>::infinity();
  for (int blocks = 0; core.outcome->status == Status::kNeedsBlock && blocks < kMaxBlocks; ++blocks) {
    value.label_count = edit.labels_needed;
    RunWithEntry(core, &edit, value);
    edit.block = core.outcome->status == Status::kNeedsBlock ? 0 : edit.block;
  }
  if (core.outcome->status == Status::kNeedsBlock) Fail(core, Status::kTimeout);
  return edit.sum;
}

}  // namespace

double IncrementEntry(Core& core, const Key& key, double by, double expires_at, std::uint32_t mode) {
  const double sum = Increment(core, key, by, expires_at, mode);
  core.outcome->given_labels = 0;
  return sum;
}

}  // namespace mapsafe
