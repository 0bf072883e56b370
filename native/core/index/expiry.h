// When entries expire, and which segments hold entries that do. See docs/internals/protocol.md, "Expiry".
//
// Thread safety: as each function says.
#ifndef MAPSAFE_CORE_EXPIRY_H_
#define MAPSAFE_CORE_EXPIRY_H_

#include <bit>
#include <cmath>

#include "base/monotonic.h"
#include "base/region.h"
#include "index/entry.h"
#include "index/labels.h"

namespace mapsafe {

// The region's time in milliseconds, by a clock that does not move when the system's clock is set. See
// docs/internals/protocol.md, "Time".
inline double Now(const Region& region) {
  return MonotonicMilliseconds() + std::bit_cast<double>(region.LoadPair(kHeaderClockOffset)) +
         std::bit_cast<double>(region.LoadPair(kHeaderClockAdvance));
}

// Expiry of an entry that expires. Its lengths must have been checked.
inline double ReadExpiry(const Region& region, Block entry, const EntryHeader& header) {
  const WordIndex at = WordOf(entry) + header.words() - kExpiryWords;
  return std::bit_cast<double>(region.Load(at) | static_cast<std::uint64_t>(region.Load(at + 1)) << 32);
}

// The expiry of an entry that was invalidated: in all respects it is one that expired long ago.
inline constexpr double kLongAgo = 1;

// Expiry of an entry; kNever if it has none, or if its lengths lead out of the region. Like the header, reliable only
// once validated.
inline double ExpiryOf(const Region& region, Block entry, const EntryHeader& header) {
  if ((!header.expires() && header.label_count == 0) || !region.Contains(entry, header.words())) return kNever;
  if (header.label_count != 0 && IsInvalidated(region, entry, header)) [[unlikely]] {
    return kLongAgo;
  }
  return header.expires() ? ReadExpiry(region, entry, header) : kNever;
}

// Time until which a load may be served an expired entry, or below 0 minus the milliseconds by which a read renews it;
// kNever for neither, or if the lengths lead out of the region.
inline double StaleUntil(const Region& region, Block entry, const EntryHeader& header) {
  if (!header.may_be_stale() || !region.Contains(entry, header.words())) return kNever;
  if (header.label_count != 0 && IsInvalidated(region, entry, header)) return kNever;
  const WordIndex at = WordOf(entry) + header.words() - 2 * kExpiryWords;
  return std::bit_cast<double>(region.Load(at) | static_cast<std::uint64_t>(region.Load(at + 1)) << 32);
}

// Time until which an entry is kept; kNever if for ever, or if the lengths lead out of the region.
inline double KeptUntil(const Region& region, Block entry, const EntryHeader& header) {
  const double stale_until = StaleUntil(region, entry, header);
  return stale_until > 0 ? stale_until : ExpiryOf(region, entry, header);
}

// What KeptUntil returned when the entry was published. Its lengths must have been checked.
inline double WasToBeKeptUntil(const Region& region, Block entry, const EntryHeader& header) {
  const WordIndex at = WordOf(entry) + header.words() - 2 * kExpiryWords;
  const double stale_until =
      header.may_be_stale()
          ? std::bit_cast<double>(region.Load(at) | static_cast<std::uint64_t>(region.Load(at + 1)) << 32)
          : kNever;
  return stale_until > 0 ? stale_until : header.expires() ? ReadExpiry(region, entry, header) : kNever;
}

// Whether `expires_at` has passed. Reads the clock only for a time that can pass.
inline bool HasExpired(const Region& region, double expires_at) {
  return expires_at != kNever && expires_at <= Now(region);
}

// The first tick at which `expires_at` has passed; 0 if it never passes. Ticks are the unit of a segment's hint.
inline Word ExpiryTick(double expires_at) {
  if (expires_at == kNever || !std::isfinite(expires_at)) return 0;
  const double tick = std::ceil(expires_at / kExpiryTickMs);
  return tick < 1 ? 1 : tick > 4294967295.0 ? 0xffffffffu : static_cast<Word>(tick);
}

// Whether a segment's hint says that an entry in it may have expired. Any thread.
inline bool IsExpiryDue(const Region& region, Block segment) {
  const Word tick = region.Load(WordOf(segment) + kSegmentExpiry);
  return tick != 0 && static_cast<double>(tick) * kExpiryTickMs <= Now(region);
}

// Whether a segment may have entries that have expired or were invalidated. Any thread.
inline bool IsWorthSweeping(const Region& region, Block segment) {
  return IsExpiryDue(region, segment) || MayHaveInvalidated(region, segment);
}

// Makes a segment's hint no later than `expires_at`. Called by a writer that holds the bucket in which an entry with
// this expiry is about to appear, so that a thread that holds all buckets meets both or neither.
inline void LowerExpiryHint(Region& region, Block segment, double expires_at) {
  const Word tick = ExpiryTick(expires_at);
  if (tick == 0) return;
  const WordIndex hint = WordOf(segment) + kSegmentExpiry;
  for (Word known = region.Load(hint); known == 0 || known > tick; known = region.Load(hint)) {
    if (region.CompareAndSwap(hint, known, tick)) return;
  }
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EXPIRY_H_
