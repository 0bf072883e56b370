// Access to the words of a region.
//
// Thread safety: a Region is two pointers and a size, and may be copied. Every access to shared memory in this engine
// goes through it and is atomic, so that racing reads, which the protocol allows and then discards, are defined
// behaviour.
//
// Memory orders: "relaxed" is for words that a version, validated afterwards, or a mutex protects. Wherever acquire or
// release matters, the comment at the call says what it pairs with.
#ifndef MAPSAFE_CORE_REGION_H_
#define MAPSAFE_CORE_REGION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/atomic_ref.h"
#include "base/geometry.h"
#include "base/layout.h"

// Called before every store to a region. Tests of sudden death (native/test/steps.h) define it, to end a process
// between any two stores. Everywhere else it does nothing.
#ifndef MAPSAFE_BEFORE_STORE
#define MAPSAFE_BEFORE_STORE() static_cast<void>(0)
#endif

// Defined where a sanitizer is to see every access.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MAPSAFE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define MAPSAFE_SANITIZED
#endif
#endif

namespace mapsafe {

class RecordLocks;  // platform/record_locks.h

using Word = std::uint32_t;
using WordIndex = std::size_t;
using Block = std::uint32_t;  // 0 is "none": block 0 is the header

constexpr WordIndex WordOf(Block block) {
  return static_cast<WordIndex>(block) * kBlockWords;
}

class Region {
 public:
  // `locks` belong to the file that the region is in; null for the memory of one process.
  Region(void* base, std::size_t bytes, RecordLocks* locks = nullptr)
      : words_(static_cast<Word*>(base)),
        word_count_(bytes / sizeof(Word)),
        heap_(WordOf(HeapBlock(bytes))),
        heap_words_(word_count_ - heap_),
        locks_(locks) {}

  std::size_t word_count() const { return word_count_; }
  std::size_t block_count() const { return word_count_ / kBlockWords; }
  std::size_t bytes() const { return word_count_ * sizeof(Word); }
  RecordLocks* locks() const { return locks_; }

  // Whether `block` may be the first of a structure of `words` words: all references lead into the heap. Every
  // reference read from the region is checked by this before it is followed.
  bool Contains(Block block, std::size_t words) const {
    const WordIndex offset = WordOf(block) - heap_;  // huge for a block below the heap
    return offset < heap_words_ && words <= heap_words_ - offset;
  }

  Word Load(WordIndex i) const { return Ref(i).load(std::memory_order_relaxed); }
  Word LoadAcquire(WordIndex i) const { return Ref(i).load(std::memory_order_acquire); }
  void Store(WordIndex i, Word value) {
    MAPSAFE_BEFORE_STORE();
    Ref(i).store(value, std::memory_order_relaxed);
  }
  void StoreRelease(WordIndex i, Word value) {
    MAPSAFE_BEFORE_STORE();
    Ref(i).store(value, std::memory_order_release);
  }

  bool CompareAndSwap(WordIndex i, Word expected, Word desired) {
    MAPSAFE_BEFORE_STORE();
    return Ref(i).compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  // Returns the former value.
  Word Add(WordIndex i, Word delta) {
    MAPSAFE_BEFORE_STORE();
    return Ref(i).fetch_add(delta, std::memory_order_relaxed);
  }

  // Sets bits, and returns the former value.
  Word SetBits(WordIndex i, Word bits) {
    MAPSAFE_BEFORE_STORE();
    return Ref(i).fetch_or(bits, std::memory_order_seq_cst);
  }
  // For the system, which can wait at a word.
  Word* AddressOf(WordIndex i) const { return words_ + i; }

  // Two words at an even index at once; the low word is the one at `i`.
  std::uint64_t LoadPair(WordIndex i) const { return PairRef(i).load(std::memory_order_relaxed); }
  std::uint64_t LoadPairAcquire(WordIndex i) const { return PairRef(i).load(std::memory_order_acquire); }
  void StorePairRelease(WordIndex i, std::uint64_t value) {
    MAPSAFE_BEFORE_STORE();
    PairRef(i).store(value, std::memory_order_release);
  }
  bool CompareAndSwapPair(WordIndex i, std::uint64_t expected, std::uint64_t desired) {
    MAPSAFE_BEFORE_STORE();
    return PairRef(i).compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_relaxed);
  }

  void StorePair(WordIndex i, std::uint64_t value) {
    MAPSAFE_BEFORE_STORE();
    PairRef(i).store(value, std::memory_order_relaxed);
  }

  // Requests the line of word `i`, which is about to be read.
  void Prefetch(WordIndex i) const;

  // Requests the line of word `i`, which is about to be changed, for this processor alone. Loading it first and storing
  // later takes two trips to the processor that changed it last: one to share the line, one to take it away.
  void PrefetchForWrite(WordIndex i) const;

  // Copies `bytes` bytes that start at word `from`, relaxed, by word pairs where aligned, long ones by whole lines. The
  // caller validates versions.
  void CopyOut(WordIndex from, std::size_t bytes, std::byte* to) const;

  // Stores `bytes` bytes from word `to` on, relaxed, the last word padded with zeros.
  void CopyIn(WordIndex to, std::size_t bytes, const std::byte* from);

  // Copies words of one block to another block, relaxed.
  void CopyWithin(WordIndex from, WordIndex to, std::size_t words);

 private:
  AtomicRef<Word> Ref(WordIndex i) const { return AtomicRef<Word>(words_[i]); }
  AtomicRef<std::uint64_t> PairRef(WordIndex i) const {
    return AtomicRef<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(words_ + i));
  }

  Word* words_;
  std::size_t word_count_;
  WordIndex heap_;
  std::size_t heap_words_;
  RecordLocks* locks_;
};

// From so many bytes on copies go by whole lines.
inline constexpr std::size_t kLongCopy = 4 * kLineBytes;

// Copies as many whole lines as `bytes` has, and returns their bytes: 0 where there are no such moves. One side is
// shared memory. Each move of 16 bytes is two of 8 at least, of which neither is ever torn, and x86 keeps the order of
// such loads and of such stores: all that a relaxed copy by word pairs promises. In assembly, because for a compiler a
// wide access that races is undefined; and not where a sanitizer is to see every access.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(MAPSAFE_SANITIZED)
inline std::size_t CopyLines(const void* from, std::size_t bytes, void* to) {
  const std::size_t whole = bytes / kLineBytes * kLineBytes;
  auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  for (const std::byte* const end = source + whole; source != end; source += kLineBytes, target += kLineBytes) {
    asm volatile(
        "movdqu (%0), %%xmm0\n\t"
        "movdqu 16(%0), %%xmm1\n\t"
        "movdqu 32(%0), %%xmm2\n\t"
        "movdqu 48(%0), %%xmm3\n\t"
        "movdqu %%xmm0, (%1)\n\t"
        "movdqu %%xmm1, 16(%1)\n\t"
        "movdqu %%xmm2, 32(%1)\n\t"
        "movdqu %%xmm3, 48(%1)"
        :
        : "r"(source), "r"(target)
        : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
  }
  return whole;
}
#else
inline std::size_t CopyLines(const void*, std::size_t, void*) {
  return 0;
}
#endif

inline void Region::CopyOut(WordIndex from, std::size_t bytes, std::byte* to) const {
  if ((from & 1) != 0 && bytes >= sizeof(Word)) {
    const Word word = Load(from++);
    std::memcpy(to, &word, sizeof word);
    to += sizeof word;
    bytes -= sizeof word;
  }
  const auto copy_pair = [&] {
    const std::uint64_t pair = LoadPair(from);
    std::memcpy(to, &pair, sizeof pair);
    from += 2;
    to += sizeof pair;
  };
  if (bytes >= kLongCopy) {
    const std::size_t copied = CopyLines(words_ + from, bytes, to);
    from += copied / sizeof(Word);
    to += copied;
    bytes -= copied;
  }
  // Four pairs at a time: compilers do not unroll loops over atomics, and this one is a quarter of a read's
  // instructions.
  for (; bytes >= 4 * sizeof(std::uint64_t); bytes -= 4 * sizeof(std::uint64_t)) {
    copy_pair();
    copy_pair();
    copy_pair();
    copy_pair();
  }
  for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t)) copy_pair();
  for (; bytes > 0; ++from) {
    const Word word = Load(from);
    const std::size_t part = bytes < sizeof word ? bytes : sizeof word;
    std::memcpy(to, &word, part);
    to += part;
    bytes -= part;
  }
}

inline void Region::CopyIn(WordIndex to, std::size_t bytes, const std::byte* from) {
  if ((to & 1) != 0 && bytes >= sizeof(Word)) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    Store(to++, word);
    from += sizeof word;
    bytes -= sizeof word;
  }
  if (bytes >= kLongCopy) {
    const std::size_t copied = CopyLines(from, bytes, words_ + to);
    to += copied / sizeof(Word);
    from += copied;
    bytes -= copied;
  }
  for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t), to += 2, from += sizeof(std::uint64_t)) {
    std::uint64_t pair;
    std::memcpy(&pair, from, sizeof pair);
    PairRef(to).store(pair, std::memory_order_relaxed);
  }
  while (bytes > 0) {
    Word word = 0;
    const std::size_t part = bytes < sizeof word ? bytes : sizeof word;
    std::memcpy(&word, from, part);
    Store(to++, word);
    from += part;
    bytes -= part;
  }
}

inline void Region::CopyWithin(WordIndex from, WordIndex to, std::size_t words) {
  for (; words >= 2; words -= 2, from += 2, to += 2) StorePair(to, LoadPair(from));
  if (words > 0) Store(to, Load(from));
}

inline void Region::Prefetch(WordIndex i) const {
#if defined(__GNUC__)
  __builtin_prefetch(words_ + i);
#else
  static_cast<void>(i);
#endif
}

inline void Region::PrefetchForWrite(WordIndex i) const {
#if defined(__x86_64__)
  // Compilers make this of __builtin_prefetch only if told that every processor has it; processors without it do
  // nothing.
  asm volatile("prefetchw %0" : : "m"(words_[i]));
#elif defined(__GNUC__)
  __builtin_prefetch(words_ + i, 1);
#else
  static_cast<void>(i);
#endif
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_REGION_H_
