#include "directory.h"

namespace mapsafe {

void DoubleDirectory(Region& region, Block next) {
  const Block current = region.Load(kHeaderDirectory);
  const Word depth = region.Load(WordOf(current) + kDirectoryDepth);
  const WordIndex from = WordOf(current) + kDirectoryEntries;
  const WordIndex to = WordOf(next) + kDirectoryEntries;
  region.Store(WordOf(next) + kDirectoryDepth, depth + 1);
  region.Store(WordOf(next) + kDirectoryPrevious, current);
  for (std::size_t i = 0; i < std::size_t{1} << depth; ++i) {
    const Word segment = region.Load(from + i);
    region.Store(to + 2 * i, segment);
    region.Store(to + 2 * i + 1, segment);
  }
  region.StoreRelease(kHeaderDirectory, next);  // pairs with Locate
}

void AssignSegment(Region& region, Block segment, std::uint32_t prefix, std::uint32_t depth) {
  const Block directory = region.Load(kHeaderDirectory);
  const Word directory_depth = region.Load(WordOf(directory) + kDirectoryDepth);
  const std::size_t count = std::size_t{1} << (directory_depth - depth);
  const WordIndex first = WordOf(directory) + kDirectoryEntries + TopBits(prefix, directory_depth);
  for (std::size_t i = 0; i < count; ++i) region.StoreRelease(first + i, segment);  // pairs with Locate
}

}  // namespace mapsafe
