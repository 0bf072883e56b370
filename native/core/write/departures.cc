#include "write/departures.h"

#include "threads/mutex.h"
#include "threads/takeover.h"

namespace mapsafe {

namespace {

// Begins a round: what is gone leaves as soon as every thread has begun an operation since. The number comes first: if
// this thread dies then, it stands for a round in which nothing leaves.
void BeginRound(Region& region) {
  region.Add(kHeaderDepartures, 1);
  region.StoreRelease(kHeaderLeavingSegments, region.Load(kHeaderGoneSegments));
  region.StoreRelease(kHeaderGoneSegments, 0);
  region.StoreRelease(kHeaderLeavingChunks, region.Load(kHeaderGoneChunks));
  region.StoreRelease(kHeaderGoneChunks, 0);
}

bool HasLeaving(const Region& region) {
  return (region.Load(kHeaderLeavingSegments) | region.Load(kHeaderLeavingChunks)) != 0;
}

bool HasGone(const Region& region) {
  return (region.Load(kHeaderGoneSegments) | region.Load(kHeaderGoneChunks)) != 0;
}

// Whether every thread has begun an operation since the round began. A record that is taken after the look was not
// taken when the round began, either: its thread finds the directory without what has gone. That needs the fence, and
// the one in ThreadRecord::Attach.
bool HaveAllHeeded(const Region& region) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const Word departures = region.Load(kHeaderDepartures);
  for (std::uint32_t index = 0; index < kRegistryThreads; ++index) {
    const WordIndex at = ThreadRecord::At(index);
    if (region.LoadPair(at + kThreadKernelId) != 0 && region.LoadAcquire(at + kThreadDepartures) != departures) {
      return false;
    }
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return true;
}

// Takes the first of a list whose links are the word `link` of its members; 0 if it is empty or damaged. What is taken
// and not given back, because this thread dies, is lost until a repair.
Block TakeFirst(Region& region, WordIndex list, std::uint32_t link, std::size_t words) {
  const Block first = region.Load(list);
  if (first == 0) return 0;
  const bool is_sound = region.Contains(first, words);
  region.StoreRelease(list, is_sound ? region.Load(WordOf(first) + link) : 0);
  return is_sound ? first : 0;
}

void GiveBackLeaving(Core& core) {
  Region& region = core.region;
  while (const Block segment = TakeFirst(region, kHeaderLeavingSegments, kSegmentNext, kSegmentWords)) {
    core.blocks.FreeAtOnce(segment);
  }
  while (const Block chunk = TakeFirst(region, kHeaderLeavingChunks, kChunkNext, kNodeBytes / sizeof(Word))) {
    core.blocks.FreePages(chunk);
  }
}

}  // namespace

void NoteGoneSegment(Region& region, Block segment) {
  region.Store(WordOf(segment) + kSegmentNext, region.Load(kHeaderGoneSegments));
  region.StoreRelease(kHeaderGoneSegments, segment);
}

void NoteGoneChunk(Region& region, Block chunk) {
  region.Store(WordOf(chunk) + kChunkNext, region.Load(kHeaderGoneChunks));
  region.StoreRelease(kHeaderGoneChunks, chunk);
}

bool GiveBackDeparted(Core& core) {
  Region& region = core.region;
  bool gave = false;
  if (!HasLeaving(region) && !HasGone(region)) return gave;
  const WithPatience patience(*core.budget, Patience::kNone);
  // A thread that takes over from the dead has perhaps no record, and looks at segments.
  const TakeoverLock no_takeover(region);
  if (!no_takeover.has_lock() || !LockMutex(*core.budget, kHeaderDirectoryMutex)) return gave;
  for (int rounds = 0; rounds < 2; ++rounds) {
    if (!HasLeaving(region)) {
      if (!HasGone(region)) break;
      BeginRound(region);
    }
    HeedDepartures(core);
    if (!HaveAllHeeded(region)) break;
    GiveBackLeaving(core);
    gave = true;
  }
  UnlockMutex(region, kHeaderDirectoryMutex);
  return gave;
}

}  // namespace mapsafe
