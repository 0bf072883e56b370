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
    watch_ = Watch{
        now, now + kFirstQuestion, kFirstQuestion, kFirstSleep, 0, budget_->region().Load(obstacle_.at), {}, 0, {}};
  }
  watch_->last = now;
  std::this_thread::sleep_for(watch_->sleep);
  watch_->sleep = std::min(watch_->sleep * 2, kLongestSleep);
  return true;
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
  watch.pause = std::min(watch.pause * 2, kLongestPause);
  watch.next_question = now + watch.pause;
}

// How much of the time not judged yet counts. Of a holder that waits for a processor, what it ran: the others have it
// so far. Of all others everything: of one that sleeps, since it may wait for a thread that is stopped, of one that the
// kernel knows nothing about, and of this thread itself.
WaitBudget::Duration Backoff::Judge() {
  const std::uint32_t index = Holder();
  const KernelId holder =
      index == ThreadRecord::kNobody ? 0 : budget_->region().LoadPair(ThreadRecord::At(index) + kThreadKernelId);
  const Activity activity = holder == 0 ? Activity{} : ActivityOf(budget_->region(), index);
  Watch& watch = *watch_;
  if (!activity.known || ++watch.questions % kSurveyEvery == 0) BuryTheDead(budget_->region());
  if (holder != watch.holder) {
    watch.holder = holder;
    watch.holder_ran = activity.ran;
  }
  const WordIndex own = ThreadRecord::At(ThreadRecord::IndexOf(budget_->own_mark()));
  const bool is_self = holder == budget_->region().LoadPair(own + kThreadKernelId);
  if (!activity.runnable || is_self) return watch.unjudged;
  const WaitBudget::Duration counts = std::min<WaitBudget::Duration>(activity.ran - watch.holder_ran, watch.unjudged);
  watch.holder_ran += counts;
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
