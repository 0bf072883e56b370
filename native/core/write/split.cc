#include "write/split.h"

#include "base/probes.h"
#include "threads/mutex.h"
#include "write/restructure.h"

namespace mapsafe {

namespace {

// Limit of the directory's size, as a multiple of what the number of segments needs. Random keys stay below 8; only
// keys with equal hashes reach the limit, and doubling does not part those.
constexpr std::size_t kMaxSkew = 16;
constexpr std::size_t kSkewAllowance = 64;

// Makes the directory deeper than `depth`, unless it is already.
Status DeepenDirectory(Core& core, std::uint32_t depth) {
  Region& region = core.region;
  if (!LockMutex(*core.budget, kHeaderDirectoryMutex)) {
    Fail(core, Status::kTimeout);
    return Status::kTimeout;
  }
  Status status = Status::kDone;
  const Directory directory = Directory::Current(region);
  if (directory.block == 0 || directory.depth < depth) {
    status = Status::kCorrupt;
  } else if (directory.depth == depth) {
    const std::size_t entries = std::size_t{2} << depth;
    const std::size_t segments = region.Load(kHeaderSegmentCount);
    if (depth >= kMaxDepth || entries > kMaxSkew * segments + kSkewAllowance) {
      status = Status::kFull;
    } else if (const Block next = core.blocks.Allocate(DirectoryBytes(depth + 1), Place::kFixed, &status); next != 0) {
      DoubleDirectory(region, directory, next);
      probes::DirectoryDouble(region, depth + 1);
      status = Status::kDone;
    }
  }
  UnlockMutex(region, kHeaderDirectoryMutex);
  return status;
}

// Fills `twin` with a held, unpublished copy of the segment's upper half.
void BuildTwin(Core& core, Block segment, Block twin, std::uint32_t depth, Word bit) {
  Region& region = core.region;
  const WordIndex from = WordOf(segment);
  const WordIndex to = WordOf(twin);
  for (std::size_t i = 0; i < kSegmentWords; ++i) region.Store(to + i, 0);
  region.Store(to + kSegmentMutex, core.thread.owner_mark());
  region.Store(to + kSegmentDepth, depth + 1);
  region.Store(to + kSegmentPrefix, region.Load(from + kSegmentPrefix) | bit);
  region.Store(to + kSegmentMoves, 1);
  region.Store(to + kSegmentParted, region.Load(from + kSegmentParted));
  // No later than the first expiry in either half.
  region.Store(to + kSegmentExpiry, region.Load(from + kSegmentExpiry));
  region.Store(to + kSegmentLabelled, region.Load(from + kSegmentLabelled));
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    const Bucket source = core.BucketAt(segment, i);
    Bucket target = core.BucketAt(twin, i);
    region.Store(target.at() + kBucketVersion, region.Load(source.at() + kBucketVersion));
    region.Store(target.at() + kBucketEpoch, region.Load(source.at() + kBucketEpoch));
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = source.Slot(slot);
      if (!IsLive(reference) || !region.Contains(reference, kEntryData)) continue;
      if ((ReadHeader(region, reference).hash & bit) != 0) target.Publish(slot, source.Tag(slot), reference);
    }
  }
  BringHome(core.region, twin);
}

void EmptyUpperHalf(Core& core, Block segment, Word bit) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    Bucket bucket = core.BucketAt(segment, i);
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket.Slot(slot);
      if (!IsLive(reference) || !core.region.Contains(reference, kEntryData)) continue;
      if ((ReadHeader(core.region, reference).hash & bit) != 0) bucket.Vacate(slot, 0);
    }
  }
}

// Releases a segment whose twin cannot be published.
void Abandon(Core& core, Block segment, Block twin, const Unlinked& unlinked) {
  ReleaseSegment(core, segment);
  core.blocks.Free(twin, kSegmentBytes);
  unlinked.FreeAll(core);
}

}  // namespace

Status Split(Core& core, Block segment) {
  Region& region = core.region;
  const Word depth = region.Load(WordOf(segment) + kSegmentDepth);
  if (depth >= kMaxDepth) return Status::kFull;
  Status status = Status::kFull;
  const Block twin = core.blocks.Allocate(kSegmentBytes, Place::kFixed, &status);
  if (twin == 0) return status;
  status = DeepenDirectory(core, depth);
  if (status == Status::kDone && !HoldSegment(core, segment)) status = Status::kTimeout;
  if (status != Status::kDone) {
    core.blocks.Free(twin, kSegmentBytes);
    return status;
  }

  const Word bit = 1u << (31 - depth);
  Unlinked unlinked;
  SweepTombstones(core, segment, &unlinked);
  BuildTwin(core, segment, twin, depth, bit);
  if (!LockMutex(*core.budget, kHeaderDirectoryMutex)) {
    Fail(core, Status::kTimeout);
    Abandon(core, segment, twin, unlinked);
    return Status::kTimeout;
  }
  const bool assigned = AssignSegment(region, twin, region.Load(WordOf(twin) + kSegmentPrefix), depth + 1);
  if (assigned) region.Store(kHeaderSegmentCount, region.Load(kHeaderSegmentCount) + 1);
  UnlockMutex(region, kHeaderDirectoryMutex);
  if (!assigned) {
    Abandon(core, segment, twin, unlinked);
    return Status::kCorrupt;
  }

  region.StoreRelease(WordOf(segment) + kSegmentDepth, depth + 1);
  EmptyUpperHalf(core, segment, bit);
  BringHome(core.region, segment);
  // The old segment first: until its release a reader may still find a moved key there, and no thread may write that
  // key yet.
  ReleaseSegment(core, segment);
  ReleaseSegment(core, twin);
  UnlockMutex(region, WordOf(twin) + kSegmentMutex);
  unlinked.FreeAll(core);
  probes::SegmentSplit(region, segment, depth + 1);
  return Status::kDone;
}

}  // namespace mapsafe
