#include "walk/snapshot.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "base/probes.h"
#include "index/expiry.h"
#include "index/lease.h"
#include "index/lookup.h"
#include "threads/mutex.h"
#include "walk/label_copy.h"
#include "write/restructure.h"

namespace mapsafe {

// No bucket at rest has this version.
constexpr Word kNotCopied = 1;

// The copy of a bucket's entries, and the version that the bucket then had.
struct BucketCopy {
  Word version = kNotCopied;
  std::uint32_t count = 0;
  Word* entries = nullptr;
};

struct SegmentCopy {
  Block segment;
  std::array<BucketCopy, kAllBuckets> buckets;
};

// The copied entries, and how many more words may be copied: damaged references could make every entry as long as the
// region.
struct Copied {
  std::vector<SnapshotPiece> pieces;
  std::size_t budget = 0;
};

namespace {

// Pieces this long cost a system call each, which is nothing beside the work of filling them, and waste little at the
// end.
constexpr std::size_t kPieceWords = 1 << 18;

// Room for `words` words.
Word* MakeRoom(std::vector<SnapshotPiece>* pieces, std::size_t words) {
  if (pieces->empty() || pieces->back().capacity - pieces->back().used < words) {
    const std::size_t capacity = std::max(words, kPieceWords);
    pieces->push_back({std::make_unique_for_overwrite<Word[]>(capacity), capacity});
  }
  SnapshotPiece& piece = pieces->back();
  piece.used += words;
  return piece.words.get() + piece.used - words;
}

// Whether the entries from `copy` on have the lengths that were seen before they were copied. They differ only in a
// region that changes without a version; but a walk over the copy must not leave it.
bool HaveLengths(const Word* copy, const std::size_t* lengths, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; copy += lengths[i++]) {
    if (ReadCopiedHeader(copy).words() != lengths[i]) return false;
  }
  return true;
}

// Copies the entries of a bucket. Copies nothing and returns kNotDone if the bucket changed meanwhile, or kFull over
// the budget.
Status CopyBucket(Core& core, const Bucket& bucket, Copied* copied, BucketCopy* copy) {
  Versions versions(core.region);
  const Word version = versions.Note(bucket);
  std::array<Block, kSlotsPerBucket> entries;
  std::array<std::size_t, kSlotsPerBucket> lengths;  // words
  std::uint32_t count = 0;
  std::size_t total = 0;
  bool damaged = false;
  for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
    const Word reference = bucket.Slot(slot);
    if (!IsLive(reference)) continue;
    const bool within = core.region.Contains(reference, kEntryData);
    if (within && IsLeaseKind(ReadHeader(core.region, reference).value_kind())) continue;
    const std::size_t length = within ? ReadHeader(core.region, reference).words() : 0;
    damaged = damaged || length == 0 || !core.region.Contains(reference, length);
    entries[count] = reference;
    lengths[count++] = length;
    total += length;
  }
  // Before room is made for lengths that are not validated yet.
  if (!versions.Unchanged()) return Status::kNotDone;
  if (damaged) return Status::kCorrupt;
  if (total > copied->budget) return Status::kFull;
  copied->budget -= total;
  copy->version = version;
  copy->count = count;
  copy->entries = nullptr;
  if (count == 0) return Status::kDone;
  Word* room = MakeRoom(&copied->pieces, total);
  copy->entries = room;
  for (std::uint32_t i = 0; i < count; room += lengths[i++]) {
    core.region.CopyOut(WordOf(entries[i]), lengths[i] * sizeof(Word), reinterpret_cast<std::byte*>(room));
  }
  if (versions.Unchanged() && HaveLengths(copy->entries, lengths.data(), count)) return Status::kDone;
  copied->pieces.back().used -= total;
  *copy = {};
  return Status::kNotDone;
}

// Marks copied entries as ones to skip.
void Discard(BucketCopy* copy) {
  Word* entry = copy->entries;
  for (std::uint32_t i = 0; i < copy->count; ++i) {
    const EntryHeader header = ReadCopiedHeader(entry);
    entry[kEntryMeta] &= ~(kKeyKindMask << kKeyKindShift);
    entry += header.words();
  }
  *copy = {};
}

void DiscardAll(SegmentCopy* copy) {
  for (BucketCopy& bucket : copy->buckets) Discard(&bucket);
}

// Marks copied entries that were invalidated as ones to skip. Returns how many.
std::uint32_t DropInvalidated(const LabelCopy& labels, BucketCopy* copy) {
  std::uint32_t dropped = 0;
  Word* entry = copy->entries;
  for (std::uint32_t i = 0; i < copy->count; ++i) {
    const EntryHeader header = ReadCopiedHeader(entry);
    if (header.label_count != 0 && labels.IsInvalidated(entry, header)) {
      entry[kEntryMeta] &= ~(kKeyKindMask << kKeyKindShift);
      ++dropped;
    }
    entry += header.words();
  }
  return dropped;
}

// Copies what changed in a segment since it was copied last, but not what is being changed now, and counts the buckets
// that did. Returns kDone, kFull or kCorrupt.
Status Refresh(Core& core, SegmentCopy* copy, Copied* copied, std::uint32_t* changed) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    const Bucket bucket = core.BucketAt(copy->segment, i);
    const Word version = bucket.LoadVersion();
    if ((version & 1) != 0 || version == copy->buckets[i].version) continue;
    ++*changed;
    Discard(&copy->buckets[i]);
    const Status status = CopyBucket(core, bucket, copied, &copy->buckets[i]);
    if (status == Status::kCorrupt || status == Status::kFull) return status;
  }
  return Status::kDone;
}

// Makes the copy of a held segment match the segment, and adds up its entries. Returns kDone or kCorrupt.
Status Complete(Core& core, SegmentCopy* copy, const LabelCopy& labels, Copied* copied, std::uint32_t* count) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    const Bucket bucket = core.BucketAt(copy->segment, i);
    BucketCopy& entries = copy->buckets[i];
    // While held, the version is one higher than it was at rest.
    if (bucket.ReloadVersion() != entries.version + 1) {
      Discard(&entries);
      if (CopyBucket(core, bucket, copied, &entries) != Status::kDone) return Status::kCorrupt;
    }
    *count += entries.count;
    if (labels.any()) *count -= DropInvalidated(labels, &entries);
  }
  return Status::kDone;
}

// A pass in which fewer buckets changed is the last one: what changes during a further pass is no less.
constexpr std::uint32_t kFewChanges = 64;
constexpr std::uint32_t kMaxPasses = 4;

}  // namespace

struct SnapshotJob::State {
  std::vector<SegmentCopy> copies;
  Copied copied;
  std::uint64_t hash = 0;     // where the first pass goes on
  std::size_t next = 0;       // and the later ones
  std::uint32_t passes = 0;   // that are over
  std::uint32_t changed = 0;  // buckets, in this pass
  std::uint32_t count = 0;    // entries, once it is finished
  Word departures = 0;        // heeded by this thread when the first segment was copied
};

SnapshotJob::SnapshotJob(Core& core) : core_(core), state_(std::make_unique<State>()) {
  state_->copied.budget = 2 * core.region.word_count();  // two passes may have to copy everything
  probes::SnapshotBegin(core.region);
  state_->departures = core.departures;
}

SnapshotJob::~SnapshotJob() {
  probes::SnapshotEnd(core_.region, state_->count);
}

bool SnapshotJob::CopyAhead(std::uint32_t segments) {
  core_.outcome->status = Status::kDone;
  BeginAgainAfterDepartures();
  for (; segments > 0; --segments) {
    const Status status = state_->passes == 0 ? CopyNext() : RefreshNext();
    if (status == Status::kNotDone) return true;  // all passes are over
    if (status == Status::kFull) return true;     // the rest is copied later
    if (status != Status::kDone) {
      Fail(core_, Status::kCorrupt);
      return true;
    }
  }
  return false;
}

// The blocks of segments that left since the last call may be anything by now, segments too. So no copy can be told
// from one of another segment.
void SnapshotJob::BeginAgainAfterDepartures() {
  State& state = *state_;
  if (state.departures == core_.departures) return;
  for (SegmentCopy& copy : state.copies) DiscardAll(&copy);
  state.copies.clear();
  state.hash = 0;
  state.next = 0;
  state.passes = 0;
  state.changed = 0;
  state.departures = core_.departures;
}

// Copies the next segment for the first time. Returns kNotDone after the last one.
Status SnapshotJob::CopyNext() {
  State& state = *state_;
  const Location location = core_.Locate(static_cast<std::uint32_t>(state.hash));
  if (location.segment == 0 || state.copies.size() == MaxSegments(core_.region)) return Status::kCorrupt;
  const std::uint64_t end = EndOf(core_.region, location.segment);
  if (end <= state.hash) {  // It is just being split; the rest is copied later.
    ++state.passes;
    return Status::kDone;
  }
  std::uint32_t changed = 0;
  state.copies.push_back({location.segment, {}});
  const Status status = Refresh(core_, &state.copies.back(), &state.copied, &changed);
  state.hash = end;
  if (end >= std::uint64_t{1} << 32) ++state.passes;
  return status;
}

// Brings the copy of the next segment up to date. Returns kNotDone once a pass has met few changes.
Status SnapshotJob::RefreshNext() {
  State& state = *state_;
  if (state.next == state.copies.size()) {
    ++state.passes;
    const bool is_last = state.changed < kFewChanges || state.passes >= kMaxPasses;
    state.next = 0;
    state.changed = 0;
    if (is_last) return Status::kNotDone;
  }
  return Refresh(core_, &state.copies[state.next++], &state.copied, &state.changed);
}

void SnapshotJob::Finish() {
  State& state = *state_;
  BeginAgainAfterDepartures();
  std::vector<Block> held;
  std::uint32_t count = 0;
  bool is_sound = HoldEverything(core_, &held);
  // Now no write is under way anywhere: this is the instant of the snapshot. The entries of one instant fit into the
  // region.
  const double instant = Now(core_.region);
  LabelCopy labels;
  labels.Take(core_.region);
  state.copied.budget = core_.region.word_count();
  // Segments only in the second list were split off meanwhile, those only in the first one vanished in joins.
  std::unordered_map<Block, SegmentCopy*> copies;
  // One that took its buddy in while the first pass was between the two was copied twice.
  for (SegmentCopy& copy : state.copies) {
    if (!copies.emplace(copy.segment, &copy).second) DiscardAll(&copy);
  }
  for (const Block segment : held) {
    SegmentCopy fresh{segment, {}};
    const auto known = copies.find(segment);
    SegmentCopy* copy = known == copies.end() ? &fresh : known->second;
    if (known != copies.end()) copies.erase(known);
    if (is_sound && Complete(core_, copy, labels, &state.copied, &count) != Status::kDone) {
      is_sound = false;
      Fail(core_, Status::kCorrupt);
    }
    ReleaseHeld(core_, segment);
  }
  core_.thread.ClearClaim();
  for (const auto& [segment, copy] : copies) DiscardAll(copy);
  if (!is_sound) return;
  core_.outcome->status = Status::kDone;
  core_.outcome->length = state.count = count;
  core_.outcome->expires_at = instant;
}

std::vector<SnapshotPiece>& SnapshotJob::pieces() {
  return state_->copied.pieces;
}

std::vector<SnapshotPiece> TakeSnapshot(Core& core) {
  SnapshotJob job(core);
  while (!job.CopyAhead(~std::uint32_t{0})) {
  }
  if (core.outcome->status != Status::kDone) return {};
  job.Finish();
  if (core.outcome->status != Status::kDone) return {};
  return std::move(job.pieces());
}

}  // namespace mapsafe
