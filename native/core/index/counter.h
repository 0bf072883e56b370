// Counters: entries whose number increments change in place. See docs/internals/protocol.md, "Increments".
//
// An entry published by an increment has two cells, each a number with its entry version. A bit of the meta word says
// which is the current one. An increment writes the other cell and then turns the bit. The bit lies in one word, as a
// slot's reference does, so that readers and takeovers meet the whole old sum or the whole new one.
#ifndef MAPSAFE_CORE_COUNTER_H_
#define MAPSAFE_CORE_COUNTER_H_

#include "index/entry.h"

namespace mapsafe {

// Makes `sum` the value of a counter, with the entry version `version`. The bucket of its slot and its home are held;
// `header` is the entry's, and did not change since.
//
// The release fence pairs with the acquire fence of a reader that began when the other cell was the current one: if it
// meets one of these words, it meets the odd version (as in BuildEntry). The release pairs with ReadHeader's acquire.
inline void StoreSum(Region& region, Block block, const EntryHeader& header, double sum, std::uint64_t version) {
  const WordIndex at = WordOf(block);
  const WordIndex data = at + header.data_offset();
  const bool second = !header.in_second_cell();
  const WordIndex version_at = second ? data + kCounterSecondVersion : at + kEntryVersion;
  std::atomic_thread_fence(std::memory_order_release);
  region.CopyIn(second ? data + kCounterSecondValue : data, sizeof sum, reinterpret_cast<const std::byte*>(&sum));
  region.Store(version_at, static_cast<Word>(version));
  region.Store(version_at + 1, HighWordOf(version, second ? 0 : header.label_count));
  region.StoreRelease(at + kEntryMeta, header.meta ^ kEntrySecondCell);
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_COUNTER_H_
