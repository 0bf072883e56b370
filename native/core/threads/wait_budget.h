// How long one call waits for other threads, all its waits together. See docs/internals/protocol.md, "Waiting".
//
// Thread safety: one thread, the one whose calls it limits.
#ifndef MAPSAFE_CORE_THREADS_WAIT_BUDGET_H_
#define MAPSAFE_CORE_THREADS_WAIT_BUDGET_H_

#include <algorithm>
#include <atomic>
#include <chrono>

#include "threads/thread_record.h"

namespace mapsafe {

// How much of its budget a call spends on a wait.
enum class Patience {
  kNone,    // for one of several that serve as well
  kLittle,  // for what can be done later, by which a call should not be held up
  kAll,     // for what the call cannot do without
};

class WaitBudget {
 public:
  using Duration = std::chrono::nanoseconds;

  WaitBudget(Region region, Word own_mark) : region_(region), own_mark_(own_mark) {}

  // A call begins. If the last one did not wait, this is a load and a branch.
  void Renew() {
    if (!is_used_) [[likely]]
      return;
    spent_ = waited_ = Duration::zero();
    blocker_ = {0, 0};
    is_used_ = false;
  }

  // Whether a wait has to end. The time spent is what others took without doing anything, see Backoff.
  bool IsSpent() const {
    if (patience_ == Patience::kNone) return true;
    const Duration bound = bound_.load(std::memory_order_relaxed);
    return spent_ >= (patience_ == Patience::kAll ? bound : std::min(bound, kAfterthought)) ||
           waited_ >= kStarvation * bound;
  }

  // Notes time that was waited, and how much of it counts.
  void Wait(Duration waited) {
    waited_ += waited;
    is_used_ = true;
  }
  void Spend(Duration spent) { spent_ += spent; }

  // Who was in the way when a wait was given up; zeros if that is not known.
  Identity blocker() const { return blocker_; }
  void set_blocker(Identity blocker) {
    blocker_ = blocker;
    is_used_ = true;
  }

  Patience patience() const { return patience_; }
  Region& region() { return region_; }
  Word own_mark() const { return own_mark_; }

  // Changes the bound for all waiters of this process from now on: for tests in which many wait in vain.
  static void SetBound(std::chrono::microseconds bound) { bound_.store(bound, std::memory_order_relaxed); }

 private:
  friend class WithPatience;

  // What a call spends at most on what it could leave undone.
  static constexpr Duration kAfterthought = std::chrono::milliseconds{50};
  // However busy the machine is, a call ends after so many times the bound.
  static constexpr int kStarvation = 5;
  static inline std::atomic<Duration> bound_{std::chrono::seconds{2}};

  Region region_;
  Word own_mark_;
  Duration waited_{0};  // by this call
  Duration spent_{0};   // of that, what counts against the bound
  Patience patience_ = Patience::kAll;
  bool is_used_ = false;
  Identity blocker_{0, 0};
};

// For its lifetime, waits have the patience given.
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
