#include "write/tombstones.h"

#include <algorithm>
#include <array>

#include "index/expiry.h"
#include "index/lookup.h"
#include "write/cleanup.h"
#include "write/restructure.h"

namespace mapsafe {

namespace {

constexpr std::uint64_t kHashesEnd = std::uint64_t{1} << 32;

bool HasTombstone(const Bucket& bucket) {
  for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
    if ((bucket.Slot(slot) & kTombstone) != 0) return true;
  }
  return false;
}

}  // namespace

// As a write would that put an entry in each place: under the hold of the bucket alone, whatever home the keys had. A
// slot without a key concerns nobody who looks for one.
void EmptyTombstones(Core& core, const Location& location, std::uint32_t index) {
  Versions versions(core.region);
  Bucket bucket = core.BucketAt(location, index);
  const Word version = versions.Note(bucket);
  if ((version & 1) != 0 || !StillMaps(core.region, location) || !HasTombstone(bucket)) return;
  core.thread.Claim(bucket.block());
  if (!bucket.TryHold(version)) return core.thread.ClearClaim();
  std::array<Block, kSlotsPerBucket> blocks;
  std::uint32_t count = 0;
  for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
    const Word reference = bucket.Slot(slot);
    if ((reference & kTombstone) == 0) continue;
    blocks[count++] = reference & ~kTombstone;
    bucket.Vacate(slot, 0);
  }
  bucket.Release();
  core.thread.ClearClaim();
  core.region.Add(WordOf(location.segment) + kSegmentTombstones, 0 - count);
  for (std::uint32_t i = 0; i < count; ++i) FreeEntry(core, blocks[i]);
}

void Reclaiming::GoOn(std::size_t bytes, std::uint32_t most) {
  const std::uint64_t enough = core_.blocks.freed_bytes() + bytes;
  for (; left_ > 0 && most > 0 && core_.blocks.freed_bytes() < enough; --most) {
    const Location location = core_.Locate(static_cast<std::uint32_t>(core_.cleanup_hand));
    if (location.segment == 0) {
      left_ = 0;
      return;
    }
    Reclaim(location);
    const std::uint64_t end = EndOf(core_.region, location.segment);
    if (end <= core_.cleanup_hand) {  // it was split while this thread looked
      has_passed_over_ = true;
      left_ = 0;
      return;
    }
    left_ -= std::min(left_, end - core_.cleanup_hand);
    core_.cleanup_hand = end >= kHashesEnd ? 0 : end;
  }
}

void Reclaiming::Reclaim(const Location& location) {
  if (IsWorthSweeping(core_.region, location.segment)) {
    if (!CleanUp(core_, location.segment, Patience::kNone)) has_passed_over_ = true;
    return;
  }
  for (std::uint32_t i = 0; i < kAllBuckets && TombstonesOf(core_.region, location.segment) > 0; ++i) {
    EmptyTombstones(core_, location, i);
  }
  if (TombstonesOf(core_.region, location.segment) > 0) has_passed_over_ = true;
}

}  // namespace mapsafe
