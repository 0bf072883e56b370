// The central heap: runs of pages, and spans, which are runs cut into blocks of one size class. See docs/format.md,
// "Heap".
//
// Thread safety: every member must be called with the heap mutex held. Threads go through BlockCache, which takes it.
// Invariants: a span is in its class's partial list exactly while it has a block to give; two free runs never touch.
#ifndef MAPSAFE_CORE_HEAP_H_
#define MAPSAFE_CORE_HEAP_H_

#include <bit>
#include <optional>

#include "region.h"

namespace mapsafe {

// Size classes, in blocks: 1, 2, ... 32, then eight to a doubling up to kMaxClassBlocks.
constexpr std::uint32_t ClassOf(std::uint32_t blocks) {
  if (blocks <= kExactClasses) return blocks - 1;
  const auto log = static_cast<std::uint32_t>(std::bit_width(blocks - 1)) - 1;
  return kExactClasses + (log - 5) * 8 + ((blocks - 1) >> (log - 3)) - 8;
}

constexpr std::uint32_t ClassBlocks(std::uint32_t size_class) {
  if (size_class < kExactClasses) return size_class + 1;
  const std::uint32_t step = (size_class - kExactClasses) / 8;
  return ((size_class - kExactClasses) % 8 + 9) << (step + 2);
}

constexpr std::uint32_t SpanPages(std::uint32_t size_class) {
  const std::uint32_t pages = (ClassBlocks(size_class) * kMinSpanBlocks + kPageBlocks - 1) / kPageBlocks;
  return pages < kMinSpanPages ? kMinSpanPages : pages;
}

constexpr std::uint32_t SpanCapacity(std::uint32_t size_class) {
  return SpanPages(size_class) * kPageBlocks / ClassBlocks(size_class);
}

using Page = std::uint32_t;

class Heap {
 public:
  explicit Heap(Region region);

  // A block of the class, or 0: no room. O(1), and O(free runs of one bin) when a new span is needed.
  Block Take(std::uint32_t size_class);
  void Give(std::uint32_t size_class, Block block);

  // A run of whole pages, for what exceeds the largest class.
  Block TakeRun(std::uint32_t pages);
  void GiveRun(Block block);

  // Turns spans without a used block back into free runs. O(spans with room).
  void ReleaseEmptySpans();

  std::uint32_t page_count() const { return page_count_; }
  Block BlockOf(Page page) const { return first_block_ + page * kPageBlocks; }
  Page PageOf(Block block) const { return (block - first_block_) / kPageBlocks; }
  WordIndex Descriptor(Page page) const { return table_ + WordIndex{page} * kPageEntryWords; }

 private:
  std::optional<Page> AllocateRun(std::uint32_t pages);
  void FreeRun(Page page, std::uint32_t pages);
  void InsertFreeRun(Page page, std::uint32_t pages);
  void RemoveFreeRun(Page page);
  bool GrowClass(std::uint32_t size_class);
  void ReleaseSpan(std::uint32_t size_class, Page page);

  void Link(WordIndex list, Page page);
  void Unlink(WordIndex list, Page page);
  bool IsPage(Page page) const { return page < page_count_; }

  Word Field(Page page, std::uint32_t field) const { return region_.Load(Descriptor(page) + field); }
  void SetField(Page page, std::uint32_t field, Word value) { region_.Store(Descriptor(page) + field, value); }

  Region region_;
  // Never changed after construction:
  WordIndex table_;
  std::uint32_t page_count_;
  Block first_block_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_HEAP_H_
