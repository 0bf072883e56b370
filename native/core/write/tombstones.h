// Getting memory back from tombstones without holding more than a bucket at a time. A cleanup holds the whole segment
// and looks at every entry in it; where memory is wanted, this does for less. See docs/internals/protocol.md,
// "Tombstones".
//
// Thread safety: any thread, while it holds nothing. Nothing here waits for another thread.
#ifndef MAPSAFE_CORE_TOMBSTONES_H_
#define MAPSAFE_CORE_TOMBSTONES_H_

#include "core.h"

namespace mapsafe {

// Empties the tombstone slots of one bucket, and frees their blocks. Does nothing if the bucket is held.
void EmptyTombstones(Core& core, const Location& location, std::uint32_t index);

// Segments that are looked at before memory is sought elsewhere: some 30 microseconds.
inline constexpr std::uint32_t kLooksAtOnce = 256;

// A round over all segments that begins where this thread's last one ended.
class Reclaiming {
 public:
  explicit Reclaiming(Core& core) : core_(core) {}

  // Frees tombstones and expired entries of the next segments, until `bytes` bytes came back or the round is over;
  // looks at `most` segments at most.
  void GoOn(std::size_t bytes, std::uint32_t most = ~0u);

  bool is_over() const { return left_ == 0; }
  // Whether a segment was passed over because others hold it or a part of it.
  bool has_passed_over() const { return has_passed_over_; }

 private:
  void Reclaim(const Location& location);

  Core& core_;
  std::uint64_t left_ = std::uint64_t{1} << 32;  // hashes that the round has not come by
  bool has_passed_over_ = false;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_TOMBSTONES_H_
