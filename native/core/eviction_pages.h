// Goes round the heap's pages, to empty some of them.
//
// Thread safety: one thread. The page table may change meanwhile: what is read from it is where to look, and nothing
// more.
#ifndef MAPSAFE_CORE_EVICTION_PAGES_H_
#define MAPSAFE_CORE_EVICTION_PAGES_H_

#include <algorithm>

#include "heap.h"

namespace mapsafe {

class PageHand {
 public:
  explicit PageHand(Region region) : region_(region), heap_(region) {}

  std::uint32_t count() const { return heap_.page_count(); }

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
      const std::uint32_t pages = occupied ? std::clamp(region_.Load(at + kPageRun), 1u, count() - page) : 1;
      passed += pages;
      page_ = (page + pages) % count();
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
  Page page_ = 0;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_EVICTION_PAGES_H_
