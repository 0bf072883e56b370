// How long one call waits for other threads, in all its waits together. See docs/internals/protocol.md, "Waiting".
//
// Thread safety: one thread, whose calls it limits.
#ifndef MAPSAFE_CORE_THREADS_WAIT_BUDGET_H_
#define MAPSAFE_CORE_THREADS_WAIT_BUDGET_H_

#include <algorithm>
#include <atomic>
#include <chrono>

#include "threads/thread_record.h"

namespace mapsafe {

// How much of its budget a call spends on a wait.
enum class Patience {
  kNone,    // for one of several things that serve equally well
  kLittle,  // for work that can be done later and should not delay the call
  kAll,     // for what the call cannot do without
};

class WaitBudget {
 public:
  using Duration = std::chrono::nanoseconds;

  WaitBudget(Region region, Word own_mark) : region_(region), own_mark_(own_mark) {}

  // Begins a call. Costs a load and a branch if the last call did not wait.
  void Renew() {
    if (!is_used_) [[likely]]
      return;
    spent_ = waited_ = Duration::zero();
    blocker_ = {0, 0};
    is_used_ = false;
  }

  // Whether a wait has to end. Only time that other threads took without making progress counts as spent; see Backoff.
  bool IsSpent() const {
    if (patience_ == Patience::kNone) return true;
    const Duration bound = bound_.load(std::memory_order_relaxed);
    return spent_ >= (patience_ == Patience::kAll ? bound : std::min(bound, kAfterthought)) ||
           waited_ >= kStarvation * bound;
  }

  // Whether most of the waiting of this call counted: it is held up by a thread that stands still. Other threads are
  // then, too, and what they pass on among each other while they try again is no progress.
  bool IsHeldUp() const { return spent_ >= kHeldUp && 2 * spent_ >= waited_; }

  // Notes time that the call waited, and how much of it counts.
  void Wait(Duration waited) {
    waited_ += waited;
    is_used_ = true;
  }
  void Spend(Duration spent) { spent_ += spent; }

  // The thread that was in the way when a wait was given up; zeros if that is not known.
  Identity blocker() const { return blocker_; }
  void set_blocker(Identity blocker) {
    blocker_ = blocker;
    is_used_ = true;
  }

  Patience patience() const { return patience_; }
  Region& region() { return region_; }
  Word own_mark() const { return own_mark_; }

  // Changes the bound for all waiters of this process from now on. For tests in which many waits fail.
  static void SetBound(std::chrono::microseconds bound) { bound_.store(bound, std::memory_order_relaxed); }

 private:
  friend class WithPatience;

  // The most that a call spends on work it could leave undone.
  static constexpr Duration kAfterthought = std::chrono::milliseconds{50};
  // Less than this may be a thread that waits for its memory.
  static constexpr Duration kHeldUp = std::chrono::milliseconds{100};
  // However busy the machine is, a call ends after this many times the bound.
  static constexpr int kStarvation = 5;
  static inline std::atomic<Duration> bound_{std::chrono::seconds{2}};

  Region region_;
  Word own_mark_;
  Duration waited_{0};  // by this call
  Duration spent_{0};   // the part of it that counts against the bound
  Patience patience_ = Patience::kAll;
  bool is_used_ = false;
  Identity blocker_{0, 0};
};

// Sets the patience of waits for its lifetime.
class WithPatience {
 public:
  WithPatience(WaitBudget& budget, Patience patience) : budget_(budget), before_(budget.patience_) {
    budget.patience_ = patience;
  }
  ~WithPatience() { budget_.patience_ = before_; }
  WithPatience(const WithPatience&) = delete;
  WithPatience& operator=(const WithPatience&) = delete;

 private:
  WaitBudget& budget_;
  Patience before_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_THREADS_WAIT_BUDGET_H_
