// Which pages of the heap are cheapest to empty by moving what lies in them. See docs/internals/protocol.md,
// "Compaction".
//
// Thread safety: one thread. The page table may change meanwhile: a survey is a hint where to look.
#ifndef MAPSAFE_CORE_MEMORY_SURVEY_H_
#define MAPSAFE_CORE_MEMORY_SURVEY_H_

#include <array>
#include <optional>
#include <vector>

#include "memory/heap.h"

namespace mapsafe {

class PageSurvey {
 public:
  explicit PageSurvey(Region region);

  // Looks at the runs from page `from` on, a bounded number. Returns the page behind them.
  Page Look(Page from);

  // Whether there are pages behind `page`.
  bool HasPagesFrom(Page page) const { return page < end_; }

  // Neighbouring pages, `pages` or more, that cost little to empty, of those looked at. All entries in them would find
  // room in other spans. The first ones are taken, so that no few pages are left between one time and the next; for
  // what never moves, the last. Nothing if there are none.
  std::optional<PageRange> Find(std::uint32_t pages, Place place) const;

  // From now on, no pages are found that include this one.
  void Pin(Page page);
  void UnpinAll();

 private:
  // A run, as far as it matters: what emptying it costs.
  struct Unit {
    Page page;
    std::uint32_t pages;
    std::uint32_t size_class;  // of a span; else kSizeClasses
    std::uint32_t used;        // blocks of a span; 1 for a large run, 0 for a free run
    std::uint32_t room;        // blocks that a span could still give
    bool pinned;
  };

  template <typename Visit>
  void Slide(std::uint32_t pages, Visit visit) const;
  Unit UnitAt(Page page, Page top) const;

  Region region_;
  Heap heap_;
  Page end_;
  std::vector<Unit> units_;
  std::array<std::uint32_t, kSizeClasses + 1> room_{};  // of all units, by class
  std::vector<bool> pinned_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MEMORY_SURVEY_H_
