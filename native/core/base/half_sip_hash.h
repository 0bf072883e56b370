// HalfSipHash-1-3: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (INDOCRYPT 2012), in the 32-bit variant of
// their reference code. One compression round a word, three to finish; 64-bit key, 32-bit result.
//
// It is keyed with a secret of the region, so keys chosen by an attacker spread like random ones.
#ifndef MAPSAFE_CORE_HALF_SIP_HASH_H_
#define MAPSAFE_CORE_HALF_SIP_HASH_H_

#include <bit>
#include <cstdint>

namespace mapsafe {

struct HashSecret {
  std::uint32_t word0;
  std::uint32_t word1;
};

// The four words of state. Always inlined, so that they stay in registers: GCC otherwise does not inline the rounds,
// and the hash then takes half as long again.
class HalfSipState {
 public:
  explicit HalfSipState(HashSecret secret)
      : v0_(secret.word0), v1_(secret.word1), v2_(0x6c796765u ^ secret.word0), v3_(0x74656462u ^ secret.word1) {}

  [[gnu::always_inline]] void Absorb(std::uint32_t word) {
    v3_ ^= word;
    Round();
    v0_ ^= word;
  }

  [[gnu::always_inline]] std::uint32_t Finish() {
    v2_ ^= 0xff;
    Round();
    Round();
    Round();
    return v1_ ^ v3_;
  }

 private:
  [[gnu::always_inline]] void Round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 5) ^ v0_;
    v0_ = std::rotl(v0_, 16);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 8) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 7) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v2_;
    v2_ = std::rotl(v2_, 16);
  }

  std::uint32_t v0_;
  std::uint32_t v1_;
  std::uint32_t v2_;
  std::uint32_t v3_;
};

// Hashes a key given as words, the last padded with zeros. The final word holds byte length and kind, in place of
// SipHash's own length byte. It distinguishes "1" from 1, and keys that differ only in trailing zero bytes.
inline std::uint32_t HalfSipHash(HashSecret secret, const std::uint32_t* words, std::uint32_t length,
                                 std::uint32_t kind) {
  HalfSipState state(secret);
  const std::uint32_t count = (length + 3) / 4;
  for (std::uint32_t i = 0; i < count; ++i) state.Absorb(words[i]);
  state.Absorb(length | kind << 28);
  return state.Finish();
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_HALF_SIP_HASH_H_
