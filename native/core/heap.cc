#include "heap.h"

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
      table_(WordOf(region.Load(kHeaderPageTable))),
      page_count_(region.Load(kHeaderPageCount)),
      first_block_(region.Load(kHeaderHeap)) {}

Block Heap::Take(std::uint32_t size_class) {
  Word head = region_.Load(PartialList(size_class));
  if (head == 0) {
    if (!GrowClass(size_class)) return 0;
    head = region_.Load(PartialList(size_class));
  }
  const Page page = head - 1;
  if (!IsPage(page)) return 0;
  const std::uint32_t capacity = SpanCapacity(size_class);
  const Word free_count = Field(page, kPageFreeCount);
  const Word carved = Field(page, kPageCarved);
  Block block;
  if (free_count > 0) {
    block = Field(page, kPageFreeHead);
    if (!region_.Contains(block, kBlockWords)) return 0;
    SetField(page, kPageFreeHead, region_.Load(WordOf(block)));
    SetField(page, kPageFreeCount, free_count - 1);
  } else {
    if (carved >= capacity) return 0;
    block = BlockOf(page) + carved * ClassBlocks(size_class);
    if (!region_.Contains(block, std::size_t{ClassBlocks(size_class)} * kBlockWords)) return 0;
    SetField(page, kPageCarved, carved + 1);
  }
  if (Field(page, kPageFreeCount) == 0 && Field(page, kPageCarved) == capacity) Unlink(PartialList(size_class), page);
  return block;
}

void Heap::Give(std::uint32_t size_class, Block block) {
  Page page = PageOf(block);
  if (!IsPage(page)) return;
  if ((Field(page, kPageKind) & 0xff) == kPageSpanLater) page = Field(page, kPageRun);
  if (!IsPage(page)) return;
  const Word free_count = Field(page, kPageFreeCount);
  const Word carved = Field(page, kPageCarved);
  region_.StoreRelease(WordOf(block), Field(page, kPageFreeHead));  // release: see BlockCache::Free
  SetField(page, kPageFreeHead, block);
  SetField(page, kPageFreeCount, free_count + 1);
  const WordIndex list = PartialList(size_class);
  if (free_count == 0 && carved == SpanCapacity(size_class)) Link(list, page);
  // The last span with room stays, so that a class that hovers around empty does not build spans again and again.
  const bool only_one = region_.Load(list) == page + 1 && Field(page, kPageNext) == 0;
  if (free_count + 1 == carved && !only_one) ReleaseSpan(size_class, page);
}

Block Heap::TakeRun(std::uint32_t pages) {
  const std::optional<Page> page = AllocateRun(pages);
  if (!page) return 0;
  SetField(*page, kPageKind, kPageLargeRun);
  SetField(*page, kPageRun, pages);
  return BlockOf(*page);
}

void Heap::GiveRun(Block block) {
  const Page page = PageOf(block);
  if (!IsPage(page) || Field(page, kPageKind) != kPageLargeRun) return;
  FreeRun(page, Field(page, kPageRun));
}

void Heap::ReleaseEmptySpans() {
  for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    Word link = region_.Load(PartialList(size_class));
    for (Word steps = 0; link != 0 && IsPage(link - 1) && steps < page_count_; ++steps) {
      const Page page = link - 1;
      link = Field(page, kPageNext);
      if (Field(page, kPageFreeCount) == Field(page, kPageCarved)) ReleaseSpan(size_class, page);
    }
  }
}

bool Heap::GrowClass(std::uint32_t size_class) {
  const std::uint32_t pages = SpanPages(size_class);
  const std::optional<Page> first = AllocateRun(pages);
  if (!first) return false;
  SetField(*first, kPageKind, kPageSpan | size_class << kPageClassShift);
  SetField(*first, kPageRun, pages);
  SetField(*first, kPageFreeHead, 0);
  SetField(*first, kPageFreeCount, 0);
  SetField(*first, kPageCarved, 0);
  for (Page page = *first + 1; page < *first + pages; ++page) {
    SetField(page, kPageKind, kPageSpanLater);
    SetField(page, kPageRun, *first);
  }
  Link(PartialList(size_class), *first);
  return true;
}

void Heap::ReleaseSpan(std::uint32_t size_class, Page page) {
  Unlink(PartialList(size_class), page);
  const std::uint32_t pages = Field(page, kPageRun);
  for (Page later = page + 1; later < page + pages && IsPage(later); ++later) {
    SetField(later, kPageKind, kPageInside);
    SetField(later, kPageRun, 0);
  }
  FreeRun(page, pages);
}

std::optional<Page> Heap::AllocateRun(std::uint32_t pages) {
  for (WordIndex bin = BinOf(pages); bin < kHeaderRunBins + kRunBinCount; ++bin) {
    Word link = region_.Load(bin);
    // Only in the first bin may a run be too short; the bound ends a walk over a damaged list.
    for (Word steps = 0; link != 0 && IsPage(link - 1) && steps < page_count_; ++steps) {
      const Page page = link - 1;
      const std::uint32_t length = Field(page, kPageRun);
      link = Field(page, kPageNext);
      if (length < pages || length > page_count_ - page) continue;
      RemoveFreeRun(page);
      if (length > pages) InsertFreeRun(page + pages, length - pages);
      region_.Store(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) + pages);
      return page;
    }
  }
  const Word top = region_.Load(kHeaderHeapTop);
  if (top > page_count_ || pages > page_count_ - top) return std::nullopt;
  region_.Store(kHeaderHeapTop, top + pages);
  region_.Store(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) + pages);
  return top;
}

void Heap::FreeRun(Page page, std::uint32_t pages) {
  if (pages == 0 || pages > page_count_ - page) return;
  region_.Store(kHeaderPagesInUse, region_.Load(kHeaderPagesInUse) - pages);
  SetField(page, kPageKind, kPageInside);
  const Page after = page + pages;
  if (IsPage(after) && Field(after, kPageKind) == kPageFreeRun) {
    pages += Field(after, kPageRun);
    RemoveFreeRun(after);
  }
  if (page > 0) {
    const Page last = page - 1;
    const Word kind = Field(last, kPageKind);
    const Page before = kind == kPageFreeRunEnd ? Field(last, kPageRun) : last;
    if (kind == kPageFreeRunEnd || kind == kPageFreeRun) {
      if (!IsPage(before) || before > last) return;
      RemoveFreeRun(before);
      pages += page - before;
      page = before;
    }
  }
  // A run that ends at the top becomes untouched ground again instead of a list member.
  if (page + pages == region_.Load(kHeaderHeapTop)) {
    region_.Store(kHeaderHeapTop, page);
  } else {
    InsertFreeRun(page, pages);
  }
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
  const std::uint32_t pages = Field(page, kPageRun);
  if (pages == 0 || pages > page_count_ - page) return;
  Unlink(BinOf(pages), page);
  SetField(page, kPageKind, kPageInside);
  SetField(page + pages - 1, kPageKind, kPageInside);
}

void Heap::Link(WordIndex list, Page page) {
  const Word next = region_.Load(list);
  SetField(page, kPageNext, next);
  SetField(page, kPagePrevious, 0);
  if (next != 0 && IsPage(next - 1)) SetField(next - 1, kPagePrevious, page + 1);
  region_.Store(list, page + 1);
}

void Heap::Unlink(WordIndex list, Page page) {
  const Word next = Field(page, kPageNext);
  const Word previous = Field(page, kPagePrevious);
  if (previous != 0 && IsPage(previous - 1)) {
    SetField(previous - 1, kPageNext, next);
  } else {
    region_.Store(list, next);
  }
  if (next != 0 && IsPage(next - 1)) SetField(next - 1, kPagePrevious, previous);
}

}  // namespace mapsafe
