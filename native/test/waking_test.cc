// Waking: which changes wake those who wait for a load, and that no wake-up is lost.
#include <atomic>
#include <thread>

#include "../platform/futex.h"
#include "testing.h"
#include "threads/waits.h"

namespace mapsafe {
namespace {

bool PutLease(TestEngine& engine, const std::string& key) {
  return engine.Put(key, "lease", kPutIfAbsent, 0, kValueLease);
}

bool Woke(const TestRegion& region, const Announced& announced) {
  return region.region().LoadAcquire(announced.at) != announced.value;
}

// Wakes as Atomics.notify would.
Waker FutexWaker(const TestRegion& region) {
  const auto wake = [](void* words, WordIndex at) { WakeAtFutex(static_cast<Word*>(words) + at); };
  return {wake, region.base()};
}

TEST(Waking, WhateverChangesALeaseWakes) {
  const std::pair<const char*, void (*)(TestEngine&, std::uint64_t)> changes[] = {
      {"a value", [](TestEngine& engine, std::uint64_t) { engine.Put("key", "value"); }},
      {"a number", [](TestEngine& engine, std::uint64_t) { engine.Increment("key"); }},
      {"another lease", [](TestEngine& engine,
                           std::uint64_t version) { engine.Put("key", "lease", kPutIfVersion, version, kValueLease); }},
      {"its removal", [](TestEngine& engine, std::uint64_t version) { engine.Remove("key", kPutIfVersion, version); }},
      {"a deletion", [](TestEngine& engine, std::uint64_t) { engine.Remove("key"); }},
      {"a clear", [](TestEngine& engine, std::uint64_t) { engine->Clear(); }},
      {"a held write",
       [](TestEngine& engine, std::uint64_t) {
         engine.Hold("key");
         engine.PutHeld("key", "value");
       }},
      {"the end of an engine", [](TestEngine& engine, std::uint64_t) { engine->Close(); }},
  };
  for (const bool in_file : {false, true}) {
    for (const auto& [name, change] : changes) {
      SCOPED_TRACE(name);
      TestRegion region(kMinRegionBytes);
      if (in_file) region.UseLocks();
      TestEngine waiting(region);
      TestEngine engine(region);
      int wakes = 0;
      engine->SetWaker({[](void* count, WordIndex) { ++*static_cast<int*>(count); }, &wakes});
      ASSERT_TRUE(PutLease(engine, "key"));
      const std::uint64_t version = engine.version();
      const Announced announced = waiting.Announce("key");
      EXPECT_EQ(announced.value & 1, 1u);
      const Word bell = region.region().Load(kHeaderBell);
      EXPECT_FALSE(Woke(region, announced));
      change(engine, version);
      EXPECT_TRUE(Woke(region, announced));
      EXPECT_EQ(wakes, in_file ? 0 : 1);
      EXPECT_EQ(region.region().Load(kHeaderBell) - bell, in_file ? 1u : 0u);
      EXPECT_EQ(region.region().Load(announced.at) & 1, 0u);
    }
  }
}

TEST(Waking, OtherWritesWakeNobody) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  const Announced announced = engine.Announce("key");
  engine.Put("key", "1");
  engine.Put("key", "2");
  engine.Remove("key");
  engine.Put("other", "1");
  engine->Clear();
  EXPECT_FALSE(Woke(region, announced));
}

// One thread loads, in hardly more time than it takes the other one to begin to wait; that one sleeps without a limit,
// so that a wake-up that is lost is a hang.
void RaceForWakeUps(const TestRegion& region, bool in_file) {
  const int rounds = 20000 * Scale();
  const std::uint64_t seed = Seed();
  std::atomic<int> begun = -1;
  std::atomic<int> seen = -1;
  const auto key_of = [](int round) { return "key" + std::to_string(round % 64); };
  std::thread waiting([&] {
    TestEngine engine(region);
    Word* const words = static_cast<Word*>(region.base());
    for (int round = 0; round < rounds; ++round) {
      while (begun.load() < round) std::this_thread::yield();
      const std::string key = key_of(round);
      while (!engine.Get(key)) {
        const Word bell = region.region().LoadAcquire(kHeaderBell);
        const Announced announced = engine.Announce(key);
        if (engine.Get(key)) break;
        if (!in_file) {
          ASSERT_TRUE(WaitAtFutex(words + announced.at, announced.value));
        } else if (!Woke(region, announced)) {
          ASSERT_TRUE(WaitAtFutex(words + kHeaderBell, bell));
        }
      }
      seen.store(round);
    }
  });
  TestEngine engine(region);
  engine->SetWaker(FutexWaker(region));
  std::mt19937_64 random(seed);
  for (int round = 0; round < rounds; ++round) {
    const std::string key = key_of(round);
    ASSERT_TRUE(PutLease(engine, key));
    begun.store(round);
    std::atomic<int> spins = static_cast<int>(random() % 2000);
    while (spins.fetch_sub(1) > 0) {
    }
    ASSERT_TRUE(engine.Put(key, "value"));
    while (seen.load() < round) std::this_thread::yield();
    ASSERT_TRUE(engine.Remove(key));
  }
  waiting.join();
  ExpectSound(engine);
}

TEST(Waking, NoWakeUpIsLost) {
  if (!HasFutexes()) GTEST_SKIP() << "this system has no futexes";
  TestRegion region(kMinRegionBytes);
  RaceForWakeUps(region, false);
}

TEST(Waking, NoWakeUpByTheBellIsLost) {
  if (!HasFutexes()) GTEST_SKIP() << "this system has no futexes";
  TestRegion region(kMinRegionBytes);
  region.UseLocks();
  RaceForWakeUps(region, true);
}

}  // namespace
}  // namespace mapsafe
