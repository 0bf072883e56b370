#include "threads/backoff.h"

#include <algorithm>
#include <thread>

#include "threads/liveness.h"
#include "threads/takeover.h"

namespace mapsafe {

bool Backoff::WaitLonger() {
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
    watch_.emplace();
    watch_->next_question = now + kFirstQuestion;
    watch_->seen = budget_->region().Load(obstacle_.at);
  }
  watch_->last = now;
  Sleep();
  return true;
}

// Those who wait for this thread meanwhile can see that it is not for want of a processor that it does nothing.
void Backoff::Sleep() {
  const WordIndex sleeps = ThreadRecord::At(ThreadRecord::IndexOf(budget_->own_mark())) + kThreadSleeps;
  budget_->region().Store(sleeps, watch_->stalled ? kSleepsForStalled : kSleepsForMoving);
  std::this_thread::sleep_for(watch_->sleep);
  budget_->region().Store(sleeps, 0);
  watch_->sleep = std::min(watch_->sleep * 2, kLongestSleep);
}

bool Backoff::GiveUp() {
  // An afterthought fails no call; and for each of many victims it would take too long to look through all claims.
  if (budget_->patience() == Patience::kLittle) return false;
  if (budget_->patience() == Patience::kNone && obstacle_.kind != Obstacle::Kind::kMutex) return false;
  const std::uint32_t holder = Holder();
  if (holder != ThreadRecord::kNobody) budget_->set_blocker(ThreadRecord::IdentityOf(budget_->region(), holder));
  return false;
}

// Adds the time since the last look. Time after which another thread holds what is waited for, or the same one anew,
// does not count.
void Backoff::Account(Clock::time_point now) {
  Watch& watch = *watch_;
  budget_->Wait(now - watch.last);
  const Word word = budget_->region().Load(obstacle_.at);
  if (obstacle_.kind != Obstacle::Kind::kOthers && word != watch.seen) {
    watch.seen = word;
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
// All of it, if the holder is stopped, or this thread itself, or sleeps, or if nothing can be known of it. Of a holder
// that waits for a processor, what it ran meanwhile: others have the processors. Of one that sleeps because it waits as
// well, all or nothing, as that wait counts: so those who wait for a thread that waits for a stopped one give up
// together with it.
WaitBudget::Duration Backoff::Judge() {
  Region& region = budget_->region();
  Watch& watch = *watch_;
  const std::uint32_t index = Holder();
  const WordIndex record = ThreadRecord::At(index);
  const KernelId holder = index == ThreadRecord::kNobody ? 0 : region.LoadPair(record + kThreadKernelId);
  const Activity activity = holder == 0 ? Activity{} : ActivityOf(region, index);
  if (!activity.known || ++watch.questions % kSurveyEvery == 0) BuryTheDead(region);
  // What a dead one left may take more than one burial.
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
    if (sleeps == kSleepsForMoving) counts = {};
  } else if (activity.runnable && !is_self) {
    counts = std::min<WaitBudget::Duration>(activity.ran - watch.holder_ran, watch.unjudged);
  }
  watch.holder_ran += std::min<WaitBudget::Duration>(counts, activity.ran - watch.holder_ran);
  watch.stalled = counts == watch.unjudged;
  return counts;
}

// The record of the thread that is in the way, as far as can be told.
std::uint32_t Backoff::Holder() const {
  const Region& region = budget_->region();
  switch (obstacle_.kind) {
    case Obstacle::Kind::kMutex:
      return ThreadRecord::IndexOf(region.Load(obstacle_.at));
    case Obstacle::Kind::kBucket:
      return ThreadRecord::ClaimantOf(region, static_cast<Block>(obstacle_.at / kBlockWords), budget_->own_mark());
    case Obstacle::Kind::kWrite:
      return static_cast<std::uint32_t>((obstacle_.at - ThreadRecord::At(0)) / kThreadWords);
    case Obstacle::Kind::kOthers:
      break;
  }
  return ThreadRecord::kNobody;
}

}  // namespace mapsafe
