#include "key_reader.h"

#include <cstring>
#include <limits>

namespace mapsafe {
namespace {

Status Finish(const Word* words, std::size_t bytes, std::uint32_t kind, Key* key) {
  if (bytes > kMaxKeyBytes) return Status::kEntryTooLarge;
  *key = {words, static_cast<std::uint32_t>(bytes), kind, 0};
  return Status::kFound;
}

}  // namespace

Status KeyReader::Read(napi_env env, napi_value value, Key* key) {
  // Strings are by far the most frequent keys: asking for one is cheaper than asking for the type first.
  if (Text text; text_.Read(env, value, &text)) {
    return Finish(text.words, text.bytes, text.latin1 ? kKeyLatin1 : kKeyUtf16, key);
  }
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return Status::kKeyType;
  switch (type) {
    case napi_number:
      return ReadNumber(env, value, key);
    case napi_bigint:
      return ReadBigint(env, value, key);
    case napi_boolean:
      return ReadBoolean(env, value, key);
    case napi_object:
      return ReadBytes(env, value, key);
    default:
      return Status::kKeyType;
  }
}

Status KeyReader::ReadNumber(napi_env env, napi_value value, Key* key) {
  double number = 0;
  napi_get_value_double(env, value, &number);
  if (number == 0) number = 0;  // -0 is the key 0
  if (number != number)
    number = std::numeric_limits<double>::quiet_NaN();  // every NaN is one key, whatever its payload
  words_.resize(2);
  std::memcpy(words_.data(), &number, sizeof number);
  return Finish(words_.data(), sizeof number, kKeyNumber, key);
}

Status KeyReader::ReadBigint(napi_env env, napi_value value, Key* key) {
  std::size_t count = 0;  // of 64-bit words
  int sign = 0;
  napi_get_value_bigint_words(env, value, nullptr, &count, nullptr);
  if (count * sizeof(std::uint64_t) > kMaxKeyBytes) return Status::kEntryTooLarge;
  std::vector<std::uint64_t> magnitude(count);
  napi_get_value_bigint_words(env, value, &sign, &count, magnitude.data());
  words_.resize(1 + count * 2);
  words_[0] = static_cast<Word>(sign);
  if (count > 0) std::memcpy(words_.data() + 1, magnitude.data(), count * sizeof(std::uint64_t));
  while (words_.size() > 1 && words_.back() == 0) words_.pop_back();
  return Finish(words_.data(), words_.size() * sizeof(Word), kKeyBigint, key);
}

Status KeyReader::ReadBoolean(napi_env env, napi_value value, Key* key) {
  bool truth = false;
  napi_get_value_bool(env, value, &truth);
  words_.assign(1, truth ? 1 : 0);
  return Finish(words_.data(), 1, kKeyBoolean, key);
}

Status KeyReader::ReadBytes(napi_env env, napi_value value, Key* key) {
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  // Fails on every value that is not a typed array.
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return Status::kKeyType;
  if (type != napi_uint8_array) return Status::kKeyType;
  if (length > kMaxKeyBytes) return Status::kEntryTooLarge;
  words_.assign(WordsFor(static_cast<std::uint32_t>(length)), 0);
  // A copy, because another thread may be writing to the array.
  if (length > 0) std::memcpy(words_.data(), data, length);
  return Finish(words_.data(), length, kKeyBytes, key);
}

}  // namespace mapsafe
