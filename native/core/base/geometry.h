// Where the parts of a region lie: a function of its size alone. See docs/internals/format.md, "Units". The header
// repeats it for programs that recognise regions; no code relies on what the header says.
#ifndef MAPSAFE_CORE_GEOMETRY_H_
#define MAPSAFE_CORE_GEOMETRY_H_

#include <algorithm>
#include <cstddef>

#include "base/layout.h"

namespace mapsafe {

inline constexpr std::uint32_t kPageTableBlock = kRegistryBlock + kRegistryThreads * kThreadWords / kBlockWords;

// Heap pages that fit beside their own descriptors into a region of `bytes` bytes.
constexpr std::uint32_t HeapPages(std::size_t bytes) {
  constexpr std::size_t kPageEntryBytes = kPageEntryWords * sizeof(std::uint32_t);
  const std::size_t left = bytes - std::size_t{kPageTableBlock} * kBlockBytes;
  const std::size_t pages = left / (kPageBytes + kPageEntryBytes);
  const std::size_t table_pages = (pages * kPageEntryBytes + kPageBytes - 1) / kPageBytes;
  // One page more than `pages` may fit beside their descriptors, but not beside its own.
  return static_cast<std::uint32_t>(
      std::min(left / kPageBytes - table_pages, table_pages * kPageBytes / kPageEntryBytes));
}

// The last of `pages` heap pages, in a cache: everything in them can be evicted. See docs/internals/protocol.md, "The
// reserve".
constexpr std::uint32_t ReservePages(std::uint32_t pages) {
  return std::max(pages / kReservePart, kMinReservePages);
}

// Block number of heap page 0.
constexpr std::uint32_t HeapBlock(std::size_t bytes) {
  return static_cast<std::uint32_t>(bytes / kBlockBytes) - HeapPages(bytes) * kPageBlocks;
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_GEOMETRY_H_
