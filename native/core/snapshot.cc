#include "snapshot.h"

#include <algorithm>

#include "mutex.h"
#include "restructure.h"

namespace mapsafe {

namespace {

// Pieces this long cost a system call each, which is nothing beside filling them, and waste little at the end.
constexpr std::size_t kPieceWords = 1 << 18;

// Locks the mutex of the segment that `hash` maps to. The thread claims everything already. Segment 0 if it could not
// be had; the outcome says why.
Block LockUnderClaim(Core& core, std::uint32_t hash) {
  for (;;) {
    const Location location = core.Locate(hash);
    if (location.segment == 0) {
      Fail(core, Status::kCorrupt);
      return 0;
    }
    const WordIndex mutex = WordOf(location.segment) + kSegmentMutex;
    if (!LockMutex(core.region, mutex, core.thread.owner_mark())) {
      Fail(core, Status::kTimeout, ThreadRecord::OwnerOf(core.region, core.region.Load(mutex)));
      return 0;
    }
    if (StillMaps(core.region, location)) return location.segment;
    UnlockMutex(core.region, mutex);  // it was split while we waited
  }
}

void LetGo(Core& core, Block segment) {
  ReleaseBuckets(core, segment);
  UnlockMutex(core.region, WordOf(segment) + kSegmentMutex);
}

// Holds every segment, in the order of their hashes, and lists them. False if one could not be had; the outcome says
// why.
bool HoldAll(Core& core, std::vector<Block>* held) {
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) {
    const Block segment = LockUnderClaim(core, static_cast<std::uint32_t>(hash));
    if (segment == 0) return false;
    if (!HoldBuckets(core, segment)) {
      UnlockMutex(core.region, WordOf(segment) + kSegmentMutex);
      return false;
    }
    held->push_back(segment);
    const std::uint64_t end = EndOf(core.region, segment);
    if (end <= hash) {
      Fail(core, Status::kCorrupt);
      return false;
    }
    hash = end;
  }
  return true;
}

// Room for an entry of `words` words.
std::byte* MakeRoom(std::vector<SnapshotPiece>* pieces, std::size_t words) {
  if (pieces->empty() || pieces->back().capacity - pieces->back().used < words) {
    const std::size_t capacity = std::max(words, kPieceWords);
    pieces->push_back({std::make_unique_for_overwrite<Word[]>(capacity), capacity});
  }
  SnapshotPiece& piece = pieces->back();
  std::byte* room = reinterpret_cast<std::byte*>(piece.words.get() + piece.used);
  piece.used += words;
  return room;
}

// Copies the entries of a held segment. False if a reference or a length leads out of the region.
bool CopySegment(Core& core, Block segment, std::vector<SnapshotPiece>* pieces, std::uint32_t* count) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    const Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word entry = bucket.Slot(slot);
      if (!IsLive(entry)) continue;
      if (!core.region.Contains(entry, kEntryData)) return false;
      const EntryHeader header = ReadHeader(core.region, entry);
      if (!core.region.Contains(entry, header.words())) return false;
      core.region.CopyOut(WordOf(entry), header.bytes(), MakeRoom(pieces, header.words()));
      ++*count;
    }
  }
  return true;
}

}  // namespace

std::vector<SnapshotPiece> TakeSnapshot(Core& core) {
  std::vector<Block> held;
  std::vector<SnapshotPiece> pieces;
  std::uint32_t count = 0;
  core.thread.Claim(kClaimAll);
  bool is_sound = HoldAll(core, &held);
  // Now no write is under way anywhere: this is the instant.
  for (const Block segment : held) {
    if (is_sound && !CopySegment(core, segment, &pieces, &count)) {
      is_sound = false;
      Fail(core, Status::kCorrupt);
    }
    LetGo(core, segment);
  }
  core.thread.ClearClaim();
  if (!is_sound) return {};
  core.outcome->status = Status::kDone;
  core.outcome->length = count;
  return pieces;
}

}  // namespace mapsafe
