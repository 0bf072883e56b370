// From hash to segment. See docs/internals/format.md, "Directory".
//
// Thread safety: Locate and StillMaps from anywhere without a lock; the rest under the directory mutex.
// Invariants: every entry of the current array names a segment whose prefix covers it. An array stays readable for ever
// after it was replaced, so a stale reader finds stale segments, never garbage.
#ifndef MAPSAFE_CORE_DIRECTORY_H_
#define MAPSAFE_CORE_DIRECTORY_H_

#include <optional>

#include "base/region.h"

namespace mapsafe {

// The top `depth` bits of a hash.
constexpr std::uint32_t TopBits(std::uint32_t hash, std::uint32_t depth) {
  return depth == 0 ? 0 : hash >> (32 - depth);
}

struct Location {
  Block directory;
  WordIndex entry;  // the directory word that named the segment
  Block segment;    // 0: the directory is damaged

  WordIndex bucket(std::uint32_t index) const {
    return WordOf(segment) + kSegmentBuckets + std::size_t{index} * kBucketWords;
  }
};

inline constexpr std::size_t kSegmentWords = kSegmentBytes / sizeof(Word);

// The depth of the array at `directory`; nothing if no array can lie there.
inline std::optional<Word> DepthOf(const Region& region, Block directory) {
  if (!region.Contains(directory, kDirectoryEntries)) return std::nullopt;
  const Word depth = region.Load(WordOf(directory) + kDirectoryDepth);
  if (depth > kMaxDepth || !region.Contains(directory, kDirectoryEntries + (std::size_t{1} << depth))) {
    return std::nullopt;
  }
  return depth;
}

constexpr std::size_t DirectoryBytes(std::uint32_t depth) {
  return (kDirectoryEntries + (std::size_t{1} << depth)) * sizeof(Word);
}

// A directory array as a thread remembers it. Only the segments in an array ever change, so only a new array is looked
// at and checked.
class DirectoryView {
 public:
  Location Locate(const Region& region, std::uint32_t hash) {
    // Both acquires pair with the releases in DoubleDirectory and AssignSegment: array and segment are complete before
    // their block numbers appear.
    const Block directory = region.LoadAcquire(kHeaderDirectory);
    if (directory != directory_ && !Enter(region, directory)) return {directory, 0, 0};
    const WordIndex entry = entries_ + (std::uint64_t{hash} >> shift_);
    const Block segment = region.LoadAcquire(entry);
    return {directory, entry, region.Contains(segment, kSegmentWords) ? segment : 0};
  }

  // Size of the array after the one in use.
  std::size_t NextBytes() const { return DirectoryBytes(33 - shift_); }

 private:
  bool Enter(const Region& region, Block directory) {
    const std::optional<Word> depth = DepthOf(region, directory);
    if (!depth) return false;
    directory_ = directory;
    entries_ = WordOf(directory) + kDirectoryEntries;
    shift_ = 32 - *depth;
    return true;
  }

  Block directory_ = 0;
  WordIndex entries_ = 0;
  std::uint32_t shift_ = 32;
};

// Whether a lookup would lead to the same segment again. Call it after an acquire load of a bucket version: a split
// that was over by then has changed one of the two words, and is seen.
inline bool StillMaps(const Region& region, const Location& location) {
  return region.Load(kHeaderDirectory) == location.directory && region.Load(location.entry) == location.segment;
}

// The current array, for threads that change it.
struct Directory {
  Block block;  // 0: the directory is damaged
  Word depth;

  static Directory Current(const Region& region);

  WordIndex entries() const { return WordOf(block) + kDirectoryEntries; }
};

// Fills `next` with the current array doubled, and publishes it.
void DoubleDirectory(Region& region, const Directory& current, Block next);

// Makes `segment` the target of every hash whose top `depth` bits are those of `prefix`. Returns false and changes
// nothing if the directory has no such entries.
bool AssignSegment(Region& region, Block segment, std::uint32_t prefix, std::uint32_t depth);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_DIRECTORY_H_
