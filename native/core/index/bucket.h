// One bucket: a version, eleven tagged slots, an overflow mark. See docs/internals/format.md, "Bucket".
//
// Thread safety: any thread may read, validated by the version; only the thread that holds the version odd may change.
#ifndef MAPSAFE_CORE_BUCKET_H_
#define MAPSAFE_CORE_BUCKET_H_

#include <algorithm>
#include <bit>

#include "base/region.h"
#include "index/entry.h"

namespace mapsafe {

constexpr std::uint32_t HomeOf(std::uint32_t hash) {
  return hash & (kHomeBuckets - 1);
}

constexpr std::uint32_t NeighbourOf(std::uint32_t home) {
  return (home + 1) & (kHomeBuckets - 1);
}

constexpr std::uint32_t TagOf(std::uint32_t hash) {
  const std::uint32_t tag = hash >> 6 & 0xff;
  return tag == 0 ? 1 : tag;
}

constexpr bool IsLive(Word reference) {
  return reference != 0 && (reference & kTombstone) == 0;
}

// How many of a home bucket's keys live elsewhere: upper bounds, raised by inserts and recounted by cleanups.
struct Overflow {
  std::uint32_t neighbour;
  std::uint32_t stash;

  std::uint32_t byte() const { return neighbour | stash << kStashShift; }
};

constexpr WordIndex BucketIn(Block segment, std::uint32_t index) {
  return WordOf(segment) + kSegmentBuckets + std::size_t{index} * kBucketWords;
}

// A view of the bucket at a word index.
class Bucket {
 public:
  Bucket(Region& region, WordIndex at) : region_(&region), at_(at) {}

  WordIndex at() const { return at_; }
  Block block() const { return static_cast<Block>(at_ / kBlockWords); }

  // Acquire: pairs with Release, so that slots read afterwards are at least as new as the version.
  Word LoadVersion() const { return region_->LoadAcquire(at_ + kBucketVersion); }

  // For the second load of a reader, after an acquire fence.
  Word ReloadVersion() const { return region_->Load(at_ + kBucketVersion); }

  bool TryHold(Word even_version) {
    return region_->CompareAndSwap(at_ + kBucketVersion, even_version, even_version + 1);
  }

  // Ends the hold of the thread that made the version odd, and returns the even version. Release: pairs with
  // LoadVersion.
  Word Release() {
    const Word next = region_->Load(at_ + kBucketVersion) + 1;
    if (next == 0) region_->Store(at_ + kBucketEpoch, region_->Load(at_ + kBucketEpoch) + 1);
    region_->StoreRelease(at_ + kBucketVersion, next);
    return next;
  }

  // Separates two steps that no reader may take for one, without releasing the bucket: from odd to the next odd.
  // Release: the first step comes before it; the second step's stores are releases, so a reader that saw one of them
  // sees this version too.
  void Step() {
    const Word next = region_->Load(at_ + kBucketVersion) + 2;
    if (next == 1) region_->Store(at_ + kBucketEpoch, region_->Load(at_ + kBucketEpoch) + 1);
    region_->StoreRelease(at_ + kBucketVersion, next);
  }

  // The entry version of a write that is released when the bucket's version next becomes even after `version`.
  std::uint64_t EntryVersionAfter(Word version) const {
    const Word next = (version | 1) + 1;
    const std::uint64_t epoch = region_->Load(at_ + kBucketEpoch) + (next == 0 ? 1u : 0u);
    return epoch << 31 | next >> 1;
  }

  // Acquire: pairs with Publish, so that the entry's bytes are there.
  Word Slot(std::uint32_t slot) const { return region_->LoadAcquire(at_ + kBucketSlots + slot); }

  std::uint32_t Tag(std::uint32_t slot) const {
    return region_->Load(at_ + kBucketTags + slot / 4) >> (slot % 4 * 8) & 0xff;
  }

  // Fills an empty or tombstone slot. The tag comes first: a reference without its tag would hide the key.
  void Publish(std::uint32_t slot, std::uint32_t tag, Block entry) {
    SetTag(slot, tag);
    region_->StoreRelease(at_ + kBucketSlots + slot, entry);
  }

  // Replaces the entry of a live slot; the key, and so the tag, is the same.
  void Replace(std::uint32_t slot, Block entry) { region_->StoreRelease(at_ + kBucketSlots + slot, entry); }

  // Takes the key away: `rest` is 0 or the reference as a tombstone. The tag is cleared last, for the same reason.
  void Vacate(std::uint32_t slot, Word rest) {
    region_->StoreRelease(at_ + kBucketSlots + slot, rest);
    SetTag(slot, 0);
  }

  // A slot without a live key, or kSlotsPerBucket.
  std::uint32_t FindRoom() const {
    std::uint32_t slot = 0;
    while (slot < kSlotsPerBucket && IsLive(Slot(slot))) ++slot;
    return slot;
  }

  Overflow overflow() const {
    const std::uint32_t mark = region_->Load(at_ + kBucketTags + 2) >> kOverflowShift;
    return {mark & kNeighbourMask, mark >> kStashShift};
  }

  // Saturates: the largest count means "that many or more".
  void SetOverflow(Overflow overflow) {
    overflow.neighbour = std::min(overflow.neighbour, kNeighbourMask);
    overflow.stash = std::min(overflow.stash, kStashSaturated);
    const Word word = region_->Load(at_ + kBucketTags + 2);
    region_->StoreRelease(at_ + kBucketTags + 2, (word & ((1u << kOverflowShift) - 1)) | overflow.byte()
                                                                                             << kOverflowShift);
  }

  // The slot that holds `key`, or kSlotsPerBucket. Sets `entry` to its block. A reference that leaves the region sets
  // `damaged`. `replaces`: the caller is about to unlink the entry and to write into its block.
  template <bool replaces = false>
  std::uint32_t Probe(const Key& key, Block* entry, bool* damaged) const {
    for (std::uint32_t candidates = SlotsWithTag(TagOf(key.hash)); candidates != 0; candidates &= candidates - 1) {
      const auto slot = static_cast<std::uint32_t>(std::countr_zero(candidates));
      const Word reference = Slot(slot);
      if (replaces && region_->Contains(reference, kEntryData)) region_->PrefetchForWrite(WordOf(reference));
      if (IsLive(reference) && EntryMatches(*region_, reference, key, damaged)) {
        *entry = reference;
        return slot;
      }
    }
    return kSlotsPerBucket;
  }

  // Asks for the first lines of entries with the tag, to be read and written.
  void PrefetchEntries(std::uint32_t tag) const {
    for (std::uint32_t candidates = SlotsWithTag(tag); candidates != 0; candidates &= candidates - 1) {
      const Word reference = Slot(static_cast<std::uint32_t>(std::countr_zero(candidates)));
      if (region_->Contains(reference, kEntryData)) region_->PrefetchForWrite(WordOf(reference));
    }
  }

  // Asks for the first lines of entries with the tag, to be read alone: as many as a short key and a value of a hundred
  // bytes take. Returns how many entries these are.
  std::size_t AskForEntries(std::uint32_t tag) const {
    constexpr std::size_t kLineWords = kLineBytes / sizeof(Word);
    constexpr std::size_t kLines = 3;
    std::size_t entries = 0;
    for (std::uint32_t candidates = SlotsWithTag(tag); candidates != 0; candidates &= candidates - 1) {
      const Word reference = Slot(static_cast<std::uint32_t>(std::countr_zero(candidates)));
      if (!region_->Contains(reference, kEntryData)) continue;
      ++entries;
      for (std::size_t line = 0; line < kLines && region_->Contains(reference, line * kLineWords + 1); ++line) {
        region_->Prefetch(WordOf(reference) + line * kLineWords);
      }
    }
    return entries;
  }

 private:
  // A bit for each slot with the tag, and seldom one for a slot above such a slot: the zero-byte test is exact only up
  // to the first hit, and a needless candidate costs one comparison. One mask for all eleven, because the processor
  // could not predict a branch between the first eight and the rest.
  std::uint32_t SlotsWithTag(std::uint32_t tag) const {
    constexpr std::uint64_t kOnes = 0x0101010101010101u;
    const auto equal_bytes = [tag](std::uint64_t tags) {
      const std::uint64_t x = tags ^ kOnes * tag;
      const std::uint64_t equal = ((x - kOnes) & ~x) >> 7 & kOnes;
      return static_cast<std::uint32_t>(equal * 0x0102040810204080u >> 56);  // gathers the eight bits
    };
    const std::uint32_t low = equal_bytes(region_->LoadPair(at_ + kBucketTags));
    const std::uint32_t high = equal_bytes(region_->Load(at_ + kBucketTags + 2));
    return (low | high << 8) & ((1u << kSlotsPerBucket) - 1);
  }

  // Only the holder changes the word, so load and store need not be one step. Release, like every store under a hold:
  // pairs with the acquire fence in Versions::Unchanged, so that a reader that saw the tag sees the odd version.
  void SetTag(std::uint32_t slot, std::uint32_t tag) {
    const WordIndex word = at_ + kBucketTags + slot / 4;
    const std::uint32_t shift = slot % 4 * 8;
    region_->StoreRelease(word, (region_->Load(word) & ~(0xffu << shift)) | tag << shift);
  }

  Region* region_;
  WordIndex at_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_BUCKET_H_
