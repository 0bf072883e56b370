#include "memory/free_lists.h"

#include <algorithm>

#include "eviction/area.h"
#include "threads/mutex.h"

namespace mapsafe {

namespace {

constexpr std::size_t kMaxClassBytes = std::size_t{kMaxClassBlocks} * kBlockBytes;

// Pages that an empty map needs for itself: a span of segments and a span of small directory arrays.
constexpr std::size_t kEmptyMapPages = 16;

constexpr std::uint32_t BlocksFor(std::size_t bytes) {
  return static_cast<std::uint32_t>((bytes + kBlockBytes - 1) / kBlockBytes);
}

constexpr std::size_t PagesFor(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes;
}

// Blocks moved between cache and heap at once: enough to make the mutex cheap, few enough to strand little memory.
constexpr std::uint32_t Batch(std::uint32_t size_class) {
  constexpr std::uint32_t kBatchBytes = 8192;
  constexpr std::uint32_t kMaxBatch = 32;
  return std::clamp(kBatchBytes / (ClassBlocks(size_class) * kBlockBytes), 1u, kMaxBatch);
}

// Classes above 8 KiB: stranding even one block would cost too much.
constexpr std::uint32_t CacheLimit(std::uint32_t size_class) {
  constexpr std::uint32_t kMaxCachedBlocks = 512;
  return ClassBlocks(size_class) > kMaxCachedBlocks ? 0 : 2 * Batch(size_class);
}

// Classes whose blocks are runs of pages of their own where there is no room for a span. Their free blocks go to no
// list of a thread.
constexpr bool MayBeRun(std::uint32_t size_class) {
  return CacheLimit(size_class) == 0;
}

// The part of the pages that may be unused while tombstones are no longer left: an eighth.
constexpr std::uint32_t kTightPart = 8;

// Blocks given back under one hold of the mutex; other threads wait meanwhile, for some tens of microseconds.
constexpr std::uint32_t kMostGiven = 256;

// A freed block is the next one allocated, and its bytes are often on the lines of the processor that wrote them. Its
// first line has just been written to. Only a few more lines are prefetched: longer blocks are copied at the speed of
// memory anyway.
void PrefetchRest(const Region& region, Block block, std::size_t bytes) {
  constexpr std::size_t kMaxBytes = 256;
  for (std::size_t at = kLineBytes; at < std::min(bytes, kMaxBytes); at += kLineBytes) {
    region.PrefetchForWrite(WordOf(block) + at / sizeof(Word));
  }
}

}  // namespace

FreeLists::FreeLists(Region region, ThreadRecord thread, WaitBudget& budget)
    : region_(region),
      thread_(thread),
      budget_(&budget),
      heap_(region),
      reserve_mutex_(ReserveMutexAt(region)),
      recall_(region.Load(kHeaderRecall)) {}

std::uint32_t FreeLists::PagesForBlock(std::size_t bytes) {
  const bool is_run = bytes > kMaxClassBytes || MayBeRun(ClassOf(BlocksFor(bytes)));
  return is_run ? static_cast<std::uint32_t>(PagesFor(bytes)) : SpanPages(ClassOf(BlocksFor(bytes)));
}

Block FreeLists::Allocate(std::size_t bytes, Place place, Status* failure) {
  if (region_.Load(kHeaderRecall) != recall_) [[unlikely]]
    HeedRecall();
  if (bytes > kMaxClassBytes) return AllocatePages(PagesFor(bytes), place, failure);
  const std::uint32_t size_class = ClassOf(BlocksFor(bytes));
  if (region_.Load(thread_.CacheHead(size_class)) == 0 && !Refill(size_class, place, failure)) {
    // Where there is no run for a whole span, there may be one for a single large block.
    const bool may_be_run = *failure == Status::kFull && MayBeRun(size_class);
    return may_be_run ? AllocatePages(PagesFor(bytes), place, failure) : 0;
  }
  return Pop(size_class, failure);
}

// Takes a block from a list that has one.
Block FreeLists::Pop(std::uint32_t size_class, Status* failure) {
  const WordIndex head = thread_.CacheHead(size_class);
  const WordIndex count = thread_.CacheCount(size_class);
  const Block block = region_.Load(head);
  if (!region_.Contains(block, std::size_t{ClassBlocks(size_class)} * kBlockWords)) {
    *failure = Status::kCorrupt;
    return 0;
  }
  region_.Store(head, region_.Load(WordOf(block)));
  region_.Store(count, region_.Load(count) - 1);
  return block;
}

void FreeLists::Free(Block block, std::size_t bytes) {
  if (!region_.Contains(block, kBlockWords)) return;
  if (region_.Load(kHeaderRecall) != recall_) [[unlikely]]
    HeedRecall();
  freed_bytes_ += bytes;
  if (bytes > kMaxClassBytes) return FreePages(block);
  const std::uint32_t size_class = ClassOf(BlocksFor(bytes));
  if (heap_.IsReserved(block) || MayBeRun(size_class)) return FreeAtOnce(block);
  const WordIndex head = thread_.CacheHead(size_class);
  const WordIndex count = thread_.CacheCount(size_class);
  // Release, here and wherever a free block is linked: a reader that still looks at the block and meets the link must
  // also meet the version that was raised before the block was freed (its acquire fence is in Versions::Unchanged). The
  // head is stored after the link, so that the list is whole at every instant, in case this is the thread's last.
  region_.StoreRelease(WordOf(block), region_.Load(head));
  region_.StoreRelease(head, block);
  PrefetchRest(region_, block, bytes);
  const Word cached = region_.Load(count) + 1;
  region_.Store(count, cached);
  if (cached > CacheLimit(size_class)) GiveBack(size_class, std::max(cached / 2, 1u));
}

Block FreeLists::AllocatePages(std::size_t pages, Place place, Status* failure) {
  *failure = Status::kFull;
  if (pages > heap_.page_count()) return 0;
  if (!Lock()) {
    *failure = Status::kTimeout;
    return 0;
  }
  const Block block = heap_.TakeRun(static_cast<std::uint32_t>(pages), Allowed(place), failure);
  Unlock();
  return block;
}

void FreeLists::FreePages(Block block) {
  const WithPatience patience(*budget_, Patience::kLittle);
  if (!Lock()) return Owe(block);
  heap_.GiveRun(block);
  Unlock();
}

void FreeLists::Flush() {
  const WithPatience patience(*budget_, Patience::kLittle);
  for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    const WordIndex count = thread_.CacheCount(size_class);
    for (Word cached = region_.Load(count); cached > 0; cached = region_.Load(count)) {
      if (!GiveBack(size_class, cached)) break;
    }
  }
  if (!Lock()) return;
  heap_.ReleaseEmptySpans();
  Unlock();
}

void FreeLists::GiveBackDue() {
  if (region_.Load(kHeaderRecall) != recall_) HeedRecall();
  if ((region_.Load(thread_.owed()) | region_.Load(thread_.has_excess())) == 0) return;
  const WithPatience patience(*budget_, Patience::kLittle);
  if (Lock()) Unlock();
}

bool FreeLists::CloseSpan(Page page) {
  const WithPatience patience(*budget_, Patience::kLittle);
  if (!Lock()) return false;
  is_emptying_ = heap_.Close(page, thread_.emptying());
  const std::uint32_t size_class = region_.Load(heap_.Descriptor(page) + kPageKind) >> kPageClassShift;
  Unlock();
  // This thread's own list may have blocks of the span.
  if (is_emptying_) GiveBackAll(ClassBlocks(size_class));
  return is_emptying_;
}

void FreeLists::GiveBackAll(std::uint32_t blocks) {
  const std::uint32_t size_class = ClassOf(blocks);
  const Word cached = region_.Load(thread_.CacheCount(size_class));
  if (cached > 0) GiveBack(size_class, cached);
}

void FreeLists::ReopenSpan() {
  is_emptying_ = false;  // from now on every call that has the mutex opens it
  const WithPatience patience(*budget_, Patience::kLittle);
  if (Lock()) Unlock();
}

Block FreeLists::AllocateCopy(std::size_t bytes, PageRange avoided) {
  const WithPatience patience(*budget_, Patience::kLittle);
  Status failure;
  const std::uint32_t size_class = bytes > kMaxClassBytes ? kSizeClasses : ClassOf(BlocksFor(bytes));
  if (size_class < kSizeClasses && !MayBeRun(size_class)) {
    const bool has_block = region_.Load(thread_.CacheHead(size_class)) != 0 ||
                           Refill(size_class, Place::kOutsideReserve, &failure, Growth::kNever);
    return has_block ? Pop(size_class, &failure) : 0;
  }
  if (!Lock()) return 0;
  Block block = 0;
  if (size_class < kSizeClasses) block = heap_.Take(size_class, Place::kOutsideReserve, &failure, Growth::kNever);
  if (block == 0) {
    block = heap_.TakeRun(static_cast<std::uint32_t>(PagesFor(bytes)), Place::kOutsideReserve, &failure, avoided);
  }
  Unlock();
  return block;
}

void FreeLists::FreeMoved(Block block) {
  Owe(block);
}

void FreeLists::GiveOwed() {
  if (region_.Load(thread_.owed()) == 0) return;
  const WithPatience patience(*budget_, Patience::kLittle);
  if (Lock()) Unlock();
}

void FreeLists::FreeAtOnce(Block block) {
  const WithPatience patience(*budget_, Patience::kLittle);
  if (!Lock()) return Owe(block);
  heap_.GiveAny(block);
  Unlock();
}

// Done only while this thread holds nothing of the heap; segments and buckets may be held.
void FreeLists::HeedRecall() {
  recall_ = region_.Load(kHeaderRecall);
  Flush();
}

bool FreeLists::CouldFit(std::size_t bytes) const {
  const std::size_t reserved = heap_.page_count() - heap_.reserve_page();
  return PagesFor(bytes) <= (reserved != 0 ? reserved : heap_.page_count() - kEmptyMapPages);
}

// Keeps a block or page run until the heap mutex can be taken. The stores are like those of Free.
void FreeLists::Owe(Block block) {
  if (!region_.Contains(block, kBlockWords)) return;
  region_.StoreRelease(WordOf(block), region_.Load(thread_.owed()));
  region_.StoreRelease(thread_.owed(), block);
}

// Anywhere only while no other thread is gathering a long run of the reserve (see Evictor). Called under the heap
// mutex.
Place FreeLists::Allowed(Place place) const {
  const Word gatherer = reserve_mutex_ == 0 ? 0 : region_.Load(reserve_mutex_);
  return place != Place::kAnywhere || gatherer == 0 || gatherer == thread_.owner_mark() ? place
                                                                                        : Place::kOutsideReserve;
}

bool FreeLists::Refill(std::uint32_t size_class, Place place, Status* failure, Growth growth) {
  if (!Lock()) {
    *failure = Status::kTimeout;
    return false;
  }
  const WordIndex head = thread_.CacheHead(size_class);
  const std::uint32_t wanted = CacheLimit(size_class) == 0 ? 1 : Batch(size_class);
  std::uint32_t taken = 0;
  Block block = 0;
  for (; taken < wanted; ++taken) {
    // At most one block of the reserve, which the caller takes at once.
    if (taken > 0 && (heap_.IsReserved(block) || heap_.IsNextReserved(size_class))) break;
    const Place from = taken == 0 || place == Place::kFixed ? Allowed(place) : Place::kOutsideReserve;
    block = heap_.Take(size_class, from, failure, growth);
    if (block == 0) break;
    heap_.Write(WordOf(block), region_.Load(head));
    heap_.Write(head, block);
    heap_.Commit();
  }
  Unlock();
  region_.Store(thread_.CacheCount(size_class), taken);
  return taken > 0;
}

bool FreeLists::Lock() {
  if (!LockMutex(*budget_, kHeaderHeapMutex)) return false;
  const std::uint32_t pages = heap_.reserve_page();
  is_tight_ = region_.Load(kHeaderPagesInUse) > pages - pages / kTightPart;
  const Word emptying = is_emptying_ ? 0 : region_.Load(thread_.emptying());
  if ((region_.Load(thread_.owed()) | region_.Load(thread_.has_excess()) | emptying) != 0) [[unlikely]]
    Settle();
  return true;
}

void FreeLists::Unlock() {
  heap_.Commit();
  UnlockMutex(region_, kHeaderHeapMutex);
}

// Gives back blocks that could not be given back when they were freed, as many as one hold of the mutex may take.
void FreeLists::Settle() {
  // Left closed by this thread, or by one that died with this record.
  if (!is_emptying_ && region_.Load(thread_.emptying()) != 0) {
    heap_.Reopen(thread_.emptying());
    heap_.Commit();
  }
  std::uint32_t left = kMostGiven;
  for (Block block; left > 0 && (block = region_.Load(thread_.owed())) != 0; --left) {
    const bool sound = region_.Contains(block, kBlockWords);
    heap_.Write(thread_.owed(), sound ? region_.Load(WordOf(block)) : 0);
    // What cannot be given is the end of a damaged list that leads back into itself.
    if (!sound || !heap_.GiveAny(block)) heap_.Write(thread_.owed(), 0);
    heap_.Commit();
  }
  if (left == 0 || region_.Load(thread_.has_excess()) == 0) return;
  region_.Store(thread_.has_excess(), 0);
  for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    const Word cached = region_.Load(thread_.CacheCount(size_class));
    if (cached > CacheLimit(size_class)) left -= Give(size_class, std::min(cached - CacheLimit(size_class), left));
  }
  if (left == 0) region_.Store(thread_.has_excess(), 1);
}

// Gives back blocks of a list, which has `count` or more. Returns false, and some or all stay, if the heap mutex cannot
// be taken or the list is damaged.
bool FreeLists::GiveBack(std::uint32_t size_class, std::uint32_t count) {
  const WithPatience patience(*budget_, Patience::kLittle);
  if (!Lock()) {
    region_.Store(thread_.has_excess(), 1);
    return false;
  }
  // Locking may have settled some.
  count = std::min({count, region_.Load(thread_.CacheCount(size_class)), kMostGiven});
  const std::uint32_t given = Give(size_class, count);
  Unlock();
  return given == count;
}

// Called under the heap mutex. Returns how many were given.
std::uint32_t FreeLists::Give(std::uint32_t size_class, std::uint32_t count) {
  const WordIndex head = thread_.CacheHead(size_class);
  std::uint32_t given = 0;
  for (; given < count; ++given) {
    const Block block = region_.Load(head);
    if (!region_.Contains(block, kBlockWords)) break;
    heap_.Write(head, region_.Load(WordOf(block)));
    const bool taken = heap_.Give(size_class, block);
    heap_.Commit();
    if (!taken) break;  // otherwise a list that leads back into itself would be walked count times
  }
  const WordIndex cached = thread_.CacheCount(size_class);
  region_.Store(cached, region_.Load(cached) - given);
  return given;
}

}  // namespace mapsafe
