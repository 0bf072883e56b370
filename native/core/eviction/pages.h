// Goes round some of the heap's pages, to empty some of them.
//
// Thread safety: one thread. The page table may change meanwhile; what is read from it is only a hint where to look.
#ifndef MAPSAFE_CORE_EVICTION_PAGES_H_
#define MAPSAFE_CORE_EVICTION_PAGES_H_

#include <algorithm>

#include "memory/heap.h"

namespace mapsafe {

class PageHand {
 public:
  // Goes round `count` pages from `first` on. No run that begins there reaches beyond them.
  PageHand(Region region, Page first, std::uint32_t count)
      : region_(region), heap_(region), first_(first), count_(count), page_(first) {}

  std::uint32_t count() const { return count_; }

  // Calls `visit` for every block of the next span or large run, and moves on behind it. Returns the pages passed.
  template <typename Visit>
  std::uint32_t Pass(Visit visit) {
    std::uint32_t passed = 0;
    while (passed < count()) {
      const Page page = page_;
      const WordIndex at = heap_.Descriptor(page);
      const Word kind = region_.Load(at + kPageKind);
      const bool span = (kind & 0xff) == kPageSpan;
      const bool occupied = span || kind == kPageLargeRun;
      const Page end = first_ + count_;
      const std::uint32_t pages = occupied ? std::clamp(region_.Load(at + kPageRun), 1u, end - page) : 1;
      passed += pages;
      page_ = page + pages < end ? page + pages : first_;
      if (!occupied) continue;
      if (span) {
        VisitSpan(heap_.BlockOf(page), kind >> kPageClassShift, region_.Load(at + kPageCarved), visit);
      } else {
        visit(heap_.BlockOf(page));
      }
      break;
    }
    return passed;
  }

 private:
  template <typename Visit>
  static void VisitSpan(Block first, std::uint32_t size_class, std::uint32_t carved, Visit visit) {
    if (size_class >= kSizeClasses) return;
    const std::uint32_t blocks = std::min(carved, SpanCapacity(size_class));
    for (std::uint32_t index = 0; index < blocks; ++index) visit(first + index * ClassBlocks(size_class));
  }

  Region region_;
  Heap heap_;
  Page first_;
  std::uint32_t count_;
  Page page_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_PAGES_H_
