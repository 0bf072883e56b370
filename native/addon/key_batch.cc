#include "key_batch.h"

#include "check.h"

namespace mapsafe {

bool KeyBatch::Read(napi_env env, EngineHandle& handle, napi_value array, std::uint32_t from, std::uint32_t to) {
  count_ = 0;
  words_.clear();
  words_.reserve(kUsualWords);
  bool is_whole = true;
  for (; from + count_ < to && count_ < kAskedAtOnce && words_.size() < kMostWords; ++count_) {
    napi_value element;
    Key& key = keys_[count_];
    if (!Check(env, napi_get_element(env, array, static_cast<std::uint32_t>(from + count_), &element))) {
      is_whole = false;
      break;
    }
    if (!handle.ReadKey(env, element, &key)) {
      refusal_ = handle.outcome().status;
      is_whole = false;
      break;
    }
    words_.insert(words_.end(), key.words, key.words + WordsFor(key.length));
  }
  // The words have moved as they became more.
  const Word* words = words_.data();
  for (Key& key : std::span(keys_.data(), count_)) {
    key.words = words;
    words += WordsFor(key.length);
  }
  return is_whole;
}

}  // namespace mapsafe
