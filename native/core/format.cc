#include "format.h"

#include "eviction/area.h"
#include "index/directory.h"
#include "memory/free_lists.h"
#include "shapes/shape_table.h"

namespace mapsafe {

void FormatRegion(void* base, std::size_t bytes, HashSecret secret, Word flags, std::uint32_t max_entries) {
  Region region(base, bytes);
  region.Store(kHeaderMagic, kMagic);
  region.Store(kHeaderFormatVersion, kFormatVersion);
  region.Store(kHeaderByteOrder, kByteOrderMark);
  region.Store(kHeaderBlockCount, static_cast<Word>(region.block_count()));
  region.Store(kHeaderFlags, flags);
  region.Store(kHeaderFeatures, kFeatureJoins);
  region.Store(kHeaderMaxEntries, max_entries);
  region.Store(kHeaderSecret0, secret.word0);
  region.Store(kHeaderSecret1, secret.word1);
  region.Store(kHeaderPageTable, kPageTableBlock);
  region.Store(kHeaderPageCount, HeapPages(bytes));
  region.Store(kHeaderHeap, HeapBlock(bytes));

  Heap heap(region);
  Status failure;  // an empty heap of the smallest region has room for all
  const Block segment = heap.Take(ClassOf(kSegmentBytes / kBlockBytes), Place::kOutsideReserve, &failure);
  const Block directory =
      heap.Take(ClassOf(static_cast<std::uint32_t>(DirectoryBytes(0) + kBlockBytes - 1) / kBlockBytes),
                Place::kOutsideReserve, &failure);
  if ((flags & kFlagCache) != 0) {
    const std::uint32_t partitions = PartitionsFor(max_entries, bytes);
    FormatArea(region, heap.TakeRun(AreaPages(partitions), Place::kOutsideReserve, &failure), partitions, max_entries);
  }
  heap.Commit();
  for (std::size_t i = 0; i < kSegmentWords; ++i) region.Store(WordOf(segment) + i, 0);
  region.Store(WordOf(directory) + kDirectoryDepth, 0);
  region.Store(WordOf(directory) + kDirectoryPrevious, 0);
  region.Store(WordOf(directory) + kDirectoryEntries, segment);
  region.Store(kHeaderSegmentCount, 1);
  region.Store(kHeaderShapeLimit, ShapeLimitFor(bytes));
  region.Store(kHeaderShapeChildren, ShapeChildrenFor(ShapeLimitFor(bytes)));
  region.Store(kHeaderReliefLimit, static_cast<Word>(bytes / kReliefPart / kSegmentBytes));
  region.Store(kHeaderDirectory, directory);
  region.StoreRelease(kHeaderState, kStateReady);  // pairs with CheckRegion
}

bool CheckRegion(void* base, std::size_t bytes) {
  if (bytes < kMinRegionBytes || bytes % kPageBytes != 0 || bytes / kBlockBytes > kMaxRegionBlocks) return false;
  const Region region(base, bytes);
  if (region.LoadAcquire(kHeaderState) != kStateReady) return false;
  return region.Load(kHeaderMagic) == kMagic && region.Load(kHeaderFormatVersion) == kFormatVersion &&
         (region.Load(kHeaderFeatures) & ~kKnownFeatures) == 0 && region.Load(kHeaderByteOrder) == kByteOrderMark &&
         region.Load(kHeaderBlockCount) == region.block_count() && region.Load(kHeaderPageTable) == kPageTableBlock &&
         region.Load(kHeaderPageCount) == HeapPages(bytes) && region.Load(kHeaderHeap) == HeapBlock(bytes);
}

}  // namespace mapsafe
