#include "threads/backoff.h"

#include <algorithm>
#include <bit>
#include <thread>

#include "base/monotonic.h"
#include "base/probes.h"
#include "threads/liveness.h"
#include "threads/takeover.h"

namespace mapsafe {

bool Backoff::WaitLonger() {
  if (!is_long_) {
    is_long_ = true;
    probes::WaitBegin(budget_->region(), static_cast<std::uint32_t>(obstacle_.kind), obstacle_.at);
  }
  if (budget_->IsSpent()) return GiveUp();
  if (rounds_ <= kSpins + kYields) {
    std::this_thread::yield();
    return true;
  }
  const auto now = Clock::now();
  if (watch_) {
    Account(now);
    if (budget_->IsSpent()) return GiveUp();
  } else {
    watch_ = Watch{};  // Clang 14 takes a Watch for none that can be made in place
    watch_->next_question = now + kFirstQuestion;
    watch_->seen = budget_->region().Load(obstacle_.at);
    NoteWait();
  }
  watch_->last = now;
  Sleep();
  return true;
}

// Shows threads that wait for this one that it is idle because it waits, and not because it has no processor. It stays
// so until the wait ends: looked at in the instant between two sleeps, it waits all the same.
void Backoff::Sleep() {
  ShowSleep(watch_->stalled ? kSleepsForStalled : kSleepsForMoving);
  std::this_thread::sleep_for(watch_->sleep);
  watch_->sleep = std::min(watch_->sleep * 2, kLongestSleep);
}

// Counts the wait, and leaves for those who look at the region what it is for. Valid while the thread shows that it
// sleeps.
void Backoff::NoteWait() {
  Region& region = budget_->region();
  const WordIndex own = ThreadRecord::At(ThreadRecord::IndexOf(budget_->own_mark()));
  region.StorePair(own + kThreadLockWaits, region.LoadPair(own + kThreadLockWaits) + 1);
  region.StorePair(own + kThreadWaitSince, std::bit_cast<std::uint64_t>(MonotonicMilliseconds()));
  region.Store(own + kThreadWaitAt, static_cast<Word>(obstacle_.at));
  region.Store(own + kThreadWaitFor, static_cast<Word>(obstacle_.kind));
}

void Backoff::EndLongWait() {
  if (watch_) ShowSleep(0);
  probes::WaitEnd(budget_->region(), static_cast<std::uint32_t>(obstacle_.kind), obstacle_.at);
}

void Backoff::ShowSleep(Word sleeps) {
  const std::uint32_t own = ThreadRecord::IndexOf(budget_->own_mark());
  // Release: who sees that the thread sleeps sees what for.
  budget_->region().StoreRelease(ThreadRecord::At(own) + kThreadSleeps, sleeps);
}

bool Backoff::GiveUp() {
  // Work that could be left undone fails no call; and looking through all claims for each of many victims would take
  // too long.
  if (budget_->patience() == Patience::kLittle) return false;
  if (budget_->patience() == Patience::kNone && obstacle_.kind != Obstacle::Kind::kMutex) return false;
  const std::uint32_t holder = Holder();
  if (holder != ThreadRecord::kNobody) budget_->set_blocker(ThreadRecord::IdentityOf(budget_->region(), holder));
  return false;
}

// Adds the time since the last look. That time does not count if another thread has since taken what is waited for, or
// the same thread has taken it anew, unless the call is held up all the same.
void Backoff::Account(Clock::time_point now) {
  Watch& watch = *watch_;
  budget_->Wait(now - watch.last);
  const Word word = budget_->region().Load(obstacle_.at);
  if (obstacle_.kind != Obstacle::Kind::kOthers && word != watch.seen) {
    watch.seen = word;
    if (budget_->IsHeldUp()) budget_->Spend(watch.unjudged + (now - watch.last));
    watch.unjudged = {};
    watch.next_question = now + watch.pause;
    return;
  }
  watch.unjudged += now - watch.last;
  if (now < watch.next_question) return;
  budget_->Spend(Judge());
  watch.unjudged = {};
  watch.next_question = now + watch.pause;
}

// How much of the time not judged yet counts.
//
// All of it counts if the holder is stopped or sleeps, if the holder is this thread itself, or if nothing can be known
// of the holder. If the holder waits for a processor, only the time that it ran counts: other threads have the
// processors. If the holder sleeps because it waits as well, all or nothing counts, as for that wait: so threads that
// wait for a waiter behind a stopped thread give up together with it.
WaitBudget::Duration Backoff::Judge() {
  Region& region = budget_->region();
  Watch& watch = *watch_;
  const std::uint32_t index = Holder();
  const WordIndex record = ThreadRecord::At(index);
  const KernelId holder = index == ThreadRecord::kNobody ? 0 : region.LoadPair(record + kThreadKernelId);
  const Activity activity = holder == 0 ? Activity{} : ActivityOf(region, index);
  if (!activity.known || ++watch.questions % kSurveyEvery == 0) TakeOverFromDead(region);
  // What a dead thread left may take more than one takeover.
  const bool is_dead = holder != 0 && !activity.known;
  watch.pause = is_dead ? kFirstQuestion : std::min(watch.pause * 2, kLongestPause);
  if (holder != watch.holder) {
    watch.holder = holder;
    watch.holder_ran = activity.ran;
  }
  const WordIndex own = ThreadRecord::At(ThreadRecord::IndexOf(budget_->own_mark()));
  const bool is_self = holder == region.LoadPair(own + kThreadKernelId);
  const Word sleeps = activity.known && !is_self ? region.Load(record + kThreadSleeps) : 0;
  WaitBudget::Duration counts = watch.unjudged;
  if (activity.known && !activity.stopped && sleeps != 0) {
    if (sleeps == kSleepsForMoving && !budget_->IsHeldUp()) counts = {};
  } else if (activity.runnable && !is_self) {
    counts = std::min<WaitBudget::Duration>(activity.ran - watch.holder_ran, watch.unjudged);
  }
  watch.holder_ran += std::min<WaitBudget::Duration>(counts, activity.ran - watch.holder_ran);
  watch.stalled = counts == watch.unjudged;
  return counts;
}

// The record of the thread that is in the way, as far as it can be determined.
std::uint32_t Backoff::Holder() const {
  const Region& region = budget_->region();
  switch (obstacle_.kind) {
    case Obstacle::Kind::kMutex:
      return ThreadRecord::IndexOf(region.Load(obstacle_.at));
    case Obstacle::Kind::kBucket:
      return ThreadRecord::ClaimantOf(region, static_cast<Block>(obstacle_.at / kBlockWords), budget_->own_mark());
    case Obstacle::Kind::kWrite:
      return ThreadRecord::IndexAt(obstacle_.at);
    case Obstacle::Kind::kOthers:
      break;
  }
  return ThreadRecord::kNobody;
}

}  // namespace mapsafe
