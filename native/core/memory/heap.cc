#include "memory/heap.h"

#include <algorithm>

namespace mapsafe {

namespace {

WordIndex BinOf(std::uint32_t pages) {
  const auto bin = static_cast<std::uint32_t>(std::bit_width(pages)) - 1;
  return kHeaderRunBins + (bin < kRunBinCount ? bin : kRunBinCount - 1);
}

constexpr WordIndex PartialList(std::uint32_t size_class) {
  return kHeaderPartialSpans + size_class;
}

}  // namespace

Heap::Heap(Region region)
    : region_(region),
      table_(WordOf(kPageTableBlock)),
      page_count_(HeapPages(region.bytes())),
      reserve_page_(page_count_ - ((region.Load(kHeaderFlags) & kFlagCache) != 0 ? ReservePages(page_count_) : 0)),
      first_block_(HeapBlock(region.bytes())) {}

// All stores are releases. Those of the journal come before the change, in the order in which a sudden end would find
// them; links of free blocks come after the version that was raised before (see FreeLists::Free).
void Heap::Write(WordIndex i, Word value) {
  const Word length = region_.Load(kHeaderJournalLength);
  if (length < kJournalCapacity) {
    region_.Store(kHeaderJournal + 2 * std::size_t{length}, static_cast<Word>(i));
    region_.Store(kHeaderJournal + 2 * std::size_t{length} + 1, region_.Load(i));
    region_.StoreRelease(kHeaderJournalLength, length + 1);
  }
  region_.StoreRelease(i, value);
}

void Heap::RollBack() {
  Word length = region_.Load(kHeaderJournalLength);
  if (length > kJournalCapacity) return Commit();
  while (length > 0) {
    --length;
    const WordIndex i = region_.Load(kHeaderJournal + 2 * std::size_t{length});
    if (i < region_.word_count()) region_.Store(i, region_.Load(kHeaderJournal + 2 * std::size_t{length} + 1));
    region_.StoreRelease(kHeaderJournalLength, length);
  }
}

Block Heap::Take(std::uint32_t size_class, Place place, Status* failure, Growth growth) {
  const WordIndex list = PartialList(size_class);
  *failure = Status::kCorrupt;
  Word link = region_.Load(list);
  if (place != Place::kAnywhere) {
    for (Word steps = 0; link > reserve_page_ && IsSpan(link - 1, size_class); ++steps) {
      if (steps == page_count_) return 0;
      link = Field(link - 1, kPageNext);
    }
  }
  if (link == 0 && growth == Growth::kNever) {
    *failure = Status::kFull;
    return 0;
  }
  const std::optional<Page> found = link == 0 ? GrowClass(size_class, place, failure) : link - 1;
  if (!found) return 0;
  *failure = Status::kCorrupt;
  const Page page = *found;
  if (!IsSpan(page, size_class)) return 0;
  const std::uint32_t capacity = SpanCapacity(size_class);
  Word free_count = Field(page, kPageFreeCount);
  Word carved = Field(page, kPageCarved);
  Block block;
  if (free_count > 0) {
    block = Field(page, kPageFreeHead);
    if (SpanOf(block) != page) return 0;
    SetField(page, kPageFreeHead, region_.Load(WordOf(block)));
    SetField(page, kPageFreeCount, --free_count);
  } else {
    block = BlockOf(page) + carved * ClassBlocks(size_class);
    if (carved >= capacity || !region_.Contains(block, std::size_t{ClassBlocks(size_class)} * kBlockWords)) return 0;
    SetField(page, kPageCarved, ++carved);
  }
  if (free_count == 0 && carved == capacity) Unlink(list, page);
  return block;
}

bool Heap::IsNextReserved(std::uint32_t size_class) const {
  return region_.Load(PartialList(size_class)) > reserve_page_;
}

bool Heap::Give(std::uint32_t size_class, Block block) {
  const Page page = SpanOf(block);
  if (!IsSpan(page, size_class)) return false;
  const Word free_count = Field(page, kPageFreeCount);
  const Word carved = Field(page, kPageCarved);
  if (free_count >= carved) return false;
  Write(WordOf(block), Field(page, kPageFreeHead));
  SetField(page, kPageFreeHead, block);
  SetField(page, kPageFreeCount, free_count + 1);
  const WordIndex list = PartialList(size_class);
  if (Field(page, kPageClosed) != 0) {
    if (free_count + 1 == carved) ReleaseSpan(size_class, page);
    return true;
  }
  if (free_count == 0 && carved == SpanCapacity(size_class)) {
    ReleaseIdle(size_class);
    Link(list, page);
  }
  // The last span with room stays, so that a class that hovers around empty does not build spans again and again. It
  // does not stay in the reserve, where it would be in the way of a long run.
  const bool only_one = region_.Load(list) == page + 1 && Field(page, kPageNext) == 0;
  if (free_count + 1 == carved && (!only_one || page >= reserve_page_)) ReleaseSpan(size_class, page);
  return true;
}

Block Heap::TakeRun(std::uint32_t pages, Place place, Status* failure, PageRange avoided) {
  const std::optional<Page> page = AllocateRun(pages, place, failure, avoided);
  if (!page) return 0;
  SetField(*page, kPageKind, kPageLargeRun);
  SetField(*page, kPageRun, pages);
  return BlockOf(*page);
}

bool Heap::GiveRun(Block block) {
  const Page page = PageOf(block);
  if (!IsPage(page) || Field(page, kPageKind) != kPageLargeRun) return false;
  FreeRun(page, Field(page, kPageRun));
  return true;
}

bool Heap::GiveAny(Block block) {
  const Page page = SpanOf(block);
  if (!IsPage(page)) return GiveRun(block);
  const std::uint32_t size_class = Field(page, kPageKind) >> kPageClassShift;
  return size_class < kSizeClasses && Give(size_class, block);
}

void Heap::ReleaseEmptySpans() {
  for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    ReleaseIdle(size_class);
    Commit();
  }
}

void Heap::ReleaseIdle(std::uint32_t size_class) {
  const Page page = region_.Load(PartialList(size_class)) - 1;
  if (!IsPage(page) || !IsSpan(page, size_class) || Field(page, kPageNext) != 0) return;
  if (Field(page, kPageFreeCount) == Field(page, kPageCarved)) ReleaseSpan(size_class, page);
}

bool Heap::Close(Page page, WordIndex note) {
  const Word size_class = IsPage(page) ? Field(page, kPageKind) >> kPageClassShift : kSizeClasses;
  if (size_class >= kSizeClasses || !IsSpan(page, size_class) || Field(page, kPageClosed) != 0) return false;
  if (HasRoom(page, size_class)) Unlink(PartialList(size_class), page);
  SetField(page, kPageClosed, 1);
  Write(note, page + 1);
  return true;
}

void Heap::Reopen(WordIndex note) {
  const Page page = region_.Load(note) - 1;
  Write(note, 0);
  const Word size_class = IsPage(page) ? Field(page, kPageKind) >> kPageClassShift : kSizeClasses;
  if (size_class >= kSizeClasses || !IsSpan(page, size_class) || Field(page, kPageClosed) == 0) return;
  // Without a used block it is a free run; closed, it is in no list from which it would have to be taken.
  if (Field(page, kPageFreeCount) == Field(page, kPageCarved)) return ReleaseSpan(size_class, page);
  SetField(page, kPageClosed, 0);
  if (!HasRoom(page, size_class)) return;
  ReleaseIdle(size_class);
  Link(PartialList(size_class), page);
}

Page Heap::SpanOf(Block block) const {
  const Page page = PageOf(block);
  if (!IsPage(page)) return kNoPage;
  const Word kind = Field(page, kPageKind) & 0xff;
  if (kind == kPageSpan) return page;
  return kind == kPageSpanLater ? Field(page, kPageRun) : kNoPage;
}

std::optional<Page> Heap::GrowClass(std::uint32_t size_class, Place place, Status* failure) {
  const std::uint32_t pages = SpanPages(size_class);
  const std::optional<Page> first = AllocateRun(pages, place, failure);
  if (!first) return std::nullopt;
  SetField(*first, kPageKind, kPageSpan | size_class << kPageClassShift);
  SetField(*first, kPageRun, pages);
  SetField(*first, kPageFreeHead, 0);
  SetField(*first, kPageFreeCount, 0);
  SetField(*first, kPageCarved, 0);
  SetField(*first, kPageClosed, 0);
  for (Page page = *first + 1; page < *first + pages; ++page) {
    SetField(page, kPageKind, kPageSpanLater);
    SetField(page, kPageRun, *first);
  }
  Link(PartialList(size_class), *first);
  return first;
}

void Heap::ReleaseSpan(std::uint32_t size_class, Page page) {
  if (Field(page, kPageClosed) != 0) {
    SetField(page, kPageClosed, 0);
  } else {
    Unlink(PartialList(size_class), page);
  }
  const std::uint32_t pages = SpanPages(size_class);
  for (Page later = page + 1; later < page + pages && IsPage(later); ++later) {
    SetField(later, kPageKind, kPageInside);
    SetField(later, kPageRun, 0);
  }
  FreeRun(page, pages);
}

std::optional<Page> Heap::AllocateRun(std::uint32_t pages, Place place, Status* failure, PageRange avoided) {
  if (place == Place::kFixed) return AllocateFixedRun(pages, failure);
  *failure = Status::kCorrupt;
  for (WordIndex bin = BinOf(pages); bin < kHeaderRunBins + kRunBinCount; ++bin) {
    Word link = region_.Load(bin);
    // Only in the first bin may a run be too short, and elsewhere it may be the reserve's. The bound ends a walk over a
    // damaged list.
    for (Word steps = 0; link != 0; ++steps) {
      const Page page = link - 1;
      const std::uint32_t length = FreeRunLength(page);
      if (length == 0 || steps == page_count_) return std::nullopt;
      link = Field(page, kPageNext);
      if (page < avoided.to && page + length > avoided.from) continue;
      const std::optional<Page> first = PlaceIn(page, length, pages, place);
      if (!first) continue;
      return CutOut(page, length, *first, pages);
    }
  }
  const Word top = region_.Load(kHeaderHeapTop);
  if (top > page_count_) return std::nullopt;
  *failure = Status::kFull;
  if (avoided.to > top) return std::nullopt;
  const std::optional<Page> first = PlaceIn(top, page_count_ - top, pages, place);
  if (!first) return std::nullopt;
  if (*first > top) InsertFreeRun(top, *first - top);
  Write(kHeaderHeapTop, *first + pages);
  Write(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) + pages);
  return first;
}

// As AllocateRun, but the last of all runs that serve. O(free runs).
std::optional<Page> Heap::AllocateFixedRun(std::uint32_t pages, Status* failure) {
  const Word top = region_.Load(kHeaderHeapTop);
  *failure = Status::kCorrupt;
  if (top > page_count_) return std::nullopt;
  if (top + std::uint64_t{pages} <= reserve_page_) {
    const Page first = reserve_page_ - pages;
    if (first > top) InsertFreeRun(top, first - top);
    Write(kHeaderHeapTop, reserve_page_);
    Write(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) + pages);
    return first;
  }
  Page last = kNoPage;
  for (WordIndex bin = BinOf(pages); bin < kHeaderRunBins + kRunBinCount; ++bin) {
    Word link = region_.Load(bin);
    for (Word steps = 0; link != 0; ++steps) {
      const Page page = link - 1;
      const std::uint32_t length = FreeRunLength(page);
      if (length == 0 || steps == page_count_) return std::nullopt;
      link = Field(page, kPageNext);
      if (length >= pages && page + pages <= reserve_page_ && (last == kNoPage || page > last)) last = page;
    }
  }
  *failure = Status::kFull;
  if (last == kNoPage) return std::nullopt;
  const std::uint32_t length = FreeRunLength(last);
  return CutOut(last, length, std::min(last + length, reserve_page_) - pages, pages);
}

// Takes `pages` pages from `first` on out of the free run at `page`.
Page Heap::CutOut(Page page, std::uint32_t length, Page first, std::uint32_t pages) {
  RemoveFreeRun(page);
  if (first > page) InsertFreeRun(page, first - page);
  const Page end = first + pages;
  if (page + length > end) InsertFreeRun(end, page + length - end);
  Write(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) + pages);
  return first;
}

// Where `pages` pages begin that are cut out of `length` free ones from `page` on. None lie half in the reserve.
std::optional<Page> Heap::PlaceIn(Page page, std::uint32_t length, std::uint32_t pages, Place place) const {
  if (std::uint64_t{page} + pages <= reserve_page_) return pages <= length ? std::optional(page) : std::nullopt;
  const Page first = std::max(page, reserve_page_);
  const bool fits = std::uint64_t{first} + pages <= std::uint64_t{page} + length;
  return place == Place::kAnywhere && fits ? std::optional(first) : std::nullopt;
}

void Heap::FreeRun(Page page, std::uint32_t pages) {
  if (pages == 0 || pages > page_count_ - page) return;  // lost
  Write(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) - pages);
  SetField(page, kPageKind, kPageInside);
  if (const std::uint32_t after = FreeRunLength(page + pages); after > 0) {
    RemoveFreeRun(page + pages);
    pages += after;
  }
  if (page > 0) {
    const Page last = page - 1;
    const Page before = Field(last, kPageKind) == kPageFreeRunEnd ? Field(last, kPageRun) : last;
    if (before <= last && FreeRunLength(before) == page - before) {
      RemoveFreeRun(before);
      pages += page - before;
      page = before;
    }
  }
  // A run that ends at the top becomes untouched ground again instead of a list member.
  if (page + pages == region_.Load(kHeaderHeapTop)) {
    Write(kHeaderHeapTop, page);
  } else {
    InsertFreeRun(page, pages);
  }
}

std::uint32_t Heap::FreeRunLength(Page page) const {
  if (!IsPage(page) || Field(page, kPageKind) != kPageFreeRun) return 0;
  const std::uint32_t pages = Field(page, kPageRun);
  return pages <= page_count_ - page ? pages : 0;
}

void Heap::InsertFreeRun(Page page, std::uint32_t pages) {
  SetField(page, kPageKind, kPageFreeRun);
  SetField(page, kPageRun, pages);
  if (pages > 1) {
    SetField(page + pages - 1, kPageKind, kPageFreeRunEnd);
    SetField(page + pages - 1, kPageRun, page);
  }
  Link(BinOf(pages), page);
}

void Heap::RemoveFreeRun(Page page) {
  const std::uint32_t pages = FreeRunLength(page);
  if (pages == 0) return;
  Unlink(BinOf(pages), page);
  SetField(page, kPageKind, kPageInside);
  SetField(page + pages - 1, kPageKind, kPageInside);
}

void Heap::Link(WordIndex list, Page page) {
  const Word next = region_.Load(list);
  SetField(page, kPageNext, next);
  SetField(page, kPagePrevious, 0);
  if (next != 0 && IsPage(next - 1)) SetField(next - 1, kPagePrevious, page + 1);
  Write(list, page + 1);
}

void Heap::Unlink(WordIndex list, Page page) {
  const Word next = Field(page, kPageNext);
  const Word previous = Field(page, kPagePrevious);
  if (previous != 0 && IsPage(previous - 1)) {
    SetField(previous - 1, kPageNext, next);
  } else {
    Write(list, next);
  }
  if (next != 0 && IsPage(next - 1)) SetField(next - 1, kPagePrevious, previous);
}

}  // namespace mapsafe
