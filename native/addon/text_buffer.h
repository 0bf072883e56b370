// Reads JavaScript strings as the region stores them: Latin-1 if every unit is at most 0xff, else UTF-16.
//
// Thread safety: none; a TextBuffer belongs to one engine. What it returns is valid until its next Read or Shrink.
#ifndef MAPSAFE_ADDON_TEXT_BUFFER_H_
#define MAPSAFE_ADDON_TEXT_BUFFER_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/base/region.h"

namespace mapsafe {

// An encoded string: words, the last padded with zeros.
struct Text {
  const Word* words;
  std::size_t bytes;
  bool latin1;
};

class TextBuffer {
 public:
  TextBuffer() { Resize(kKeptUnits); }

  // False if `value` is no string.
  bool Read(napi_env env, napi_value value, Text* text);

  // Like Read, for a string that is known to be Latin-1, which takes a quarter of the time if it is long.
  bool ReadNarrow(napi_env env, napi_value value, Text* text);

  // Gives back the memory that a long string took. What Read returned is no longer valid.
  void Shrink() {
    if (capacity_ > kKeptUnits) Resize(kKeptUnits);
  }

 private:
  // What Shrink leaves. Enough for values of some KiB, which would otherwise be
  // read twice, and little enough for every thread to keep.
  static constexpr std::size_t kKeptUnits = 16384;

  void Resize(std::size_t units);
  char* bytes() { return reinterpret_cast<char*>(narrow_.data()); }
  char16_t* units() { return reinterpret_cast<char16_t*>(wide_.data()); }
  bool Pack(std::size_t length);

  std::size_t capacity_ = 0;  // units, with room for the terminator that Node-API writes
  std::vector<Word> wide_;    // two units a word
  std::vector<Word> narrow_;  // four units a word
};

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_TEXT_BUFFER_H_
