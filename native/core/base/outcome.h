// How an operation ended, and where its bytes go. The words of Outcome are those of Engine.result in
// src/engine/engine.ts, in the same order, so that JavaScript reads them without a call.
#ifndef MAPSAFE_CORE_OUTCOME_H_
#define MAPSAFE_CORE_OUTCOME_H_

#include <cstddef>
#include <cstdint>

#include "base/layout.h"

namespace mapsafe {

enum class Status : std::int32_t {
  kAbsent = 0,
  kFound = 1,
  kEncoded = 2,
  kNotDone = 3,
  kDone = 4,
  kScratchTooSmall = 5,
  kUnchanged = 6,
  kNeedsNode = 100,  // these two never leave the engine; see Prepare
  kNeedsBlock = 101,
  kFull = -1,
  kTimeout = -2,
  kCorrupt = -3,
  kEntryTooLarge = -4,
  kKeyType = -5,
  kNotACounter = -6,
  kCounterRange = -7,
  kUnknownKind = -8,
};

struct Outcome {
  Status status;
  std::uint32_t kind;
  std::uint32_t length;
  std::uint32_t version_low;
  std::uint32_t version_high;
  std::uint32_t home;  // block number of the home bucket
  std::uint32_t home_version;
  std::uint32_t entry;
  Status previous;
  std::uint32_t owner_pid;
  std::uint32_t owner_thread;
  std::uint32_t call;  // set by the caller: operations with the same number, not 0, are parts of one call
  double expires_at;   // expiry of the entry found, or incremented; 0 if it does not expire
  double stale_until;  // of an entry read: see StaleUntil in expiry.h
  // Labels in pairs (labels.h): those that the caller gives to the next entry written, which takes them; and those of
  // the entry found.
  std::uint32_t given_labels;
  std::uint32_t found_labels;
  std::uint32_t labels[80];
  std::uint32_t of_found_labels[80];
};
static_assert(offsetof(Outcome, expires_at) == 12 * sizeof(std::int32_t) &&
              offsetof(Outcome, of_found_labels) - offsetof(Outcome, labels) ==
                  kMaxEntryLabels * kLabelWords * sizeof(std::int32_t));

// Where values and collected keys are copied to.
struct Scratch {
  std::byte* data;
  std::size_t capacity;
};

// Words before the bytes in a record of GetMany (index, kind and length) and of Collect (kind and length), as in
// src/engine/engine.ts.
inline constexpr std::uint32_t kValueRecordWords = 3;
inline constexpr std::uint32_t kKeyRecordWords = 2;

// The version that no entry has.
inline constexpr std::uint64_t kNoVersion = 0;

// Conditions and flags of a write, as in src/engine/engine.ts.
inline constexpr std::uint32_t kPutAlways = 0;
inline constexpr std::uint32_t kPutIfAbsent = 1;
inline constexpr std::uint32_t kPutIfPresent = 2;
inline constexpr std::uint32_t kPutIfVersion = 3;
inline constexpr std::uint32_t kPutConditionMask = 3;
inline constexpr std::uint32_t kReturnPrevious = 4;
inline constexpr std::uint32_t kRenewExpiry = 8;
inline constexpr std::uint32_t kPutQuietly = 16;
inline constexpr std::uint32_t kPutGiven = 32;
inline constexpr std::uint32_t kPutNarrow = 64;

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_OUTCOME_H_
