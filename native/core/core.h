// The parts of one thread's engine. The operations are free functions over it, one idea a file.
#ifndef MAPSAFE_CORE_CORE_H_
#define MAPSAFE_CORE_CORE_H_

#include "base/half_sip_hash.h"
#include "base/outcome.h"
#include "index/bucket.h"
#include "index/directory.h"
#include "memory/free_lists.h"
#include "threads/thread_record.h"
#include "threads/waits.h"

namespace mapsafe {

class Evictor;

// The counter that a thread changed last, and where it was then.
struct RecentCounter {
  std::uint32_t hash;
  Block block;  // 0 if there is none
  std::size_t words;
  std::uint32_t slot;
};

struct Core {
  Region region;
  ThreadRecord thread;
  WaitBudget* budget;  // of the call under way
  FreeLists blocks;
  HashSecret secret;
  DirectoryView directory;
  Outcome* outcome;
  Scratch scratch;
  bool is_cache = false;  // whether the region is a ConcurrentCache's, in which entries may expire
  RecentCounter counter{};
  Word departures = 0;                     // the last heeded
  std::uint64_t cleanup_hand = 0;          // hash at which the next bounded cleanup begins
  std::uint32_t writes_without_moves = 0;  // in a cache: see MoveInCache
  std::uint32_t writes = 0;                // finished by this thread, modulo 2^32
  Block held_segment = 0;                  // of the key that HoldKey took, or 0
  WordIndex held_home = 0;
  double held_until = kNever;  // when the entry of that key expires
  Block held_entry = 0;        // that entry, if it has labels
  Evictor* evictor = nullptr;  // makes room in a cache
  Waker waker{};               // wakes threads in the memory of one process
  bool has_told = false;       // whether watchers are to be woken

  Location Locate(std::uint32_t hash) { return directory.Locate(region, hash); }
  Bucket BucketAt(const Location& location, std::uint32_t index) { return {region, location.bucket(index)}; }
  Bucket BucketAt(Block segment, std::uint32_t index) { return {region, BucketIn(segment, index)}; }
};

// Ends an operation with `status`. For kTimeout also names the thread that the call waited for in vain.
inline void Fail(Core& core, Status status) {
  const Identity owner = core.budget->blocker();
  core.outcome->status = status;
  core.outcome->owner_pid = owner.pid;
  core.outcome->owner_thread = owner.thread;
}

// Frees the block of an entry that no reader can reach any more.
inline void FreeEntry(Core& core, Block entry) {
  if (core.region.Contains(entry, kEntryData)) core.blocks.Free(entry, ReadHeader(core.region, entry).bytes());
}

// The count is kept by relaxed additions after the fact and may be off by the writes in flight, even below zero.
inline std::int32_t TombstonesOf(const Region& region, Block segment) {
  return static_cast<std::int32_t>(region.Load(WordOf(segment) + kSegmentTombstones));
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_CORE_H_
