#include "eviction/ghosts.h"

#include <array>

namespace mapsafe {

namespace {

constexpr std::uint32_t kBucketSize = kGhostsPerBucket * kGhostWords;

// Spreads hashes over the buckets by other bits than those that chose the partition.
constexpr std::uint32_t kGolden = 0x9e3779b1;

// The lowest bit of a mark gives the class.
constexpr Word kClassMask = 1;

// Stands for hash 0, since mark 0 is an empty place.
constexpr Word kTagOfZero = 2;

constexpr Word MarkOf(std::uint32_t hash) {
  const Word mark = hash & ~kClassMask;
  return mark == 0 ? kTagOfZero : mark;
}

}  // namespace

bool Ghosts::Find(std::uint32_t hash, Ghost* ghost) const {
  const WordIndex bucket = BucketOf(hash);
  if (bucket == 0) return false;
  const Word wanted = MarkOf(hash);
  for (WordIndex at = bucket; at < bucket + kBucketSize; at += kGhostWords) {
    const Word mark = region_.Load(at + kGhostTag);
    if ((mark & ~kClassMask) != wanted) continue;
    const Word epochs = region_.Load(at + kGhostTicks);
    *ghost = {at, static_cast<GhostClass>(mark & kClassMask), AgeOf(epochs), AgeOf(epochs >> 16)};
    return true;
  }
  return false;
}

void Ghosts::Remove(const Ghost& ghost) {
  const WordIndex count = CountOf(ghost.ghost_class);
  region_.Store(count, region_.Load(count) - 1);
  region_.Store(ghost.at + kGhostTag, 0);
}

void Ghosts::Add(std::uint32_t hash, GhostClass ghost_class, Word last_use) {
  const WordIndex bucket = BucketOf(hash);
  if (bucket == 0) return;
  WordIndex oldest = bucket;
  std::uint32_t oldest_age = 0;
  for (WordIndex at = bucket; at < bucket + kBucketSize; at += kGhostWords) {
    if (region_.Load(at + kGhostTag) == 0) {
      oldest = at;
      break;
    }
    const std::uint32_t age = AgeOf(region_.Load(at + kGhostTicks) >> 16);
    if (age <= oldest_age) continue;
    oldest = at;
    oldest_age = age;
  }
  const Word replaced = region_.Load(oldest + kGhostTag);
  if (replaced != 0) {
    const WordIndex count = CountOf(static_cast<GhostClass>(replaced & kClassMask));
    region_.Store(count, region_.Load(count) - 1);
  }
  region_.Store(oldest + kGhostTag, MarkOf(hash) | static_cast<Word>(ghost_class));
  region_.Store(oldest + kGhostTicks, (last_use & 0xffff) | region_.Load(partition_ + kPartitionUseClock) << 16);
  region_.Store(CountOf(ghost_class), region_.Load(CountOf(ghost_class)) + 1);
}

void Ghosts::Recount() {
  std::array<Word, 2> counts{};
  const std::size_t words = GhostBytes(region_.Load(partition_ + kPartitionGhostBuckets)) / sizeof(Word);
  const Block table = region_.Load(partition_ + kPartitionGhosts);
  if (words > 0 && region_.Contains(table, words)) {
    for (std::size_t ghost = 0; ghost < words; ghost += kGhostWords) {
      const Word mark = region_.Load(WordOf(table) + ghost + kGhostTag);
      if (mark != 0) ++counts[mark & kClassMask];
    }
  }
  for (std::uint32_t i = 0; i < counts.size(); ++i) region_.Store(partition_ + kPartitionGhostCounts + i, counts[i]);
}

WordIndex Ghosts::BucketOf(std::uint32_t hash) const {
  const std::uint64_t buckets = region_.Load(partition_ + kPartitionGhostBuckets);
  const Block table = region_.Load(partition_ + kPartitionGhosts);
  if (buckets == 0 || !region_.Contains(table, buckets * kBucketSize)) return 0;
  return WordOf(table) + static_cast<std::size_t>(std::uint64_t{hash * kGolden} * buckets >> 32) * kBucketSize;
}

}  // namespace mapsafe
