// Takeover from threads that died in the middle of an operation. See docs/internals/protocol.md, "Death".
//
// Thread safety: from any thread, attached or not, whatever locks it holds. One thread at a time does the work; the
// others return at once.
#ifndef MAPSAFE_CORE_TAKEOVER_H_
#define MAPSAFE_CORE_TAKEOVER_H_

#include "base/region.h"

namespace mapsafe {

// Finishes or undoes what dead threads left unfinished, releases all that they held, and frees their records. Leaves a
// step for the next call if a living thread may hold the same bucket. Returns false if a thread is dead but another
// thread is already taking over. Costs one system call for every attached thread, and O(segments) if one is dead.
bool TakeOverFromDead(Region region);

// The right to take over, for one thread at a time. It needs no record, because a thread that finds no free record must
// be able to take over. In a file it is a lock, which ends with its holder. In the memory of one process it is a name,
// which is taken from a dead holder or cleared by the code that runs after the holder's last step.
class TakeoverLock {
 public:
  explicit TakeoverLock(Region region);
  ~TakeoverLock();
  TakeoverLock(const TakeoverLock&) = delete;
  TakeoverLock& operator=(const TakeoverLock&) = delete;

  bool has_lock() const { return has_lock_; }

 private:
  bool TryLock();

  Region region_;
  const bool has_lock_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_TAKEOVER_H_
