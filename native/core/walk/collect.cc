#include "walk/collect.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "index/lease.h"
#include "index/lookup.h"
#include "threads/backoff.h"

namespace mapsafe {

namespace {

struct FoundKey {
  std::uint32_t hash;
  std::uint32_t kind;
  std::uint32_t length;
  std::size_t offset;  // into the bytes collected
};

// The keys of a segment fit into the region. A walk may meet more if keys come and go meanwhile, but not several times
// as many; damaged references may make every key one of the longest.
constexpr std::size_t kMaxWalks = 4;

struct Harvest {
  std::vector<FoundKey> keys;
  std::vector<std::byte> bytes;

  void Truncate(std::size_t key_count, std::size_t byte_count) {
    keys.resize(key_count);
    bytes.resize(byte_count);
  }
};

// Drops repeats from keys sorted by hash. A key that was deleted and inserted again during the walk may have been met
// in two buckets, and is delivered once.
void DropRepeats(Harvest* harvest) {
  const auto same = [harvest](const FoundKey& a, const FoundKey& b) {
    return a.kind == b.kind && a.length == b.length &&
           std::memcmp(harvest->bytes.data() + a.offset, harvest->bytes.data() + b.offset, a.length) == 0;
  };
  auto kept = harvest->keys.begin();
  for (const FoundKey& key : harvest->keys) {
    bool repeated = false;
    for (auto other = kept; !repeated && other != harvest->keys.begin() && (other - 1)->hash == key.hash; --other) {
      repeated = same(*(other - 1), key);
    }
    if (!repeated) *kept++ = key;
  }
  harvest->keys.erase(kept, harvest->keys.end());
}

// Adds the keys of one bucket, read undisturbed while it had `version`.
Status CollectBucket(Core& core, const Bucket& bucket, HashRange range, Harvest* harvest, Backoff* backoff,
                     Word* version) {
  const std::size_t keys_before = harvest->keys.size();
  const std::size_t bytes_before = harvest->bytes.size();
  for (;;) {
    Versions versions(core.region);
    *version = versions.Note(bucket);
    bool damaged = false;
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const Word reference = bucket.Slot(slot);
      if (!IsLive(reference)) continue;
      if (!core.region.Contains(reference, kEntryData)) return Status::kCorrupt;
      const EntryHeader header = ReadHeader(core.region, reference);
      const std::uint32_t words = WordsFor(header.key_length());
      if (!core.region.Contains(reference, kEntryData + words) ||
          harvest->bytes.size() + words * sizeof(Word) > kMaxWalks * core.region.bytes()) {
        damaged = true;
        continue;
      }
      if (header.hash < range.from || header.hash >= range.to || IsLeaseKind(header.value_kind())) continue;
      const std::size_t offset = harvest->bytes.size();
      harvest->keys.push_back({header.hash, header.key_kind(), header.key_length(), offset});
      harvest->bytes.resize(offset + words * sizeof(Word));
      core.region.CopyOut(WordOf(reference) + kEntryData, words * sizeof(Word), harvest->bytes.data() + offset);
    }
    if (versions.Unchanged()) return damaged ? Status::kCorrupt : Status::kDone;
    harvest->Truncate(keys_before, bytes_before);
    if (!backoff->Wait()) return Status::kTimeout;
  }
}

// Whether the buckets of a segment in which keys move still have the versions they were read with. If so, no key was
// moved from a bucket not yet read to one already read.
bool AreUnchanged(Core& core, const Location& location, const std::array<Word, kAllBuckets>& versions) {
  for (std::uint32_t i = 0; i < kAllBuckets; ++i) {
    if (core.BucketAt(location, i).ReloadVersion() != versions[i]) return false;
  }
  return true;
}

// Collects from the whole segment that covers the range's first hash; sets `end` to the first hash after it. Does not
// wait for a thread that holds the segment while it moves keys, only for the moves themselves.
Status CollectSegment(Core& core, HashRange range, Harvest* harvest, std::uint64_t* end) {
  const auto hash = static_cast<std::uint32_t>(range.from);
  std::array<Word, kAllBuckets> versions;
  for (Backoff backoff(*core.budget, Obstacle::Others());;) {
    const Location location = core.Locate(hash);
    if (location.segment == 0) return Status::kCorrupt;
    const WordIndex segment = WordOf(location.segment);
    // Acquire pairs with the release in ReleaseSegment.
    const Word moves = core.region.LoadAcquire(segment + kSegmentMoves);
    const Word depth = core.region.Load(segment + kSegmentDepth);
    const Word prefix = core.region.Load(segment + kSegmentPrefix);
    harvest->Truncate(0, 0);
    Status status = depth > kMaxDepth ? Status::kCorrupt : Status::kDone;
    for (std::uint32_t i = 0; status == Status::kDone && i < kAllBuckets; ++i) {
      status = CollectBucket(core, core.BucketAt(location, i), range, harvest, &backoff, &versions[i]);
    }
    // Pairs with the releases of threads that move keys, as in Versions::Unchanged.
    std::atomic_thread_fence(std::memory_order_acquire);
    const bool in_motion = (moves & 1) != 0;
    bool undisturbed = core.region.Load(segment + kSegmentMoves) == moves && StillMaps(core.region, location);
    if (status == Status::kDone && in_motion) undisturbed = undisturbed && AreUnchanged(core, location, versions);
    if (undisturbed) {
      const std::uint64_t width = std::uint64_t{1} << (32 - std::min(depth, kMaxDepth));
      *end = prefix + width;
      if (in_motion) {
        // The upper half is emptied once the directory names its new segment throughout.
        if (core.Locate(static_cast<std::uint32_t>(*end - 1)).segment != location.segment) *end -= width / 2;
        std::erase_if(harvest->keys, [end](const FoundKey& key) { return key.hash >= *end; });
      }
      if (status == Status::kDone && *end <= range.from) return Status::kCorrupt;
      return status;
    }
    if (!backoff.Wait()) {
      Fail(core, Status::kTimeout);
      return Status::kTimeout;
    }
  }
}

}  // namespace

std::uint64_t Collect(Core& core, HashRange range, std::uint32_t limit) {
  Outcome& outcome = *core.outcome;
  Harvest harvest;
  std::uint64_t end = range.from;
  if (range.from >= range.to) {
    outcome.status = Status::kDone;
    outcome.length = 0;
    return range.to;
  }
  Fail(core, Status::kTimeout);
  const Status status = CollectSegment(core, range, &harvest, &end);
  if (status != Status::kDone) {
    outcome.status = status;
    return range.from;
  }
  std::sort(harvest.keys.begin(), harvest.keys.end(),
            [](const FoundKey& a, const FoundKey& b) { return a.hash < b.hash; });
  DropRepeats(&harvest);

  std::size_t used = 0;
  std::size_t done = 0;
  while (done < harvest.keys.size()) {
    std::size_t group = done;
    std::size_t bytes = 0;
    for (; group < harvest.keys.size() && harvest.keys[group].hash == harvest.keys[done].hash; ++group) {
      bytes += (kKeyRecordWords + WordsFor(harvest.keys[group].length)) * sizeof(Word);
    }
    if (used + bytes > core.scratch.capacity && done == 0) {
      outcome.status = Status::kScratchTooSmall;
      outcome.length = static_cast<std::uint32_t>(bytes);
      return range.from;
    }
    if (used + bytes > core.scratch.capacity || done >= limit) {
      end = harvest.keys[done].hash;
      break;
    }
    for (; done < group; ++done) {
      const FoundKey& key = harvest.keys[done];
      const Word head[kKeyRecordWords] = {key.kind, key.length};
      const std::size_t length = WordsFor(key.length) * sizeof(Word);
      std::memcpy(core.scratch.data + used, head, sizeof head);
      std::memcpy(core.scratch.data + used + sizeof head, harvest.bytes.data() + key.offset, length);
      used += sizeof head + length;
    }
  }
  outcome.status = Status::kDone;
  outcome.length = static_cast<std::uint32_t>(done);
  return std::min(end, range.to);
}

}  // namespace mapsafe
