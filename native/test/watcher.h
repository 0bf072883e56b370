// A reader of the change feed, for tests.
#ifndef MAPSAFE_TEST_WATCHER_H_
#define MAPSAFE_TEST_WATCHER_H_

#include <atomic>
#include <string>
#include <vector>

#include "feed/feed.h"
#include "testing.h"

namespace mapsafe {

// What a watcher reads; src/feed/ring.ts does the same.
struct Seen {
  std::string key;
  Word cause;
  std::uint64_t version;

  bool operator==(const Seen&) const = default;
};

class Watcher {
 public:
  explicit Watcher(const TestRegion& region) : region_(region.region()) {
    at_ = region_.LoadAcquire(kHeaderFeedHead);
    lost_ = region_.Load(kHeaderFeedLost);
  }

  // What was told since the last call; sets `missed` if that may not be all.
  std::vector<Seen> Read() {
    std::vector<Seen> all;
    const WordIndex ring = FeedRing(region_);
    const std::size_t mask = FeedBytes(region_) / sizeof(Word) - 1;
    const Word head = region_.LoadAcquire(kHeaderFeedHead);
    if (const Word lost = region_.Load(kHeaderFeedLost); lost != lost_) {
      lost_ = lost;
      missed = true;
    }
    while (at_ != head) {
      const auto load = [&](std::size_t word) { return region_.Load(ring + ((at_ * 4u + word) & mask)); };
      const Word meta = load(kChangeMeta);
      const std::uint32_t length = std::min(meta & ((1u << kKeyLengthBits) - 1), kMaxFeedKeyBytes);
      Seen seen{{}, meta >> kChangeCauseShift, load(kChangeVersion) | std::uint64_t{load(kChangeVersion + 1)} << 32};
      for (std::uint32_t i = 0; i < length; ++i) {
        seen.key += static_cast<char>(load(kChangeKey + i / 4) >> (i % 4 * 8));
      }
      std::atomic_thread_fence(std::memory_order_acquire);
      if (region_.Load(kHeaderFeedReserved) - at_ > FeedBytes(region_) / kBlockBytes) {
        missed = true;
        at_ = head;
        return {};
      }
      all.push_back(seen);
      at_ += (kChangeKey + (length + 3) / 4 + 3) / 4;
    }
    return all;
  }

  bool missed = false;

 private:
  Region region_;
  Word at_;
  Word lost_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_TEST_WATCHER_H_
