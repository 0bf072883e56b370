#include "write/join.h"

#include <algorithm>

#include "threads/mutex.h"
#include "write/departures.h"
#include "write/restructure.h"

namespace mapsafe {

namespace {

// Versions this close to the wrap are left to wrap by themselves.
constexpr Word kLastVersion = ~Word{0} - 16;

// The two halves of what a split parted: they differ in the last bit of their prefixes.
struct Halves {
  Location lower;
  Location upper;
  Word depth;  // of both
};

Word DepthAt(const Core& core, Block segment) {
  return core.region.Load(WordOf(segment) + kSegmentDepth);
}

// Counts live entries up to one more than may be joined.
std::uint32_t CountLive(Core& core, Block segment) {
  std::uint32_t live = 0;
  for (std::uint32_t i = 0; i < kAllBuckets && live <= kMostJoined; ++i) {
    const Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) live += IsLive(bucket.Slot(slot)) ? 1 : 0;
  }
  return live;
}

// A look at some buckets: most segments hold much more, and a sweep passes many.
bool LooksFull(Core& core, Block segment) {
  constexpr std::uint32_t kLooks = 4;
  constexpr std::uint32_t kMany = 20;  // a segment that holds all that may be joined has eleven there
  std::uint32_t live = 0;
  for (std::uint32_t i = 0; i < kLooks; ++i) {
    const Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) live += IsLive(bucket.Slot(slot)) ? 1 : 0;
  }
  return live > kMany;
}

bool WasParted(const Core& core, Block segment) {
  return core.region.Load(WordOf(segment) + kSegmentParted) != 0;
}

// Finds the halves around `hash`, without a lock. The lower one keeps the prefix of both.
std::optional<Halves> FindHalves(Core& core, std::uint32_t hash, JoinFor reason) {
  const Location found = core.Locate(hash);
  if (found.segment == 0) return std::nullopt;
  const Word depth = DepthAt(core, found.segment);
  if (depth == 0 || depth > kMaxDepth) return std::nullopt;
  if (reason == JoinFor::kTidiness && LooksFull(core, found.segment)) return std::nullopt;
  const Word bit = 1u << (32 - depth);
  const Word prefix = core.region.Load(WordOf(found.segment) + kSegmentPrefix) & ~bit;
  const Halves halves{core.Locate(prefix), core.Locate(prefix | bit), depth};
  const Block lower = halves.lower.segment;
  const Block upper = halves.upper.segment;
  if (lower == 0 || upper == 0 || lower == upper) return std::nullopt;
  if (DepthAt(core, lower) != depth || DepthAt(core, upper) != depth) return std::nullopt;
  if (reason == JoinFor::kTidiness && (WasParted(core, lower) || WasParted(core, upper))) return std::nullopt;
  if (CountLive(core, lower) + CountLive(core, upper) > kMostJoined) return std::nullopt;
  return halves;
}

// A join in the making: both mutexes are held.
class Join {
 public:
  Join(Core& core, const Halves& halves)
      : core_(core),
        region_(core.region),
        depth_(halves.depth),
        lower_(halves.lower.segment),
        upper_(halves.upper.segment) {}

  bool Run() {
    if (!HoldSegment(core_, lower_)) return false;
    bool joined = false;
    if (HoldSegment(core_, upper_)) {
      SweepTombstones(core_, lower_, &from_lower_);
      SweepTombstones(core_, upper_, &from_upper_);
      joined = CanJoin() && LockMutex(*core_.budget, kHeaderDirectoryMutex);
      if (joined) Unite();
      // The upper half first: until its release a reader may still find a key there that moved, and no thread may write
      // that key yet.
      ReleaseSegment(core_, upper_);
    }
    ReleaseSegment(core_, lower_);
    return joined;
  }

  void FreeTombstones() {
    from_lower_.FreeAll(core_);
    from_upper_.FreeAll(core_);
  }

 private:
  // Whether versions go on and every entry of the upper half finds a place in the lower one.
  bool CanJoin() {
    std::array<std::uint32_t, kAllBuckets> room{};
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      const Bucket lower = core_.BucketAt(lower_, i);
      const Bucket upper = core_.BucketAt(upper_, i);
      if (EpochOf(lower) != EpochOf(upper)) return false;
      if (std::max(lower.ReloadVersion(), upper.ReloadVersion()) > kLastVersion) return false;
      for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) room[i] += lower.Slot(slot) == 0 ? 1 : 0;
    }
    std::uint32_t live = 0;
    bool fits = true;
    ForEachUpper([&](std::uint32_t, std::uint32_t, Block entry) {
      ++live;
      if (!region_.Contains(entry, kEntryData)) {
        fits = false;
        return;
      }
      const std::uint32_t home = HomeOf(ReadHeader(region_, entry).hash);
      std::uint32_t at = room[home] > 0 ? home : NeighbourOf(home);
      if (room[at] == 0) at = kHomeBuckets;
      while (at < kAllBuckets && room[at] == 0) ++at;
      if (at == kAllBuckets) {
        fits = false;
      } else {
        --room[at];
      }
    });
    return fits && live <= kMostJoined;
  }

  Word EpochOf(const Bucket& bucket) const { return region_.Load(bucket.at() + kBucketEpoch); }

  // Calls `act` with bucket, slot and reference of each live entry of the upper half.
  template <typename Act>
  void ForEachUpper(Act act) {
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      const Bucket bucket = core_.BucketAt(upper_, i);
      for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
        const Word reference = bucket.Slot(slot);
        if (IsLive(reference)) act(i, slot, reference);
      }
    }
  }

  // Both halves and the directory mutex are held. Up to the last store to a directory entry the upper half has all of
  // its keys, and the directory can be turned back to it.
  void Unite() {
    ForEachUpper([this](std::uint32_t, std::uint32_t, Block entry) { Place(entry); });
    TakeOverWords();
    region_.StoreRelease(WordOf(lower_) + kSegmentDepth, depth_ - 1);
    NoteGoneSegment(region_, upper_);
    AssignSegment(region_, lower_, region_.Load(WordOf(upper_) + kSegmentPrefix), depth_);
    region_.Store(kHeaderSegmentCount, region_.Load(kHeaderSegmentCount) - 1);
    UnlockMutex(region_, kHeaderDirectoryMutex);
    ForEachUpper([this](std::uint32_t i, std::uint32_t slot, Block) { core_.BucketAt(upper_, i).Vacate(slot, 0); });
  }

  // Puts an entry of the upper half into the lower one, in the order of CanJoin.
  void Place(Block entry) {
    const std::uint32_t hash = ReadHeader(region_, entry).hash;
    const std::uint32_t home_index = HomeOf(hash);
    Bucket home = core_.BucketAt(lower_, home_index);
    std::uint32_t index = home_index;
    if (home.FindRoom() == kSlotsPerBucket) {
      index = NeighbourOf(home_index);
      if (core_.BucketAt(lower_, index).FindRoom() == kSlotsPerBucket) index = kHomeBuckets;
      while (index >= kHomeBuckets && index + 1 < kAllBuckets &&
             core_.BucketAt(lower_, index).FindRoom() == kSlotsPerBucket) {
        ++index;
      }
      Overflow overflow = home.overflow();
      ++(index < kHomeBuckets ? overflow.neighbour : overflow.stash);
      home.SetOverflow(overflow);
    }
    Bucket bucket = core_.BucketAt(lower_, index);
    const std::uint32_t room = bucket.FindRoom();
    if (room < kSlotsPerBucket) bucket.Publish(room, TagOf(hash), entry);
  }

  // No version of either half is one that the joined segment will show, and its hint is no later than either's.
  void TakeOverWords() {
    for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
      const Bucket lower = core_.BucketAt(lower_, i);
      const Word version = core_.BucketAt(upper_, i).ReloadVersion();
      if (version > lower.ReloadVersion()) region_.StoreRelease(lower.at() + kBucketVersion, version);
    }
    const WordIndex to = WordOf(lower_);
    const WordIndex from = WordOf(upper_);
    const Word own = region_.Load(to + kSegmentExpiry);
    const Word other = region_.Load(from + kSegmentExpiry);
    if (own == 0 || (other != 0 && other < own)) region_.Store(to + kSegmentExpiry, other);
    // Where the two were looked at after different invalidations, as if neither had been looked at.
    const Word labelled = region_.Load(to + kSegmentLabelled);
    const Word others = region_.Load(from + kSegmentLabelled);
    if (others != 0 && labelled != others) region_.Store(to + kSegmentLabelled, labelled == 0 ? others : 1);
    region_.Store(to + kSegmentParted, 0);
    region_.Add(to + kSegmentContention, region_.Load(from + kSegmentContention));
    region_.Add(to + kSegmentOperations, region_.Load(from + kSegmentOperations));
    region_.Store(to + kSegmentWindow, region_.Load(to + kSegmentOperations));
  }

  Core& core_;
  Region& region_;
  Word depth_;
  Block lower_;
  Block upper_;
  Unlinked from_lower_;
  Unlinked from_upper_;
};

bool AreStill(const Core& core, const Halves& halves) {
  return StillMaps(core.region, halves.lower) && StillMaps(core.region, halves.upper) &&
         DepthAt(core, halves.lower.segment) == halves.depth && DepthAt(core, halves.upper.segment) == halves.depth;
}

}  // namespace

std::optional<std::uint32_t> JoinHalves(Core& core, std::uint32_t hash, JoinFor reason) {
  if (!MayJoin(core.region)) return std::nullopt;
  const std::optional<Halves> halves = FindHalves(core, hash, reason);
  if (!halves) return std::nullopt;
  const Outcome outcome = *core.outcome;
  const WithPatience patience(*core.budget, Patience::kNone);
  const WordIndex lower = WordOf(halves->lower.segment) + kSegmentMutex;
  const WordIndex upper = WordOf(halves->upper.segment) + kSegmentMutex;
  Join join(core, *halves);
  bool joined = false;
  // One claim cannot name two segments.
  core.thread.Claim(kClaimAll);
  if (LockMutex(*core.budget, lower)) {
    if (LockMutex(*core.budget, upper)) {
      joined = AreStill(core, *halves) && join.Run();
      UnlockMutex(core.region, upper);
    }
    UnlockMutex(core.region, lower);
  }
  core.thread.ClearClaim();
  join.FreeTombstones();
  *core.outcome = outcome;
  if (!joined) return std::nullopt;
  return core.region.Load(WordOf(halves->lower.segment) + kSegmentPrefix);
}

void JoinAround(Core& core, std::uint32_t hash, JoinFor reason) {
  for (std::uint32_t steps = 0; steps < kMaxDepth; ++steps) {
    const std::optional<std::uint32_t> prefix = JoinHalves(core, hash, reason);
    if (!prefix) return;
    hash = *prefix;
  }
}

void JoinAll(Core& core, JoinFor reason) {
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) {
    JoinAround(core, static_cast<std::uint32_t>(hash), reason);
    const Location location = core.Locate(static_cast<std::uint32_t>(hash));
    if (location.segment == 0) return;
    const std::uint64_t end = EndOf(core.region, location.segment);
    if (end <= hash) return;
    hash = end;
  }
}

}  // namespace mapsafe
