// Bounded waiting: spin, then yield, then sleep. No thread depends on being woken, so a waiter survives anything that
// happens to the thread it waits for. Waiters take over what a dead thread held.
#ifndef MAPSAFE_CORE_THREADS_BACKOFF_H_
#define MAPSAFE_CORE_THREADS_BACKOFF_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "threads/wait_budget.h"

namespace mapsafe {

inline void SpinPause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The obstacle that a thread waits for.
struct Obstacle {
  enum class Kind : Word {
    kMutex = kWaitsForLock,
    kBucket = kWaitsForBucket,
    kWrite = kWaitsForWrite,
    kOthers = kWaitsForOthers
  };

  Kind kind = Kind::kOthers;
  WordIndex at = 0;  // a word that changes when another thread takes or releases what is waited for

  static Obstacle Mutex(WordIndex mutex) { return {Kind::kMutex, mutex}; }
  // `version`: the bucket's first word.
  static Obstacle Bucket(WordIndex version) { return {Kind::kBucket, version}; }
  // The write that a thread announced. `record`: the first word of its record.
  static Obstacle Write(WordIndex record) { return {Kind::kWrite, record + kThreadWriteSlot}; }
  // No particular thread: threads come and go.
  static Obstacle Others() { return {}; }
};

class Backoff {
 public:
  Backoff(WaitBudget& budget, Obstacle obstacle) : budget_(&budget), obstacle_(obstacle) {}
  // The wait is over: from now on this thread is idle only for want of a processor.
  ~Backoff() {
    if (is_long_) EndLongWait();
  }

  // For a caller whose every attempt is long, such as a search for victims: sleeps from the first time on.
  static Backoff BetweenSearches(WaitBudget& budget) { return Backoff(budget, kSpins + kYields); }

  // Waits a little longer each time. Returns false once the call's budget is spent; the caller then gives up, and the
  // budget says which thread was in the way.
  bool Wait() {
    if (++rounds_ > kSpins) return WaitLonger();
    SpinPause();
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Backoff(WaitBudget& budget, std::uint32_t rounds) : budget_(&budget), rounds_(rounds) {}

  static constexpr std::uint32_t kSpins = 64;   // about 2 microseconds: a bucket is held for far less
  static constexpr std::uint32_t kYields = 16;  // lets a holder run that was preempted on this core
  static constexpr std::chrono::microseconds kFirstSleep{50};
  static constexpr std::chrono::microseconds kLongestSleep{1000};

  // Time before the kernel is asked about the holder: longer than almost every wait, so that asking costs nothing.
  // Later questions come less and less often, down to an interval by which a wait may exceed its bound.
  static constexpr std::chrono::milliseconds kFirstQuestion{5};
  static constexpr std::chrono::milliseconds kLongestPause{40};
  // Number of questions after which all threads are asked about, in case another thread than the supposed one is in the
  // way.
  static constexpr std::uint32_t kSurveyEvery = 8;

  // What a wait that does not end at once has seen. The first sleep sets it up, so that shorter waits pay nothing for
  // it.
  struct Watch {
    Clock::time_point last;                            // time of the last look
    Clock::time_point next_question;                   // time of the next question to the kernel
    std::chrono::milliseconds pause = kFirstQuestion;  // time from that question to the following one
    std::chrono::microseconds sleep = kFirstSleep;
    std::uint32_t questions = 0;
    Word seen = 0;                     // value of the obstacle's word
    WaitBudget::Duration unjudged{0};  // time in which nothing changed
    bool stalled = false;              // whether the time before that counted
    // The kernel's name of the thread asked about last, and the processor time that it used then or that was counted
    // since.
    std::uint64_t holder = 0;
    WaitBudget::Duration holder_ran{0};
  };

  bool WaitLonger();
  bool GiveUp();
  void Account(Clock::time_point now);
  WaitBudget::Duration Judge();
  std::uint32_t Holder() const;
  void NoteWait();
  void Sleep();
  void ShowSleep(Word sleeps);
  void EndLongWait();

  WaitBudget* budget_;
  Obstacle obstacle_;
  std::uint32_t rounds_ = 0;
  bool is_long_ = false;  // whether it went on after spinning, as tracers were told
  std::optional<Watch> watch_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_THREADS_BACKOFF_H_
