#include "memory/survey.h"

#include <algorithm>

namespace mapsafe {

namespace {

// Runs that one survey looks at, for some 50 microseconds. Small spans fill 64 MiB with as many.
constexpr std::size_t kMostUnits = 4096;

// The cost of moving a block is that of finding its slot, and of copying its bytes: about 64 blocks of 16 bytes in the
// same time.
constexpr std::uint32_t CostOf(std::uint32_t used, std::uint32_t blocks) {
  return used * (1 + blocks / 64);
}

// Windows that cost up to twice as much as the cheapest, and this, are as good.
constexpr std::uint32_t kCheap = 16;

// The pages that lie in a window that is moved over the runs, and what they cost.
struct Window {
  std::uint32_t pages = 0;
  std::uint32_t cost = 0;
  std::uint32_t crowded = 0;  // classes whose blocks would not find room outside the window
  std::array<std::uint32_t, kSizeClasses + 1> used{};
  std::array<std::uint32_t, kSizeClasses + 1> room{};
};

}  // namespace

PageSurvey::PageSurvey(Region region)
    : region_(region), heap_(region), end_(heap_.reserve_page()), pinned_(heap_.reserve_page()) {}

PageSurvey::Unit PageSurvey::UnitAt(Page page, Page top) const {
  const WordIndex at = heap_.Descriptor(page);
  const Word kind = region_.Load(at + kPageKind);
  const std::uint32_t most = end_ - page;
  Unit unit{page, std::clamp(region_.Load(at + kPageRun), 1u, most), kSizeClasses, 0, 0, pinned_[page]};
  if (page >= top) {
    unit.pages = most;
  } else if ((kind & 0xff) == kPageSpan) {
    unit.size_class = std::min(kind >> kPageClassShift, kSizeClasses);
    const Word carved = region_.Load(at + kPageCarved);
    const Word free_count = region_.Load(at + kPageFreeCount);
    const bool sound = unit.size_class < kSizeClasses && carved <= SpanCapacity(unit.size_class) &&
                       free_count <= carved && unit.pages == SpanPages(unit.size_class);
    unit.pinned = unit.pinned || !sound || region_.Load(at + kPageClosed) != 0;
    if (!sound) return unit;
    unit.used = carved - free_count;
    unit.room = SpanCapacity(unit.size_class) - unit.used;
  } else if (kind == kPageLargeRun) {
    unit.used = 1;
  } else if (kind != kPageFreeRun) {
    unit.pages = 1;  // the table changed since the last page
    unit.pinned = true;
  }
  return unit;
}

Page PageSurvey::Look(Page from) {
  units_.clear();
  room_.fill(0);
  const Page top = std::min(region_.Load(kHeaderHeapTop), end_);
  Page page = from;
  while (page < end_ && units_.size() < kMostUnits) {
    const Unit& unit = units_.emplace_back(UnitAt(page, top));
    if (!unit.pinned) room_[unit.size_class] += unit.room;
    page += unit.pages;
  }
  return page;
}

std::optional<PageRange> PageSurvey::Find(std::uint32_t pages, Place place) const {
  std::optional<PageRange> found;
  if (place == Place::kFixed) {
    Slide(pages, [&](PageRange range, std::uint32_t) { found = range; });
    return found;
  }
  std::uint32_t least = ~0u;
  Slide(pages, [&](PageRange, std::uint32_t cost) { least = std::min(least, cost); });
  const std::uint64_t most = std::uint64_t{2} * least + kCheap;
  Slide(pages, [&](PageRange range, std::uint32_t cost) {
    if (!found && cost <= most) found = range;
  });
  return found;
}

// Moves a window over the runs, and calls `visit` wherever it is long enough and what lies in it would find room
// outside of it.
template <typename Visit>
void PageSurvey::Slide(std::uint32_t pages, Visit visit) const {
  Window window;
  const auto count = [&](const Unit& unit, bool comes) {
    const std::uint32_t c = unit.size_class;
    const bool was_crowded = window.used[c] + window.room[c] > room_[c];
    const std::uint32_t blocks = c < kSizeClasses ? ClassBlocks(c) : unit.pages * kPageBlocks;
    const std::uint32_t sign = comes ? 1u : ~0u;
    window.pages += sign * unit.pages;
    window.cost += sign * CostOf(unit.used, blocks);
    if (c == kSizeClasses) return;
    window.used[c] += sign * unit.used;
    window.room[c] += sign * unit.room;
    const bool is_crowded = window.used[c] + window.room[c] > room_[c];
    window.crowded += Word{is_crowded} - Word{was_crowded};
  };
  std::size_t first = 0;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const Unit& unit = units_[i];
    // A large run can only move into a free run, which would have served as well.
    if (unit.pinned || (unit.size_class == kSizeClasses && unit.used > 0 && unit.pages >= pages)) {
      for (; first < i; ++first) count(units_[first], false);
      first = i + 1;
      continue;
    }
    count(unit, true);
    while (window.pages - units_[first].pages >= pages) count(units_[first++], false);
    if (window.pages < pages || window.crowded > 0) continue;
    visit(PageRange{units_[first].page, unit.page + unit.pages}, window.cost);
  }
}

void PageSurvey::Pin(Page page) {
  if (page < end_) pinned_[page] = true;
}

void PageSurvey::UnpinAll() {
  pinned_.assign(pinned_.size(), false);
}

}  // namespace mapsafe
