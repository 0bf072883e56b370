#include "text_buffer.h"

#include <cstring>

namespace mapsafe {

void TextBuffer::Resize(std::size_t units) {
  // Pack works on four units at a time, so a string's end is padded with up to three zeros.
  const std::size_t quads = units / 4 + 1;
  capacity_ = units;
  wide_ = std::vector<Word>(quads * 2);
  narrow_ = std::vector<Word>(quads);
}

bool TextBuffer::Read(napi_env env, napi_value value, Text* text) {
  if (capacity_ > kKeptUnits) Resize(kKeptUnits);
  std::size_t length = 0;
  // UTF-16 first, because the Latin-1 getter silently cuts wider units.
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

// Packs four units into each word of narrow_. False if some unit does not fit a byte; then narrow_ means nothing.
bool TextBuffer::Pack(std::size_t length) {
  std::memset(units() + length, 0, ((4 - length % 4) % 4) * sizeof(char16_t));
  const Word* wide = wide_.data();
  Word* narrow = narrow_.data();
  std::uint64_t seen = 0;
  for (std::size_t quad = 0; quad * 4 < length; ++quad) {
    std::uint64_t four;
    std::memcpy(&four, wide + quad * 2, sizeof four);
    seen |= four;
    const std::uint64_t pairs = (four | four >> 8) & 0x0000ffff0000ffffu;
    narrow[quad] = static_cast<Word>(pairs | pairs >> 16);
  }
  return (seen & 0xff00ff00ff00ff00u) == 0;
}

}  // namespace mapsafe
