// HalfSipHash-1-3: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (INDOCRYPT 2012), in the 32-bit variant of
// their reference code. One compression round a word, three to finish; 64-bit key, 32-bit result.
//
// It is keyed with a secret of the region, so keys chosen by an outsider spread like random ones.
#ifndef MAPSAFE_CORE_HALF_SIP_HASH_H_
#define MAPSAFE_CORE_HALF_SIP_HASH_H_

#include <bit>
#include <cstdint>

namespace mapsafe {

struct HashSecret {
  std::uint32_t word0;
  std::uint32_t word1;
};

// Hashes a key given as words, the last padded with zeros. The final word holds byte length and kind, in place of
// SipHash's own length byte: it keeps "1" apart from 1, and keys apart that differ only in trailing zero bytes.
inline std::uint32_t HalfSipHash(HashSecret secret, const std::uint32_t* words, std::uint32_t length,
                                 std::uint32_t kind) {
  std::uint32_t v0 = secret.word0;
  std::uint32_t v1 = secret.word1;
  std::uint32_t v2 = 0x6c796765u ^ secret.word0;
  std::uint32_t v3 = 0x74656462u ^ secret.word1;
  const auto round = [&] {
    v0 += v1;
    v1 = std::rotl(v1, 5) ^ v0;
    v0 = std::rotl(v0, 16);
    v2 += v3;
    v3 = std::rotl(v3, 8) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 7) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 13) ^ v2;
    v2 = std::rotl(v2, 16);
  };
  const auto absorb = [&](std::uint32_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  };
  const std::uint32_t count = (length + 3) / 4;
  for (std::uint32_t i = 0; i < count; ++i) absorb(words[i]);
  absorb(length | kind << 28);
  v2 ^= 0xff;
  round();
  round();
  round();
  return v1 ^ v3;
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_HALF_SIP_HASH_H_
