#include "memory/leftovers.h"

#include "threads/thread_record.h"

namespace mapsafe {

namespace {

bool KeepsMemory(const Region& region, WordIndex record) {
  return (region.Load(record + kThreadOwed) | region.Load(record + kThreadHasExcess)) != 0;
}

bool IsFree(const Region& region, WordIndex record) {
  return region.LoadPair(record + kThreadKernelId) == 0;
}

// Each hold of the mutex gives a part.
void GiveBackAll(Region region, ThreadRecord record, WaitBudget& budget) {
  FreeLists lists(region, record, budget);
  lists.Flush();
  for (Word owed = region.Load(record.owed()); owed != 0;) {
    lists.GiveOwed();
    const Word left = region.Load(record.owed());
    if (left == owed) return;
    owed = left;
  }
}

}  // namespace

// The record is taken meanwhile, so that no thread attaches with it and uses the lists. If this thread dies, it is
// freed like the thread's own.
bool GiveBackLeftovers(const Region& region, WaitBudget& budget) {
  bool any = false;
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    const WordIndex at = ThreadRecord::At(index);
    if (!KeepsMemory(region, at) || !IsFree(region, at)) continue;
    std::optional<ThreadRecord> record = ThreadRecord::Borrow(region, index);
    if (!record) continue;
    GiveBackAll(region, *record, budget);
    any = any || !KeepsMemory(region, at);
    record->Return();
  }
  return any;
}

}  // namespace mapsafe
