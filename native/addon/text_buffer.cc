#include "text_buffer.h"

#include <cstring>

namespace mapsafe {

void TextBuffer::Resize(std::size_t units) {
  capacity_ = units;
  wide_ = std::vector<Word>(units / 2 + 1);
  narrow_ = std::vector<Word>(units / 4 + 1);
}

bool TextBuffer::Read(napi_env env, napi_value value, Text* text) {
  Shrink();
  std::size_t length = 0;
  // UTF-16 first, because the Latin-1 getter silently cuts wider units. The terminator that comes with it pads an odd
  // length to a word.
  if (napi_get_value_string_utf16(env, value, units(), capacity_, &length) != napi_ok) return false;
  if (length + 1 == capacity_) {
    // The buffer is full, so the string may be longer than what was read.
    napi_get_value_string_utf16(env, value, nullptr, 0, &length);
    Resize(length + 1);
    napi_get_value_string_utf16(env, value, units(), capacity_, &length);
  }
  if (Pack(length)) {
    *text = {narrow_.data(), length, true};
  } else {
    *text = {wide_.data(), length * sizeof(char16_t), false};
  }
  return true;
}

bool TextBuffer::ReadNarrow(napi_env env, napi_value value, Text* text) {
  Shrink();
  std::size_t length = 0;
  if (napi_get_value_string_latin1(env, value, bytes(), capacity_, &length) != napi_ok) return false;
  if (length + 1 == capacity_) {
    napi_get_value_string_latin1(env, value, nullptr, 0, &length);
    Resize(length + 1);
    napi_get_value_string_latin1(env, value, bytes(), capacity_, &length);
  }
  std::memset(bytes() + length, 0, sizeof(Word) - length % sizeof(Word));
  *text = {narrow_.data(), length, true};
  return true;
}

// Packs the units into the bytes of narrow_, whose last word is padded with zeros. False if some unit does not fit a
// byte; then narrow_ means nothing. Written for the vectorizer: sixteen units at a time, and no way out of the loop.
bool TextBuffer::Pack(std::size_t length) {
  const char16_t* __restrict wide = units();
  auto* __restrict narrow = reinterpret_cast<unsigned char*>(narrow_.data());
  narrow_[length / 4] = 0;
  std::uint16_t seen = 0;
  for (std::size_t i = 0; i < length; ++i) {
    narrow[i] = static_cast<unsigned char>(wide[i]);
    seen = static_cast<std::uint16_t>(seen | wide[i]);
  }
  return seen <= 0xff;
}

}  // namespace mapsafe
