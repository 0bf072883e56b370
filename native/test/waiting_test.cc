// Waits: what counts against the budget of a call, and what a call does not wait for. See docs/internals/protocol.md,
// "Waiting".
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <csignal>
#include <ctime>
#include <functional>
#include <thread>

#include "base/monotonic.h"
#include "eviction/area.h"
#include "memory/heap.h"
#include "memory/leftovers.h"
#include "testing.h"
#include "threads/backoff.h"
#include "threads/liveness.h"
#include "threads/thread_record.h"

namespace mapsafe {
namespace {

using std::chrono::milliseconds;

// Shorter than the usual bound, so that many tests can wait in vain.
constexpr milliseconds kBound{400};
// The most by which a wait exceeds its bound, in its thread's own time.
constexpr milliseconds kSlack{250};

class Waiting : public testing::Test {
 protected:
  Waiting() { WaitBudget::SetBound(kBound); }
  ~Waiting() override { WaitBudget::SetBound(std::chrono::seconds{2}); }
};

std::chrono::nanoseconds TimeOf(const std::function<void()>& run) {
  const auto start = OwnTime();
  run();
  return OwnTime() - start;
}

// Time by the clock: on a busy machine a thread waits for a processor most of the time, and that counts as well.
std::chrono::nanoseconds ClockTimeOf(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::steady_clock::now() - start;
}

// The mutex that a test holds as the owner of record `index`.
class HeldMutex {
 public:
  HeldMutex(Region region, WordIndex mutex, std::uint32_t index) : region_(region), mutex_(mutex) {
    region_.StoreRelease(mutex_, ThreadRecord::MarkOf(region_, index));
  }
  ~HeldMutex() { region_.StoreRelease(mutex_, 0); }
  HeldMutex(const HeldMutex&) = delete;
  HeldMutex& operator=(const HeldMutex&) = delete;

 private:
  Region region_;
  const WordIndex mutex_;
};

// Needs the heap's mutex, whatever blocks the thread has in its lists.
bool PutLarge(TestEngine& engine, const std::string& key) {
  return engine.Put(key, std::string(40'000, 'x'));
}

TEST_F(Waiting, OperationsOfOneCallShareABudget) {
  TestRegion region(1 << 22);
  TestEngine waiter(region);
  TestEngine holder(region);
  const HeldMutex heap(region.region(), kHeaderHeapMutex, 1);
  auto& outcome = const_cast<Outcome&>(waiter.outcome());
  outcome.call = 7;
  EXPECT_GE(ClockTimeOf([&] { EXPECT_FALSE(PutLarge(waiter, "a")); }), kBound / 2);
  EXPECT_EQ(waiter.status(), Status::kTimeout);
  EXPECT_LT(TimeOf([&] { EXPECT_FALSE(PutLarge(waiter, "b")); }), kBound / 2);
  EXPECT_EQ(waiter.status(), Status::kTimeout);
  outcome.call = 0;
  EXPECT_GE(ClockTimeOf([&] { EXPECT_FALSE(PutLarge(waiter, "c")); }), kBound / 2);
}

TEST_F(Waiting, AStoppedHolderEndsACallAtTheBound) {
  TestRegion region(1 << 22);
  TestEngine waiter(region);
  const pid_t child = fork();
  if (child == 0) {
    TestEngine holder(region);
    const HeldMutex heap(region.region(), kHeaderHeapMutex, 1);
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_LT(TimeOf([&] { EXPECT_FALSE(PutLarge(waiter, "a")); }), kBound + kSlack);
  EXPECT_EQ(waiter.status(), Status::kTimeout);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

// What `stats()` shows is read by TypeScript; test/waiting has the rest.
TEST_F(Waiting, AWaitShowsWhatItIsFor) {
  TestRegion region(1 << 22);
  TestEngine waiter(region);
  TestEngine holder(region);
  const WordIndex own = ThreadRecord::At(0);
  EXPECT_EQ(region.region().LoadPair(own + kThreadLockWaits), 0U);
  const double before = MonotonicMilliseconds();
  {
    const HeldMutex heap(region.region(), kHeaderHeapMutex, 1);
    EXPECT_FALSE(PutLarge(waiter, "a"));
  }
  EXPECT_EQ(region.region().Load(own + kThreadWaitAt), kHeaderHeapMutex);
  EXPECT_EQ(region.region().Load(own + kThreadWaitFor), kWaitsForLock);
  const std::uint64_t waits = region.region().LoadPair(own + kThreadLockWaits);
  EXPECT_GE(waits, 1U);
  EXPECT_LE(waits, 8U);
  const auto since = std::bit_cast<double>(region.region().LoadPair(own + kThreadWaitSince));
  EXPECT_GE(since, before);
  EXPECT_LE(since, MonotonicMilliseconds());
  EXPECT_TRUE(PutLarge(waiter, "a"));
  EXPECT_EQ(region.region().LoadPair(own + kThreadLockWaits), waits);
}

// Callers that are held up by the same stopped thread try again and again, and pass a mutex on among each other.
TEST_F(Waiting, WhatIsPassedOnCountsForACallThatIsHeldUp) {
  TestRegion region(1 << 22);
  TestEngine waiter(region);
  TestEngine first(region);
  TestEngine second(region);
  const HeldMutex heap(region.region(), kHeaderHeapMutex, 1);
  std::atomic<bool> is_over = false;
  std::thread passing([&] {
    std::this_thread::sleep_for(kBound * 2 / 3);
    for (std::uint32_t i = 0; !is_over; i++) {
      region.region().StoreRelease(kHeaderHeapMutex, ThreadRecord::MarkOf(region.region(), 1 + i % 2));
      std::this_thread::sleep_for(milliseconds{1});
    }
  });
  EXPECT_LT(TimeOf([&] { EXPECT_FALSE(PutLarge(waiter, "a")); }), kBound + kSlack);
  EXPECT_EQ(waiter.status(), Status::kTimeout);
  is_over = true;
  passing.join();
}

#if defined(__linux__)

void RunOn(int processor, int policy) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  const sched_param parameter{};
  pthread_setschedparam(pthread_self(), policy, &parameter);
}

TEST_F(Waiting, WhatOtherThreadsOfItsProcessRanIsNotAHolders) {
  TestRegion region(1 << 22);
  std::atomic<bool> attached{false};
  std::atomic<bool> over{false};
  std::thread holder([&] {
    TestEngine engine(region);
    attached = true;
    attached.notify_one();
    over.wait(false);
  });
  attached.wait(false);
  const std::chrono::nanoseconds before = ActivityOf(region.region(), 0).ran;
  const auto ran = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  };
  const auto start = ran();
  while (ran() - start < milliseconds{300}) {
  }
  const Activity activity = ActivityOf(region.region(), 0);
  over = true;
  over.notify_one();
  holder.join();
  EXPECT_TRUE(activity.known);
  EXPECT_LT(activity.ran - before, milliseconds{100});
}

TEST_F(Waiting, AHolderWithoutAProcessorIsWaitedForLonger) {
  TestRegion region(1 << 22);
  TestEngine waiter(region);
  std::atomic<bool> attached{false};
  std::atomic<bool> over{false};
  const auto spin = [&] {
    while (!over) SpinPause();
  };
  // Ready to run, but three other ready threads hardly ever let it.
  std::thread holder([&] {
    TestEngine engine(region);
    RunOn(0, SCHED_IDLE);
    attached = true;
    spin();
  });
  while (!attached) std::this_thread::yield();
  std::atomic<int> arrived{0};
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&] {
      RunOn(0, SCHED_OTHER);
      ++arrived;
      spin();
    });
  }
  while (arrived < 3) std::this_thread::yield();
  auto heap = std::make_unique<HeldMutex>(region.region(), kHeaderHeapMutex, 1);
  std::thread releaser([&] {
    std::this_thread::sleep_for(2 * kBound);
    heap.reset();
  });
  EXPECT_TRUE(PutLarge(waiter, "a"));
  over = true;
  releaser.join();
  holder.join();
  for (std::thread& other : others) other.join();
}

#endif

TEST_F(Waiting, VictimsThatCannotBeHadAreLeftAlone) {
  TestRegion region(1 << 26, kFlagCache);
  TestEngine waiter(region);
  TestEngine holder(region);
  // In all partitions, and more than there is room for. Every fourth is of a smaller size class.
  constexpr int kKeys = 24'000;
  const std::string small(2000, 'x');
  const std::string large(4000, 'x');
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(waiter.Put("key" + std::to_string(i), i % 4 == 0 ? small : large));
  const std::vector<WordIndex> partitions = PartitionsOf(region.region());
  ASSERT_GT(partitions.size(), 1u);
  std::vector<std::unique_ptr<HeldMutex>> held;
  // The last one is the only one whose entries can be evicted.
  for (std::size_t i = 0; i + 1 < partitions.size(); ++i) {
    held.push_back(std::make_unique<HeldMutex>(region.region(), partitions[i] + kPartitionMutex, 1));
  }
  constexpr int kWrites = 40;
  int written = 0;
  const auto took = TimeOf([&] {
    for (int i = kKeys - 4; i > 0 && written < kWrites; i -= 4) {
      const std::string key = "key" + std::to_string(i);
      if (!waiter.Has(key)) continue;
      // Its node stays; it needs a larger block, for which an entry has to go.
      ASSERT_TRUE(waiter.Put(key, large)) << key;
      ++written;
    }
  });
  EXPECT_EQ(written, kWrites);
  // Even a little patience would cost each of the calls twice as much.
  EXPECT_LT(took, kWrites * milliseconds{25});
  held.clear();
  ExpectSound(waiter);
}

TEST_F(Waiting, WhatIsOwedIsGivenBack) {
  TestRegion region(1 << 22);
  TestEngine holder(region);
  TestEngine waiter(region);
  ASSERT_TRUE(PutLarge(waiter, "a"));
  ASSERT_TRUE(PutLarge(waiter, "b"));
  const WordIndex owed = ThreadRecord::At(1) + kThreadOwed;
  {
    const HeldMutex heap(region.region(), kHeaderHeapMutex, 0);
    EXPECT_LT(TimeOf([&] { EXPECT_TRUE(waiter.Remove("a")); }), kBound);
    EXPECT_TRUE(waiter.Remove("b"));
    EXPECT_NE(region.region().Load(owed), 0u);
  }
  ASSERT_TRUE(PutLarge(waiter, "c"));
  EXPECT_EQ(region.region().Load(owed), 0u);
  ExpectSound(waiter);
}

// Although nobody attaches with the record that keeps it.
TEST_F(Waiting, WhatAThreadLeftBehindServesOthers) {
  TestRegion region(1 << 22);
  TestEngine stayer(region);
  {
    TestEngine leaver(region);
    for (int i = 0; leaver.Put("key" + std::to_string(i), std::string(100, 'x')); ++i) {
    }
    const HeldMutex heap(region.region(), kHeaderHeapMutex, 0);
    leaver->Clear();
    leaver->Close();
  }
  int large = 0;
  while (PutLarge(stayer, "large" + std::to_string(large))) ++large;
  EXPECT_GT(large, 90);  // of 4 MiB; an empty map takes some more
  ExpectSound(stayer);
}

// Who has no node for an insert looks for it again and again, as long as some comes back.
TEST_F(Waiting, WhatWasLeftBehindDoesNotComeBackWithoutTheHeap) {
  TestRegion region(1 << 22);
  TestEngine stayer(region);
  TestEngine leaver(region);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(leaver.Put("key" + std::to_string(i), std::string(100, 'x')));
  WaitBudget budget(region.region(), stayer->owner_mark());
  {
    const HeldMutex heap(region.region(), kHeaderHeapMutex, 0);
    leaver->Clear();
    leaver->Close();
    EXPECT_FALSE(GiveBackLeftovers(region.region(), budget));
  }
  budget.Renew();
  EXPECT_TRUE(GiveBackLeftovers(region.region(), budget));
  EXPECT_FALSE(GiveBackLeftovers(region.region(), budget));
  ExpectSound(stayer);
}

TEST_F(Waiting, AnIdleThreadGivesBackWithItsSweep) {
  TestRegion region(1 << 22);
  TestEngine holder(region);
  TestEngine idle(region);
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(idle.Put("key" + std::to_string(i), std::string(100, 'x')));
  const WordIndex has_excess = ThreadRecord::At(1) + kThreadHasExcess;
  {
    const HeldMutex heap(region.region(), kHeaderHeapMutex, 0);
    idle->Clear();
  }
  EXPECT_EQ(region.region().Load(has_excess), 1u);
  for (int i = 0; i < 100 && region.region().Load(has_excess) != 0; ++i) idle->Sweep(0, 0);
  EXPECT_EQ(region.region().Load(has_excess), 0u);
  ExpectSound(idle);
}

TEST_F(Waiting, AnAbsentKeyIsHeldInAFullMap) {
  TestRegion region(1 << 20);
  TestEngine engine(region);
  TestEngine other(region);
  for (int i = 0; engine.Put("key" + std::to_string(i), "value"); ++i) {
  }
  ASSERT_EQ(engine.status(), Status::kFull);
  // Blocks for entries, but none for a segment; and then no place in the home of a key, or in the stash.
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(engine.Remove("key" + std::to_string(i)));
  const auto home_of = [&](const std::string& key) {
    other.Has(key);
    return other.outcome().home;
  };
  for (int i = 0;; ++i) {
    const std::string key = "neighbour" + std::to_string(i);
    if (home_of(key) == home_of("absent") && !engine.Put(key, "value")) break;
  }
  ASSERT_EQ(engine.status(), Status::kFull);
  EXPECT_TRUE(other.Hold("absent"));
  EXPECT_EQ(other.status(), Status::kAbsent);
  other->LetGo();
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
