#include "check/verify_entry.h"

#include <algorithm>
#include <sstream>

#include "index/entry.h"
#include "index/expiry.h"

namespace mapsafe {

namespace {

constexpr Word kNanHigh = 0x7ff80000;
constexpr Word kNegativeZeroHigh = 0x80000000;

template <typename... Parts>
std::string Text(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

// Whether the bytes of `last` behind `bytes` bytes of a text are zero.
bool IsPadded(Word last, std::uint32_t bytes) {
  const std::uint32_t used = bytes & 3;
  return used == 0 || last >> (used * 8) == 0;
}

bool IsCanonicalNumber(Word low, Word high) {
  if (low == 0 && high == kNegativeZeroHigh) return false;
  const bool is_nan = (high & 0x7ff00000) == 0x7ff00000 && ((high & 0xfffff) != 0 || low != 0);
  return !is_nan || (low == 0 && high == kNanHigh);
}

bool IsCanonicalBigint(const std::vector<Word>& key) {
  if (key[0] > 1) return false;
  return key.size() == 1 ? key[0] == 0 : key.back() != 0;
}

// Whether there is such a key, and this is how it is written: another way to write it would be another key.
bool IsKey(std::uint32_t kind, const std::vector<Word>& key, std::uint32_t length) {
  if (!IsKeyLength(kind, length)) return false;
  switch (kind) {
    case kKeyUtf16:
      return std::any_of(key.begin(), key.end(), [](Word word) { return (word & 0xff00ff00) != 0; });
    case kKeyNumber:
      return IsCanonicalNumber(key[0], key[1]);
    case kKeyBigint:
      return IsCanonicalBigint(key);
    case kKeyBoolean:
      return key[0] <= 1;
    default:
      return true;
  }
}

}  // namespace

std::vector<Word> KeyOf(const Region& region, Block entry, const EntryHeader& header) {
  std::vector<Word> key(WordsFor(header.key_length()));
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = region.Load(WordOf(entry) + kEntryData + i);
  return key;
}

std::vector<std::string> ProblemsOfEntry(const Region& region, HashSecret secret, Block entry,
                                         const EntryHeader& header, const std::vector<Word>& key) {
  std::vector<std::string> problems;
  const std::uint32_t kind = header.key_kind();
  const std::uint32_t length = header.key_length();
  if (!header.is_counter() && (header.meta & kEntrySecondCell) != 0) {
    problems.emplace_back("has the second cell of a counter, but is none");
  }
  if (header.is_counter() && header.value_kind() != kValueNumber) {
    problems.emplace_back("is a counter, but holds no number");
  }
  if (!key.empty() && !IsPadded(key.back(), length)) {
    problems.emplace_back("has a key whose last word is not padded with zeros");
  }
  if (!IsKey(kind, key, length)) {
    problems.push_back(Text("has a malformed key of kind ", kind, " and ", length, " bytes"));
  }
  if (!IsValueLength(header.value_kind(), header.value_length)) {
    problems.push_back(
        Text("has a malformed value of kind ", header.value_kind(), " and ", header.value_length, " bytes"));
  }
  if (!header.is_counter() && header.value_length != 0) {
    const WordIndex last = WordOf(entry) + header.data_offset() + WordsFor(header.value_length) - 1;
    if (!IsPadded(region.Load(last), header.value_length)) {
      problems.emplace_back("has a value whose last word is not padded with zeros");
    }
  }
  if (header.may_be_stale() && !header.expires()) problems.emplace_back("may be stale, but does not expire");
  if (header.expires()) {
    const double expires_at = ReadExpiry(region, entry, header);
    if ((region.Load(kHeaderFlags) & kFlagCache) == 0) problems.emplace_back("expires, but this is no cache");
    if (!(expires_at > 0)) problems.push_back(Text("expires at ", expires_at));
  }
  const Word hash = HalfSipHash(secret, key.data(), length, kind);
  if (header.hash != hash) problems.push_back(Text("has hash ", header.hash, ", but its key hashes to ", hash));
  return problems;
}

}  // namespace mapsafe
