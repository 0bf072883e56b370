#include "write/move.h"

#include "index/lookup.h"
#include "write/restructure.h"
#include "write/tombstones.h"

namespace mapsafe {

namespace {

// Lost races before an entry is left where it is for now.
constexpr int kMoveTries = 4;

// The slot that refers to a block.
struct Holder {
  std::uint32_t bucket;  // index within the segment
  std::uint32_t slot;
  bool is_tombstone;
};

std::optional<Holder> FindIn(const Bucket& bucket, std::uint32_t index, Block block) {
  for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
    const Word reference = bucket.Slot(slot);
    if ((reference & ~kTombstone) == block) return Holder{index, slot, (reference & kTombstone) != 0};
  }
  return std::nullopt;
}

// Looks in home, neighbour and stash of a hash.
std::optional<Holder> FindHolder(Core& core, Block segment, std::uint32_t hash, Block block) {
  const std::uint32_t home_index = HomeOf(hash);
  const Bucket home = core.BucketAt(segment, home_index);
  if (const std::optional<Holder> found = FindIn(home, home_index, block)) return found;
  const Overflow overflow = home.overflow();
  if (overflow.neighbour > 0) {
    const std::uint32_t index = NeighbourOf(home_index);
    if (const std::optional<Holder> found = FindIn(core.BucketAt(segment, index), index, block)) return found;
  }
  for (std::uint32_t i = kHomeBuckets; overflow.stash > 0 && i < kAllBuckets; ++i) {
    if (const std::optional<Holder> found = FindIn(core.BucketAt(segment, i), i, block)) return found;
  }
  return std::nullopt;
}

Word HashAt(const Core& core, Block block) {
  return core.region.Load(WordOf(block) + kEntryHash);
}

// Words of the entry in a block; 0 if no entry can lie there.
std::size_t EntryWords(const Core& core, Block block) {
  const std::size_t words = ReadHeader(core.region, block).words();
  return core.region.Contains(block, words) ? words : 0;
}

// Copies an entry into a block that only this thread knows. The fence is that of BuildEntry, for the same reason.
Block CopyEntry(Core& core, Block block, std::size_t words, PageRange avoided) {
  const Block copy = core.blocks.AllocateCopy(words * sizeof(Word), avoided);
  if (copy == 0) return 0;
  std::atomic_thread_fence(std::memory_order_release);
  core.region.CopyWithin(WordOf(block), WordOf(copy), words);
  return copy;
}

// For an entry in its home bucket.
Move MoveAtHome(Core& core, const Location& location, std::uint32_t hash, Block block, PageRange avoided) {
  Versions versions(core.region);
  Bucket home = core.BucketAt(location, HomeOf(hash));
  const Word version = versions.Note(home);
  if ((version & 1) != 0 || !StillMaps(core.region, location)) return Move::kBusy;
  const std::optional<Holder> holder = FindIn(home, HomeOf(hash), block);
  const std::size_t words = EntryWords(core, block);
  // The block may have become another key's since its hash was read, even one that spilled into this bucket.
  const bool is_at_home = holder && !holder->is_tombstone && HashAt(core, block) == hash;
  if (!versions.Unchanged() || !is_at_home || words == 0) return Move::kBusy;
  const Block copy = CopyEntry(core, block, words, avoided);
  if (copy == 0) return Move::kNoRoom;
  core.thread.Claim(home.block());
  // The swap shows that the copy is the entry as it still is: a lease or counter changes in place under a version of
  // its own.
  const bool held = home.TryHold(version);
  if (held) {
    home.Replace(holder->slot, copy);
    home.Release();
  }
  core.thread.ClearClaim();
  if (held) {
    core.blocks.FreeMoved(block);
  } else {
    core.blocks.Free(copy, words * sizeof(Word));
  }
  return held ? Move::kDone : Move::kBusy;
}

// For an entry in the neighbour or the stash, whose home must be held, too.
Move MoveSpilled(Core& core, std::uint32_t hash, Block block, PageRange avoided) {
  const Outcome outcome = *core.outcome;
  const Location location = LockSegment(core, hash);
  *core.outcome = outcome;
  if (location.segment == 0) return Move::kBusy;
  Move moved = Move::kBusy;
  Block freed = 0;
  Bucket home = core.BucketAt(location, HomeOf(hash));
  if (HoldBucket(core, &home)) {
    const std::optional<Holder> holder = FindHolder(core, location.segment, hash, block);
    if (holder && !holder->is_tombstone && holder->bucket != HomeOf(hash)) {
      Bucket bucket = core.BucketAt(location, holder->bucket);
      if (HoldBucket(core, &bucket)) {
        // As in MoveAtHome.
        const bool is_there = bucket.Slot(holder->slot) == block && HashAt(core, block) == hash;
        const std::size_t words = is_there ? EntryWords(core, block) : 0;
        const Block copy = words == 0 ? 0 : CopyEntry(core, block, words, avoided);
        if (copy != 0) {
          bucket.Replace(holder->slot, copy);
          freed = block;
          moved = Move::kDone;
        } else if (words != 0) {
          moved = Move::kNoRoom;
        }
        bucket.Release();
      }
    }
    home.Release();
  }
  UnlockSegment(core, location.segment);
  if (freed != 0) core.blocks.FreeMoved(freed);
  return moved;
}

}  // namespace

Move LookAtBlock(Core& core, Block block) {
  if (!core.region.Contains(block, kEntryData)) return Move::kNothing;
  const std::uint32_t hash = HashAt(core, block);
  const Location location = core.Locate(hash);
  if (location.segment == 0) return Move::kNothing;
  const std::optional<Holder> holder = FindHolder(core, location.segment, hash, block);
  if (!holder) return Move::kNothing;
  return holder->is_tombstone ? Move::kTombstone : Move::kDone;
}

Move DropTombstone(Core& core, Block block) {
  if (!core.region.Contains(block, kEntryData)) return Move::kNothing;
  const std::uint32_t hash = HashAt(core, block);
  const Location location = core.Locate(hash);
  if (location.segment == 0) return Move::kNothing;
  const std::optional<Holder> holder = FindHolder(core, location.segment, hash, block);
  if (holder && holder->is_tombstone) EmptyTombstones(core, location, holder->bucket);
  return LookAtBlock(core, block);
}

Move MoveEntry(Core& core, Block block, PageRange avoided) {
  if (!core.region.Contains(block, kEntryData)) return Move::kNothing;
  const WithPatience patience(*core.budget, Patience::kNone);
  Move moved = Move::kBusy;
  for (int tries = 0; tries < kMoveTries && moved == Move::kBusy; ++tries) {
    const std::uint32_t hash = HashAt(core, block);
    const Location location = core.Locate(hash);
    if (location.segment == 0) return Move::kNothing;
    const std::optional<Holder> holder = FindHolder(core, location.segment, hash, block);
    if (!holder) return Move::kNothing;
    if (holder->is_tombstone) return Move::kTombstone;
    moved = holder->bucket == HomeOf(hash) ? MoveAtHome(core, location, hash, block, avoided)
                                           : MoveSpilled(core, hash, block, avoided);
  }
  return moved;
}

}  // namespace mapsafe
