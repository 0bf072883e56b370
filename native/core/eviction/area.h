// The memory of a cache's eviction: an area of partitions. See docs/internals/format.md, "Eviction".
#ifndef MAPSAFE_CORE_EVICTION_AREA_H_
#define MAPSAFE_CORE_EVICTION_AREA_H_

#include <algorithm>
#include <vector>

#include "base/region.h"

namespace mapsafe {

// Number of partitions at which threads that insert at the same time seldom meet in one.
inline constexpr std::uint32_t kMaxPartitions = 16;

// Least entries of a partition. Fewer would cost hits, because a partition knows only its own entries.
inline constexpr std::uint64_t kMinPartitionEntries = 1024;
inline constexpr std::uint64_t kMinPartitionBytes = 4 << 20;

// Bits of the hash that choose neither home bucket nor tag, nor, in all but the largest maps, the segment.
inline constexpr std::uint32_t kPartitionShift = 14;

// Partitions of a new cache, a power of two. `max_entries` 0 means no bound but the region's size.
constexpr std::uint32_t PartitionsFor(std::uint32_t max_entries, std::size_t region_bytes) {
  std::uint32_t partitions = 1;
  while (partitions < kMaxPartitions && (max_entries == 0 || max_entries >= 2 * partitions * kMinPartitionEntries) &&
         region_bytes >= 2 * partitions * kMinPartitionBytes) {
    partitions *= 2;
  }
  return partitions;
}

constexpr std::size_t AreaBytes(std::uint32_t partitions) {
  return (kCachePartitions + std::size_t{partitions} * kPartitionWords) * sizeof(Word);
}

// Pages that the area fills.
constexpr std::uint32_t AreaPages(std::uint32_t partitions) {
  return static_cast<std::uint32_t>((AreaBytes(partitions) + kPageBytes - 1) / kPageBytes);
}

// First word of a partition.
constexpr WordIndex PartitionAt(Block area, std::uint32_t index) {
  return WordOf(area) + kCachePartitions + std::size_t{index} * kPartitionWords;
}

// The partition that manages the keys of a hash.
constexpr std::uint32_t PartitionOf(std::uint32_t hash, std::uint32_t partitions) {
  return hash >> kPartitionShift & (partitions - 1);
}

// Pages of the first nodes: enough for all entries if their number is known, but no more than may have room.
constexpr std::uint32_t FirstPages(std::uint32_t limit, std::uint32_t pages) {
  if (limit == 0) return std::max(1u, pages / 64);
  const std::uint64_t wanted = ((std::uint64_t{limit} + 1) * kNodeBytes + kPageBytes - 1) / kPageBytes;
  return static_cast<std::uint32_t>(std::max(std::uint64_t{1}, std::min(wanted, std::uint64_t{pages / 8})));
}

// Makes the area in a run of AreaPages, in a region that no other thread knows yet.
inline void FormatArea(Region region, Block area, std::uint32_t partitions, std::uint32_t max_entries) {
  for (std::size_t word = 0; word < AreaBytes(partitions) / sizeof(Word); ++word) region.Store(WordOf(area) + word, 0);
  region.Store(WordOf(area) + kCachePartitionCount, partitions);
  for (std::uint32_t index = 0; index < partitions; ++index) {
    const WordIndex partition = PartitionAt(area, index);
    // Together exactly as many as requested, and at least one each.
    const std::uint32_t limit = (max_entries + index) / partitions;
    region.Store(partition + kPartitionLimit, limit);
    region.Store(partition + kPartitionFirstPages, FirstPages(limit, region.Load(kHeaderPageCount) / partitions));
    region.Store(partition + kPartitionColdShare, kInitialColdShare);
  }
  region.Store(kHeaderEviction, area);
}

// First words of all partitions. Empty if the region does not belong to a cache or is damaged.
inline std::vector<WordIndex> PartitionsOf(const Region& region) {
  const Block area = region.Load(kHeaderEviction);
  if (!region.Contains(area, kCachePartitions)) return {};
  const std::uint32_t partitions = region.Load(WordOf(area) + kCachePartitionCount);
  const bool sound = partitions > 0 && partitions <= kMaxPartitions && (partitions & (partitions - 1)) == 0;
  if (!sound || !region.Contains(area, AreaBytes(partitions) / sizeof(Word))) return {};
  std::vector<WordIndex> found;
  for (std::uint32_t index = 0; index < partitions; ++index) found.push_back(PartitionAt(area, index));
  return found;
}

// The mutex of threads that gather a long run of the reserve. 0 if the region does not belong to a cache or is damaged.
inline WordIndex ReserveMutexAt(const Region& region) {
  return PartitionsOf(region).empty() ? 0 : WordOf(region.Load(kHeaderEviction)) + kCacheReserveMutex;
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_AREA_H_
