#include "write/compaction.h"

#include <algorithm>

#include "memory/leftovers.h"
#include "memory/survey.h"
#include "threads/backoff.h"
#include "write/move.h"

namespace mapsafe {

namespace {

// Ends a search in which other threads take each page that becomes free.
constexpr int kMostWindows = 256;

// How often the blocks that other threads keep in their lists are waited for, each time somewhat longer: a few
// milliseconds in all.
constexpr int kMostRecalls = 6;

// Empties pages.
class Emptier {
 public:
  explicit Emptier(Core& core) : core_(core), heap_(core.region) {}

  // Moves everything out of a range of pages. Returns the first page that stays, if one does.
  std::optional<Page> Empty(PageRange range) {
    for (Page page = range.from; page < range.to;) {
      const Word kind = Field(page, kPageKind);
      const Word run = std::clamp(Field(page, kPageRun), 1u, range.to - page);
      const bool is_span = (kind & 0xff) == kPageSpan;
      if (is_span ? !EmptySpan(page, range) : kind == kPageLargeRun && !EmptyRun(page, range)) return page;
      // Pages of which a part was free already may be one run now.
      page += is_span || kind == kPageLargeRun || kind == kPageFreeRun ? run : 1;
    }
    return std::nullopt;
  }

  // Whether blocks stayed that no slot refers to: they may be in the list of another thread.
  bool has_met_strays() const { return has_met_strays_; }

 private:
  bool EmptyRun(Page page, PageRange range) {
    const Move moved = MoveEntry(core_, heap_.BlockOf(page), range);
    return moved == Move::kDone;
  }

  // The span is closed first, so that what is moved out of it, or freed meanwhile, does not come back into it.
  bool EmptySpan(Page page, PageRange range) {
    if (!core_.blocks.CloseSpan(page)) return false;
    const Word kind = Field(page, kPageKind);
    const std::uint32_t size_class = kind >> kPageClassShift;
    const std::uint32_t carved = std::min(Field(page, kPageCarved), SpanCapacity(size_class));
    const std::uint32_t blocks = ClassBlocks(size_class);
    if (CanEmpty(page, carved, blocks)) {
      for (std::uint32_t i = 0; i < carved; ++i) {
        const Move moved = MoveEntry(core_, heap_.BlockOf(page) + i * blocks, range);
        if (moved == Move::kNoRoom || moved == Move::kBusy) break;
      }
    }
    core_.blocks.GiveBackAll(blocks);  // copies that were not needed, which would keep other spans from other threads
    core_.blocks.GiveOwed();           // the last blocks, while it is closed
    const bool is_gone = !heap_.IsClosed(page);
    core_.blocks.ReopenSpan();
    return is_gone || Field(page, kPageKind) != kind;
  }

  // Whether every block is free or an entry. What is neither would stay, and moving the entries would be in vain.
  // Tombstones are reclaimed on the way.
  bool CanEmpty(Page page, std::uint32_t carved, std::uint32_t blocks) {
    std::uint32_t entries = 0;
    for (std::uint32_t i = 0; i < carved; ++i) {
      const Block block = heap_.BlockOf(page) + i * blocks;
      Move seen = LookAtBlock(core_, block);
      if (seen == Move::kTombstone) {
        seen = DropTombstone(core_, block);
        if (seen == Move::kTombstone) return false;
      }
      if (seen == Move::kDone) ++entries;
    }
    core_.blocks.GiveBackAll(blocks);
    const bool is_whole = entries + Field(page, kPageFreeCount) >= carved;
    has_met_strays_ = has_met_strays_ || !is_whole;
    return is_whole || !heap_.IsClosed(page);
  }

  Word Field(Page page, std::uint32_t field) const { return core_.region.Load(heap_.Descriptor(page) + field); }

  Core& core_;
  Heap heap_;
  bool has_met_strays_ = false;
};

}  // namespace

Block MakeRoomByMoving(Core& core, std::size_t bytes, Place place, Status* failure) {
  const Block found = core.blocks.Allocate(bytes, place, failure);
  if (found != 0 || *failure != Status::kFull) return found;
  if (GiveBackLeftovers(core.region, *core.budget)) {
    const Block block = core.blocks.Allocate(bytes, place, failure);
    if (block != 0 || *failure != Status::kFull) return block;
  }
  const std::uint32_t pages = FreeLists::PagesForBlock(bytes);
  PageSurvey survey(core.region);
  Emptier emptier(core);
  Backoff backoff = Backoff::BetweenSearches(*core.budget);
  int windows = 0;
  for (int recalls = 0;; ++recalls) {
    for (Page from = 0; survey.HasPagesFrom(from);) {
      const Page next = survey.Look(from);
      const std::optional<PageRange> range = survey.Find(pages, place);
      if (!range) {
        from = next;
        continue;
      }
      const std::optional<Page> stays = emptier.Empty(*range);
      const Block block = core.blocks.Allocate(bytes, place, failure);
      if (block != 0 || *failure != Status::kFull || ++windows == kMostWindows) return block;
      survey.Pin(stays.value_or(range->from));
    }
    const bool may_wait = core.budget->patience() != Patience::kNone;
    if (!emptier.has_met_strays() || !may_wait || recalls == kMostRecalls) return 0;
    if (recalls == 0) core.blocks.RecallAll();
    if (!backoff.Wait()) return 0;
    survey.UnpinAll();
  }
}

Block MakeRoomAtOnce(Core& core, std::size_t bytes, Place place, Status* failure) {
  const WithPatience patience(*core.budget, Patience::kNone);
  const Block block = MakeRoomByMoving(core, bytes, place, failure);
  if (block == 0 && *failure == Status::kTimeout) *failure = Status::kFull;
  return block;
}

}  // namespace mapsafe
