#include "index/directory.h"

namespace mapsafe {

Directory Directory::Current(const Region& region) {
  const Block block = region.Load(kHeaderDirectory);
  const std::optional<Word> depth = DepthOf(region, block);
  return depth ? Directory{block, *depth} : Directory{0, 0};
}

void DoubleDirectory(Region& region, const Directory& current, Block next) {
  const WordIndex to = WordOf(next) + kDirectoryEntries;
  region.Store(WordOf(next) + kDirectoryDepth, current.depth + 1);
  region.Store(WordOf(next) + kDirectoryPrevious, current.block);
  for (std::size_t i = 0; i < std::size_t{1} << current.depth; ++i) {
    const Word segment = region.Load(current.entries() + i);
    region.Store(to + 2 * i, segment);
    region.Store(to + 2 * i + 1, segment);
  }
  region.StoreRelease(kHeaderDirectory, next);  // pairs with Locate
}

bool AssignSegment(Region& region, Block segment, std::uint32_t prefix, std::uint32_t depth) {
  const Directory directory = Directory::Current(region);
  if (directory.block == 0 || directory.depth < depth) return false;
  const std::size_t count = std::size_t{1} << (directory.depth - depth);
  const std::size_t first = TopBits(prefix, depth) * count;
  for (std::size_t i = 0; i < count; ++i) {
    region.StoreRelease(directory.entries() + first + i, segment);  // pairs with Locate
  }
  return true;
}

}  // namespace mapsafe
