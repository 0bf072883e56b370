// A thread's own stock of free blocks. It lies in the thread record, so that it is never lost: verify() counts it, and
// the blocks of a dead thread can be found. It has no blocks of a cache's reserve: those are taken and given back one
// by one.
//
// Blocks freed while the heap mutex cannot be taken stay with the thread record: blocks in the lists of the cache; page
// runs and blocks of the reserve, which the cache must not have, in a list of debts. They go back a little each time
// that the thread, or the next one with the record, has the mutex again.
//
// Thread safety: owner only. Takes the heap mutex once for each batch.
#ifndef MAPSAFE_CORE_FREE_LISTS_H_
#define MAPSAFE_CORE_FREE_LISTS_H_

#include "base/outcome.h"
#include "memory/heap.h"
#include "threads/wait_budget.h"

namespace mapsafe {

class FreeLists {
 public:
  FreeLists(Region region, ThreadRecord thread, WaitBudget& budget);

  // Pages that must lie together for a block of `bytes` bytes if there is no room for it in a span.
  static std::uint32_t PagesForBlock(std::size_t bytes);

  // Gets a block for `bytes` bytes; 0 with `failure` set to kFull, kTimeout or kCorrupt. Only entries that can be
  // evicted may be anywhere.
  Block Allocate(std::size_t bytes, Place place, Status* failure);

  // `bytes` as given to Allocate. Never fails, and hardly waits.
  void Free(Block block, std::size_t bytes);

  // Gets a run of whole pages, of any length; otherwise like Allocate.
  Block AllocatePages(std::size_t pages, Place place, Status* failure);
  void FreePages(Block block);

  // Gives everything back to the heap, and spans without a used block back to the page runs, as far as the heap mutex
  // can be taken.
  void Flush();

  // Gives back what is owed or too much in a list, and what was recalled: for a thread that may make no call for long
  // in which it would.
  void GiveBackDue();

  // The three calls that follow serve to empty a span. It is closed, so that its blocks go to no thread, and stays so
  // until it is reopened or all its blocks are back and it is a free run.
  bool CloseSpan(Page page);
  void ReopenSpan();

  // Like Allocate and AllocatePages, for the copy of an entry: begins no new span, and no run in `avoided`.
  Block AllocateCopy(std::size_t bytes, PageRange avoided);

  // Frees the block of an entry that was moved. It goes to no list of this thread, but back to the heap: the next time
  // that this thread has the mutex, or with GiveOwed. So a span is emptied under few holds of the mutex.
  void FreeMoved(Block block);
  void GiveOwed();

  // Gives back all blocks of one size that this thread keeps.
  void GiveBackAll(std::uint32_t blocks);

  // Like Free, but the block goes to no list of this thread.
  void FreeAtOnce(Block block);

  // Asks all threads to give back the blocks of their lists. Each does so when it next allocates or frees.
  void RecallAll() { region_.Add(kHeaderRecall, 1); }

  // Bytes that this thread has freed since it attached.
  std::uint64_t freed_bytes() const { return freed_bytes_; }

  // Whether most pages were in use when this thread last had the heap's mutex. Then what is deleted is wanted at once.
  bool is_tight() const { return is_tight_; }

  // Whether a heap that holds only an empty map could give `bytes` bytes; in a cache, whether evictions can always make
  // room for them.
  bool CouldFit(std::size_t bytes) const;

 private:
  void HeedRecall();
  bool Refill(std::uint32_t size_class, Place place, Status* failure, Growth growth = Growth::kIfNeeded);
  Block Pop(std::uint32_t size_class, Status* failure);
  Place Allowed(Place place) const;
  void Owe(Block block);
  bool Lock();
  void Unlock();
  void Settle();
  bool GiveBack(std::uint32_t size_class, std::uint32_t count);
  std::uint32_t Give(std::uint32_t size_class, std::uint32_t count);

  Region region_;
  ThreadRecord thread_;
  WaitBudget* budget_;
  Heap heap_;
  WordIndex reserve_mutex_;
  Word recall_;  // the last one heeded
  std::uint64_t freed_bytes_ = 0;
  bool is_tight_ = false;
  bool is_emptying_ = false;  // whether the span that the record names is in use
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_FREE_LISTS_H_
