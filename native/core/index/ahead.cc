#include "index/ahead.h"

namespace mapsafe {

std::size_t AskAhead(Core& core, std::span<const Key> keys) {
  for (const Key& key : keys) {
    const Location location = core.Locate(key.hash);
    if (location.segment != 0) core.region.Prefetch(location.bucket(HomeOf(key.hash)));
  }
  std::size_t entries = 0;
  for (const Key& key : keys) {
    const Location location = core.Locate(key.hash);
    if (location.segment != 0) entries += core.BucketAt(location, HomeOf(key.hash)).AskForEntries(TagOf(key.hash));
  }
  return entries;
}

}  // namespace mapsafe
