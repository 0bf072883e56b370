// Leases: what others see of them, and that a value loaded under one is never stored over what came after.
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "testing.h"

namespace mapsafe {
namespace {

bool PutLease(TestEngine& engine, const std::string& key, std::uint32_t mode = kPutIfAbsent,
              std::uint64_t version = 0) {
  return engine.Put(key, "lease of " + key, mode, version, kValueLease);
}

TEST(Lease, IsThereOnlyForThoseWhoLoad) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  TestEngine other(region);
  EXPECT_TRUE(PutLease(engine, "a"));
  const std::uint64_t version = engine.version();
  EXPECT_FALSE(PutLease(other, "a"));
  EXPECT_FALSE(other.Has("a"));
  EXPECT_EQ(other.Get("a"), std::nullopt);
  EXPECT_EQ(other.GetForLoad("a"), "lease of a");
  EXPECT_EQ(other.outcome().kind, kValueLease);
  EXPECT_EQ(other->Size(), 0u);
  EXPECT_TRUE(other.Keys().empty());
  EXPECT_TRUE(other.Snapshot().empty());
  EXPECT_FALSE(other.Put("a", "1", kPutIfPresent));
  EXPECT_FALSE(other.Put("a", "1", kPutIfVersion, version + 1));
  EXPECT_TRUE(other.Put("a", "1", kPutIfVersion, version));
  EXPECT_EQ(engine.Get("a"), "1");
  EXPECT_EQ(engine->Size(), 1u);
  ExpectSound(engine);
}

TEST(Lease, GivesWayToWritesAndLapsesByDeletions) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  for (const bool by_clear : {false, true}) {
    EXPECT_TRUE(PutLease(engine, "a"));
    const std::uint64_t version = engine.version();
    if (by_clear) {
      engine->Clear();
    } else {
      EXPECT_FALSE(engine.Remove("a"));
      EXPECT_EQ(engine.status(), Status::kNotDone);
    }
    EXPECT_EQ(engine.GetForLoad("a"), "lease of a");
    EXPECT_EQ(engine.outcome().kind, kValueLapsedLease);
    const std::uint64_t lapsed = engine.version();
    EXPECT_GT(lapsed, version);
    EXPECT_FALSE(engine.Put("a", "old", kPutIfVersion, version));
    EXPECT_FALSE(PutLease(engine, "a"));
    ExpectSound(engine);
    EXPECT_TRUE(engine.Remove("a", kPutIfVersion, lapsed));
    EXPECT_EQ(engine.GetForLoad("a"), std::nullopt);
    EXPECT_EQ(engine->Size(), 0u);
    ExpectSound(engine);
  }
  EXPECT_TRUE(PutLease(engine, "a"));
  EXPECT_TRUE(engine.Put("a", "new", kPutIfAbsent));
  EXPECT_EQ(engine.Get("a"), "new");
  EXPECT_TRUE(PutLease(engine, "b"));
  EXPECT_EQ(engine.Increment("b", 5), 5);
  EXPECT_EQ(engine->Size(), 2u);
  ExpectSound(engine);
}

// Loaders read a generation and store it; other threads raise the generation and then delete the key. Once a deletion
// is over, no read may give a generation older than its own, however long a loader was under way.
TEST(Lease, NoValueOlderThanADeletionIsStored) {
  constexpr int kKeys = 3;
  constexpr int kThreads = 4;
  const std::uint64_t seed = Seed();
  TestRegion region(8 << 20);
  std::array<std::atomic<int>, kKeys> generations{};
  std::atomic<int> stored = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestEngine engine(region);
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(t));
      for (int i = 0; i < 20000 * Scale(); ++i) {
        const std::size_t n = random() % kKeys;
        const std::string key = "key" + std::to_string(n);
        if (t % 2 == 0) {
          if (!PutLease(engine, key)) {
            // A lapsed lease, or one that another loader left: take it over.
            if (!engine.GetForLoad(key) || !IsLeaseKind(engine.outcome().kind)) continue;
            if (!PutLease(engine, key, kPutIfVersion, engine.version())) continue;
          }
          const std::uint64_t version = engine.version();
          const int generation = generations[n].load();
          if (random() % 4 == 0) std::this_thread::yield();
          if (engine.Put(key, std::to_string(generation), kPutIfVersion, version)) ++stored;
        } else {
          const int generation = ++generations[n];
          if (random() % 50 == 0) {
            engine->Clear();
          } else {
            engine.Remove(key);
          }
          const std::optional<std::string> value = engine.Get(key);
          ASSERT_TRUE(!value || std::stoi(*value) >= generation) << *value << " after " << generation;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(stored, 0);
  TestEngine engine(region);
  EXPECT_EQ(engine.Keys().size(), engine->Size());
  ExpectSound(engine);
}

// A thread that took a lapsed lease for one that has not lapsed would give late callers a value older than the
// deletion, and keep an error that the deletion ended.
TEST(Lease, ThatLapsesIsNeverMetWithItsNewVersionAndItsOldKind) {
  TestRegion region(kMinRegionBytes);
  std::vector<std::uint64_t> granted;  // grows
  std::atomic<bool> is_over = false;
  std::array<std::vector<std::uint64_t>, 2> met;
  std::vector<std::thread> readers;
  for (std::vector<std::uint64_t>& versions : met) {
    readers.emplace_back([&] {
      TestEngine engine(region);
      while (!is_over) {
        if (engine.GetForLoad("a") && engine.outcome().kind == kValueLease) versions.push_back(engine.version());
      }
    });
  }
  TestEngine engine(region);
  for (int i = 0; i < 100000 * Scale(); ++i) {
    ASSERT_TRUE(PutLease(engine, "a"));
    granted.push_back(engine.version());
    EXPECT_FALSE(engine.Remove("a"));
    ASSERT_TRUE(engine.GetForLoad("a"));
    ASSERT_TRUE(engine.Remove("a", kPutIfVersion, engine.version()));
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  for (const std::vector<std::uint64_t>& versions : met) {
    for (const std::uint64_t version : versions) {
      ASSERT_TRUE(std::binary_search(granted.begin(), granted.end(), version)) << version << " was never granted";
    }
  }
}

}  // namespace
}  // namespace mapsafe
