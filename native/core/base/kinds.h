// Kinds of keys and values, and their lengths. See docs/internals/format.md, "Entry". src/format/kinds.ts has the same
// table; test/region/layout.test.ts compares them.
#ifndef MAPSAFE_CORE_KINDS_H_
#define MAPSAFE_CORE_KINDS_H_

#include <array>
#include <cstdint>

#include "base/layout.h"

namespace mapsafe {

// Whether a key of `kind` may have `length` bytes.
constexpr bool IsKeyLength(std::uint32_t kind, std::uint32_t length) {
  switch (kind) {
    case kKeyLatin1:
    case kKeyBytes:
      return true;
    case kKeyUtf16:
      return length % 2 == 0;
    case kKeyNumber:
      return length == 8;
    case kKeyBigint:
      return length >= 4 && length % 4 == 0;
    case kKeyBoolean:
      return length == 1;
    default:
      return false;
  }
}

inline constexpr std::uint32_t kImmediate = 1;  // the engines turn the bytes into the JavaScript value themselves
inline constexpr std::uint32_t kEncoded = 2;    // the bytes pass through the scratch buffer, for a codec
inline constexpr std::uint32_t kLease = 4;      // no value: it holds the place of one that is being loaded

struct ValueKind {
  std::uint32_t kind;
  std::uint32_t least;  // length in bytes
  std::uint32_t most;
  std::uint32_t unit;  // the power of two that lengths are a multiple of
  std::uint32_t flags;
};

inline constexpr std::uint32_t kMax = 0xffffffff;

// Every value kind. Code looks up every property of a kind in this table; the order of the numbers means nothing.
inline constexpr ValueKind kValueKinds[] = {
    {kValueUndefined, 0, 0, 1, kImmediate},
    {kValueNull, 0, 0, 1, kImmediate},
    {kValueFalse, 0, 0, 1, kImmediate},
    {kValueTrue, 0, 0, 1, kImmediate},
    {kValueNumber, 8, 8, 8, kImmediate},
    {kValueLatin1, 0, kMax, 1, kImmediate},
    {kValueUtf16, 0, kMax, 2, kImmediate},
    {kValueBigint, 4, kMax, 4, kEncoded},
    {kValueBytes, 0, kMax, 1, kEncoded},
    {kValuePlain, 0, kMax, 1, kEncoded},
    {kValueClone, 0, kMax, 1, kEncoded},
    {kValueLease, 0, kMax, 1, kEncoded | kLease},
    {kValueLapsedLease, 0, kMax, 1, kEncoded | kLease},
};

constexpr std::uint32_t KindsWith(std::uint32_t flag) {
  std::uint32_t mask = 0;
  for (const ValueKind& row : kValueKinds) {
    if ((row.flags & flag) != 0) mask |= 1u << row.kind;
  }
  return mask;
}

inline constexpr std::uint32_t kEncodedKinds = KindsWith(kEncoded);
inline constexpr std::uint32_t kLeaseKinds = KindsWith(kLease);
inline constexpr std::uint32_t kKnownKinds = KindsWith(kImmediate | kEncoded);

// Whether this version knows the kind, which is at most kValueKindMask. An unknown kind was written by a later version,
// or is damage.
constexpr bool IsKnownKind(std::uint32_t kind) {
  return (kKnownKinds >> kind & 1) != 0;
}

// Whether values of the kind pass through the scratch buffer as bytes.
constexpr bool IsEncodedKind(std::uint32_t kind) {
  return (kEncodedKinds >> kind & 1) != 0;
}

// Whether the kind is that of a lease, lapsed or not.
constexpr bool IsLeaseKind(std::uint32_t kind) {
  return (kLeaseKinds >> kind & 1) != 0;
}

// Table by kind. An unknown kind has no length.
inline constexpr auto kKindsByNumber = [] {
  std::array<ValueKind, kValueKindMask + 1> kinds{};
  for (ValueKind& kind : kinds) kind = {0, 1, 0, 1, 0};
  for (const ValueKind& row : kValueKinds) kinds[row.kind] = row;
  return kinds;
}();

// Whether a value of `kind` may have `length` bytes; false for a kind that is not known.
constexpr bool IsValueLength(std::uint32_t kind, std::uint32_t length) {
  const ValueKind& row = kKindsByNumber[kind];
  return length >= row.least && length <= row.most && (length & (row.unit - 1)) == 0;
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_KINDS_H_
