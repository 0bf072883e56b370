// Entries: built once, published, and never changed except for counters (counter.h) and leases (lease.h). See
// docs/internals/format.md, "Entry".
//
// Readers may look at an entry whose block was freed and reused meanwhile. They trust nothing they see until the
// version of the bucket it came from is validated; until then lengths are only checked against the region's end.
#ifndef MAPSAFE_CORE_ENTRY_H_
#define MAPSAFE_CORE_ENTRY_H_

#include "base/kinds.h"
#include "base/region.h"

namespace mapsafe {

// A key as the caller encoded it: words, the last padded with zeros.
struct Key {
  const Word* words;
  std::uint32_t length;  // bytes
  std::uint32_t kind;
  std::uint32_t hash;
  Block node = 0;  // of a NodeKey

  Word meta() const { return length | kind << kKeyKindShift; }
};

// Stands for the key of the entry with a given eviction node, whatever that key is: no key has kind 0.
inline Key NodeKey(Block node, std::uint32_t hash) {
  Key key{};
  key.hash = hash;
  key.node = node;
  return key;
}

// The expiry of an entry that does not expire.
inline constexpr double kNever = 0;

constexpr std::uint32_t WordsFor(std::uint32_t bytes) {
  return bytes / 4 + (bytes % 4 != 0 ? 1 : 0);
}

struct Value {
  const std::byte* bytes;
  std::uint32_t length;
  std::uint32_t kind;
  double expires_at = kNever;  // milliseconds since 1970; infinity takes room for an expiry, but never comes
  // Only with an expiry: until when loads may be served the entry after it expired; below 0, minus the milliseconds by
  // which a read renews it.
  double stale_until = kNever;
  bool counts = false;  // a number that later increments change in place
  std::uint32_t label_count = 0;
  const Word* labels = nullptr;  // in pairs; null if they are written later

  bool expires() const { return expires_at != kNever; }
  bool may_be_stale() const { return stale_until != kNever; }
  // Time until which the entry is kept.
  double kept_until() const { return stale_until > 0 ? stale_until : expires_at; }
  std::size_t words() const { return counts ? kCounterWords : WordsFor(length); }
  std::size_t trailer_words() const {
    return (expires() ? kExpiryWords : 0) + (may_be_stale() ? kExpiryWords : 0) + label_count * kLabelWords;
  }
};

inline constexpr Word kKeyMetaMask = (1u << kValueKindShift) - 1;

// The fixed part of an entry, as read; consistent only once validated.
struct EntryHeader {
  Word hash;
  Word meta;
  Word value_length;
  std::uint64_t version;
  std::uint32_t label_count;

  std::uint32_t key_length() const { return meta & ((1u << kKeyLengthBits) - 1); }
  std::uint32_t key_kind() const { return meta >> kKeyKindShift & kKeyKindMask; }
  std::uint32_t value_kind() const { return meta >> kValueKindShift & kValueKindMask; }
  bool expires() const { return (meta & kEntryExpires) != 0; }
  bool may_be_stale() const { return (meta & kEntryStale) != 0; }
  bool is_counter() const { return (meta & kEntryCounter) != 0; }
  bool in_second_cell() const { return is_counter() && (meta & kEntrySecondCell) != 0; }
  // Offsets in words: of everything that belongs to the value, and of the value itself.
  std::size_t data_offset() const { return kEntryData + WordsFor(key_length()); }
  std::size_t value_offset() const { return data_offset() + (in_second_cell() ? kCounterSecondValue : 0); }
  std::size_t version_offset() const {
    return in_second_cell() ? data_offset() + kCounterSecondVersion : kEntryVersion;
  }
  // Of the labels, which follow the value or the cells.
  std::size_t labels_offset() const { return data_offset() + (is_counter() ? kCounterWords : WordsFor(value_length)); }
  std::size_t words() const {
    return labels_offset() + std::size_t{label_count} * kLabelWords + (expires() ? kExpiryWords : 0) +
           (may_be_stale() ? kExpiryWords : 0);
  }
  std::size_t bytes() const { return words() * sizeof(Word); }
  // Whether the value can be of its kind. Its length must not lead out of a counter.
  bool is_sound() const {
    return IsValueLength(value_kind(), value_length) && (!is_counter() || value_kind() == kValueNumber);
  }
};

// A version, and above it, at the entry's own, the number of labels.
inline std::uint64_t LoadEntryVersion(const Region& region, WordIndex at) {
  return region.LoadAcquire(at) | static_cast<std::uint64_t>(region.LoadAcquire(at + 1)) << 32;
}

inline constexpr std::uint32_t kVersionBits = 32 + kLabelCountShift;
inline constexpr std::uint64_t kVersionMask = (std::uint64_t{1} << kVersionBits) - 1;

// The higher word of an entry's version, with its number of labels.
constexpr Word HighWordOf(std::uint64_t version, std::uint32_t label_count) {
  return static_cast<Word>(version >> 32) | label_count << kLabelCountShift;
}

// Reads the header of an entry that was copied out of the region, without its version.
inline EntryHeader ReadCopiedHeader(const Word* entry) {
  return {entry[kEntryHash], entry[kEntryMeta], entry[kEntryValueLength], 0,
          entry[kEntryVersion + 1] >> kLabelCountShift};
}

// `block` must have passed Region::Contains(block, kEntryData).
inline EntryHeader ReadHeader(const Region& region, Block block) {
  const WordIndex at = WordOf(block);
  // The version before the kind, because Lapse stores the kind before the version: a reader that meets a lease's new
  // version meets its new kind. The bucket's versions do not ensure that, for a reader may begin and end under one odd
  // version.
  const std::uint64_t version = LoadEntryVersion(region, at + kEntryVersion);
  // Acquire: pairs with the release in StoreSum, so that a counter's cell is there once it is the current one.
  const Word meta = region.LoadAcquire(at + kEntryMeta);
  EntryHeader header{region.Load(at + kEntryHash), meta, region.Load(at + kEntryValueLength), version & kVersionMask,
                     static_cast<std::uint32_t>(version >> kVersionBits)};
  if (header.is_counter() && region.Contains(block, header.words())) [[unlikely]] {
    // A cell's version after the word that names the cell: before that it may still be written.
    header.version = LoadEntryVersion(region, at + header.version_offset()) & kVersionMask;
  }
  return header;
}

inline std::size_t EntryBytes(const Key& key, const Value& value) {
  const std::size_t words = WordsFor(key.length) + value.words() + value.trailer_words();
  return kEntryHeaderBytes + words * sizeof(Word);
}

// Whether the entry at `block` is for `key`; sets `outside` if no entry can lie there. Never faults, whatever the
// bytes.
inline bool EntryMatches(const Region& region, Block block, const Key& key, bool* outside) {
  const WordIndex at = WordOf(block);
  const std::uint32_t count = WordsFor(key.length);
  if (!region.Contains(block, kEntryData + std::size_t{count})) {
    *outside |= !region.Contains(block, kEntryData);  // otherwise it is only too short for this key
    return false;
  }
  // Hash and the key's part of the meta word in one comparison.
  static_assert(kEntryHash == 0 && kEntryMeta == 1);
  const std::uint64_t wanted = key.hash | std::uint64_t{key.meta()} << 32;
  constexpr std::uint64_t kMask = 0xffffffffu | std::uint64_t{kKeyMetaMask} << 32;
  if ((region.LoadPair(at) & kMask) != wanted) {
    return key.kind == 0 && region.Load(at + kEntryHash) == key.hash && region.Load(at + kEntryNode) == key.node;
  }
  std::uint32_t i = 0;
  for (; i + 2 <= count; i += 2) {
    std::uint64_t pair;
    std::memcpy(&pair, key.words + i, sizeof pair);
    if (region.LoadPair(at + kEntryData + i) != pair) return false;
  }
  return i == count || region.Load(at + kEntryData + i) == key.words[i];
}

// Writes the expiry of an entry whose value ends before word `at`.
inline void StoreExpiry(Region& region, WordIndex at, double expires_at) {
  region.CopyIn(at, sizeof expires_at, reinterpret_cast<const std::byte*>(&expires_at));
}

// Writes everything but the version into a block that only this thread knows. Atomic all the same: a reader that
// followed an old reference may still be looking at the block's former content. The release fence pairs with that
// reader's acquire fence (Versions::Unchanged): if it meets one of these words, it meets the version raised before the
// block was freed.
inline void BuildEntry(Region& region, Block block, const Key& key, const Value& value) {
  std::atomic_thread_fence(std::memory_order_release);
  const WordIndex at = WordOf(block);
  region.Store(at + kEntryHash, key.hash);
  region.Store(at + kEntryMeta, key.meta() | value.kind << kValueKindShift | (value.expires() ? kEntryExpires : 0) |
                                    (value.may_be_stale() ? kEntryStale : 0) | (value.counts ? kEntryCounter : 0));
  region.Store(at + kEntryValueLength, value.length);
  region.Store(at + kEntryNode, 0);
  region.CopyIn(at + kEntryData, key.length, reinterpret_cast<const std::byte*>(key.words));
  const WordIndex data = at + kEntryData + WordsFor(key.length);
  region.CopyIn(data, value.length, value.bytes);
  const WordIndex labels = data + value.words();
  const WordIndex end = labels + value.label_count * kLabelWords;
  if (value.labels != nullptr) {
    region.CopyIn(labels, value.label_count * kLabelWords * sizeof(Word),
                  reinterpret_cast<const std::byte*>(value.labels));
  }
  if (value.may_be_stale()) StoreExpiry(region, end, value.stale_until);
  if (value.expires()) StoreExpiry(region, labels + value.trailer_words() - kExpiryWords, value.expires_at);
}

inline void SetEntryVersion(Region& region, Block block, std::uint64_t version, std::uint32_t label_count) {
  region.Store(WordOf(block) + kEntryVersion, static_cast<Word>(version));
  region.Store(WordOf(block) + kEntryVersion + 1, HighWordOf(version, label_count));
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_ENTRY_H_
