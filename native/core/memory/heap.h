// The central heap: runs of pages, and spans, which are runs cut into blocks of one size class. See
// docs/internals/format.md, "Heap".
//
// Thread safety: every member must be called with the heap mutex held. Threads go through FreeLists, which takes it.
//
// The holder of the mutex may die between any two stores. Before a word is changed under the mutex, its old value is
// noted in the region's journal; Commit empties the journal. The thread that takes the mutex over from a dead holder
// restores what is noted.
//
// Invariants: a span is in its class's partial list exactly while it has a block to give and is not closed; one without
// a used block is there only while it is alone; two free runs never touch.
// Safety relies on none of this: page numbers, lengths and kinds are checked where they are read, every walk over a
// list ends, and in a damaged heap blocks get lost or the answer is kCorrupt.
//
// The reserve of a cache is its last pages. No span or large run lies half in it, and everything in it can be evicted:
// each allocation says whether it may use the reserve.
#ifndef MAPSAFE_CORE_HEAP_H_
#define MAPSAFE_CORE_HEAP_H_

#include <bit>
#include <optional>

#include "base/outcome.h"
#include "base/region.h"

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
inline constexpr Page kNoPage = ~Page{0};

enum class Place {
  kOutsideReserve,
  kAnywhere,
  kFixed,  // outside the reserve, for what never moves: as far up as possible, so that runs of movable pages stay long
};

// Whether memory for a block may come from a new span.
enum class Growth : bool { kNever, kIfNeeded };

// Pages from `from` up to `to`.
struct PageRange {
  Page from = 0;
  Page to = 0;
};

class Heap {
 public:
  explicit Heap(Region region);

  // Gets a block of the class; 0 with `failure` set to kFull or kCorrupt. O(1); O(free runs) when a new span is needed;
  // outside the reserve, if some of it is in use, also O(its spans with room).
  Block Take(std::uint32_t size_class, Place place, Status* failure, Growth growth = Growth::kIfNeeded);

  // Whether the next block of the class, if there is a span with room, is in the reserve.
  bool IsNextReserved(std::uint32_t size_class) const;

  // Returns false, and the block is lost, if it belongs to no span of the class or that span has all its blocks.
  bool Give(std::uint32_t size_class, Block block);

  // Gets a run of whole pages, for sizes above the largest class, from outside `avoided`; 0 like Take.
  Block TakeRun(std::uint32_t pages, Place place, Status* failure, PageRange avoided = {});
  // Returns false if no run begins at the block.
  bool GiveRun(Block block);

  // Gives back a block or a run, whichever it is.
  bool GiveAny(Block block);

  // Turns spans without a used block back into free runs. O(size classes).
  void ReleaseEmptySpans();

  // Closes a span: it gives no more blocks, and becomes a free run once all its blocks are back. The word `note` then
  // names it. Returns false if no open span begins at the page.
  bool Close(Page page, WordIndex note);
  // Opens the span that `note` names, if it is still closed.
  void Reopen(WordIndex note);
  bool IsClosed(Page page) const { return IsPage(page) && Field(page, kPageClosed) != 0; }

  // Changes a word of the region as a part of the change under way.
  void Write(WordIndex i, Word value);

  // Makes all changes since the last call final. Must be called before the mutex is released, and at least once for
  // each span that is built or released, since the journal has room for no more than about two.
  void Commit() { region_.StoreRelease(kHeaderJournalLength, 0); }

  // Undoes the changes since the last Commit, whichever thread made them.
  void RollBack();

  std::uint32_t page_count() const { return page_count_; }
  // First page of the reserve; page_count() if there is none.
  Page reserve_page() const { return reserve_page_; }
  bool IsReserved(Block block) const { return block >= BlockOf(reserve_page_); }
  Block BlockOf(Page page) const { return first_block_ + page * kPageBlocks; }
  Page PageOf(Block block) const { return (block - first_block_) / kPageBlocks; }
  WordIndex Descriptor(Page page) const { return table_ + WordIndex{page} * kPageEntryWords; }

 private:
  std::optional<Page> AllocateRun(std::uint32_t pages, Place place, Status* failure, PageRange avoided = {});
  std::optional<Page> AllocateFixedRun(std::uint32_t pages, Status* failure);
  Page CutOut(Page page, std::uint32_t length, Page first, std::uint32_t pages);
  std::optional<Page> PlaceIn(Page page, std::uint32_t length, std::uint32_t pages, Place place) const;
  void FreeRun(Page page, std::uint32_t pages);
  void InsertFreeRun(Page page, std::uint32_t pages);
  void RemoveFreeRun(Page page);
  std::optional<Page> GrowClass(std::uint32_t size_class, Place place, Status* failure);
  void ReleaseSpan(std::uint32_t size_class, Page page);
  // Turns the one span in a list into a free run if it has no used block.
  void ReleaseIdle(std::uint32_t size_class);

  void Link(WordIndex list, Page page);
  void Unlink(WordIndex list, Page page);
  bool IsPage(Page page) const { return page < page_count_; }
  bool IsSpan(Page page, std::uint32_t size_class) const {
    return IsPage(page) && Field(page, kPageKind) == (kPageSpan | size_class << kPageClassShift);
  }
  bool HasRoom(Page page, std::uint32_t size_class) const {
    return Field(page, kPageFreeCount) > 0 || Field(page, kPageCarved) < SpanCapacity(size_class);
  }
  // The span that a block lies in; kNoPage if it lies in none.
  Page SpanOf(Block block) const;
  // The length of the free run that begins at `page`; 0 if none does.
  std::uint32_t FreeRunLength(Page page) const;

  Word Field(Page page, std::uint32_t field) const { return region_.Load(Descriptor(page) + field); }
  void SetField(Page page, std::uint32_t field, Word value) { Write(Descriptor(page) + field, value); }

  Region region_;
  // Never changed after construction:
  WordIndex table_;
  std::uint32_t page_count_;
  Page reserve_page_;
  Block first_block_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_HEAP_H_
