#include "format.h"

#include "block_cache.h"
#include "directory.h"

namespace mapsafe {

namespace {

constexpr std::size_t kRegistryBlocks = std::size_t{kRegistryThreads} * kThreadWords / kBlockWords;
constexpr Block kPageTableBlock = static_cast<Block>(kRegistryBlock + kRegistryBlocks);
constexpr std::size_t kPageEntryBytes = kPageEntryWords * sizeof(Word);

// Heap pages that fit beside their own descriptors.
constexpr std::uint32_t HeapPages(std::size_t bytes) {
  const std::size_t left = bytes - std::size_t{kPageTableBlock} * kBlockBytes;
  const std::size_t pages = left / (kPageBytes + kPageEntryBytes);
  const std::size_t table_pages = (pages * kPageEntryBytes + kPageBytes - 1) / kPageBytes;
  return static_cast<std::uint32_t>(left / kPageBytes - table_pages);
}

}  // namespace

void FormatRegion(void* base, std::size_t bytes, HashSecret secret) {
  Region region(base, bytes);
  const std::uint32_t pages = HeapPages(bytes);
  region.Store(kHeaderMagic, kMagic);
  region.Store(kHeaderFormatVersion, kFormatVersion);
  region.Store(kHeaderByteOrder, kByteOrderMark);
  region.Store(kHeaderBlockCount, static_cast<Word>(region.block_count()));
  region.Store(kHeaderSecret0, secret.word0);
  region.Store(kHeaderSecret1, secret.word1);
  region.Store(kHeaderPageTable, kPageTableBlock);
  region.Store(kHeaderPageCount, pages);
  region.Store(kHeaderHeap, static_cast<Word>(region.block_count()) - pages * kPageBlocks);

  Heap heap(region);
  const Block segment = heap.Take(ClassOf(kSegmentBytes / kBlockBytes));
  const Block directory =
      heap.Take(ClassOf(static_cast<std::uint32_t>(DirectoryBytes(0) + kBlockBytes - 1) / kBlockBytes));
  for (std::size_t i = 0; i < kSegmentWords; ++i) region.Store(WordOf(segment) + i, 0);
  region.Store(WordOf(directory) + kDirectoryDepth, 0);
  region.Store(WordOf(directory) + kDirectoryPrevious, 0);
  region.Store(WordOf(directory) + kDirectoryEntries, segment);
  region.Store(kHeaderSegmentCount, 1);
  region.Store(kHeaderReliefLimit, static_cast<Word>(bytes / kReliefPart / kSegmentBytes));
  region.Store(kHeaderDirectory, directory);
  region.StoreRelease(kHeaderState, kStateReady);  // pairs with CheckRegion
}

bool CheckRegion(void* base, std::size_t bytes) {
  if (bytes < kMinRegionBytes || bytes % kPageBytes != 0 || bytes / kBlockBytes > kMaxRegionBlocks) return false;
  const Region region(base, bytes);
  if (region.LoadAcquire(kHeaderState) != kStateReady) return false;
  const std::uint32_t pages = HeapPages(bytes);
  return region.Load(kHeaderMagic) == kMagic && region.Load(kHeaderFormatVersion) == kFormatVersion &&
         region.Load(kHeaderByteOrder) == kByteOrderMark && region.Load(kHeaderBlockCount) == region.block_count() &&
         region.Load(kHeaderPageTable) == kPageTableBlock && region.Load(kHeaderPageCount) == pages &&
         region.Load(kHeaderHeap) == region.block_count() - std::size_t{pages} * kPageBlocks;
}

}  // namespace mapsafe
