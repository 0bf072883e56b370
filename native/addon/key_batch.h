// Some keys of an array, read together, so that the memory that they lead to can be asked for at once.
//
// Thread safety: none. The keys are valid until the next Read.
#ifndef MAPSAFE_ADDON_KEY_BATCH_H_
#define MAPSAFE_ADDON_KEY_BATCH_H_

#include <node_api.h>

#include <array>
#include <span>
#include <vector>

#include "../core/base/outcome.h"
#include "../core/index/ahead.h"
#include "engine_handle.h"

namespace mapsafe {

class KeyBatch {
 public:
  // Reads elements of `array` from `from` on, to below `to` at most. False if the one after keys() is no key: refusal()
  // then says why; kDone with an exception pending.
  bool Read(napi_env env, EngineHandle& handle, napi_value array, std::uint32_t from, std::uint32_t to);

  std::span<const Key> keys() const { return {keys_.data(), count_}; }
  Status refusal() const { return refusal_; }

 private:
  // Long keys make a batch short, so that it never takes more memory than this and one key.
  static constexpr std::size_t kMostWords = 4096;
  static constexpr std::size_t kUsualWords = 8 * kAskedAtOnce;

  std::array<Key, kAskedAtOnce> keys_;
  std::size_t count_ = 0;
  std::vector<Word> words_;  // of all keys, one after the other
  Status refusal_ = Status::kDone;
};

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_KEY_BATCH_H_
