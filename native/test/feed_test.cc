// The change feed: what is told, in which order, and that nothing is lost without a word.
#include "feed/feed.h"

#include <atomic>
#include <thread>

#include "testing.h"
#include "threads/backoff.h"
#include "watcher.h"

namespace mapsafe {
namespace {

std::vector<std::pair<std::string, Word>> CausesOf(const std::vector<Seen>& all) {
  std::vector<std::pair<std::string, Word>> causes;
  for (const Seen& seen : all) causes.emplace_back(seen.key, seen.cause);
  return causes;
}

using Causes = std::vector<std::pair<std::string, Word>>;

TEST(Feed, NothingIsToldWhileNobodyWatches) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine.Put("key", "value");
  EXPECT_EQ(region.region().Load(kHeaderFeed), 0u);
  engine->Watch();
  engine->Unwatch();
  EXPECT_FALSE(IsWatched(region.region()));
  Watcher watcher(region);
  engine.Put("key", "other");
  EXPECT_EQ(watcher.Read(), std::vector<Seen>{});
  EXPECT_EQ(engine->Verify(), std::vector<std::string>{});
}

TEST(Feed, EveryChangeIsToldWithItsReasonAndVersion) {
  TestRegion region(kMinRegionBytes);
  TestEngine watching(region);
  TestEngine engine(region);
  watching->Watch();
  Watcher watcher(region);
  engine.Put("key", "value");
  const std::uint64_t version = engine.version();
  engine.Remove("key");
  engine.Remove("key");  // was absent
  engine.Increment("counter");
  engine.Increment("counter");
  engine.Increment("counter");
  engine.Put("lease", "lease", kPutIfAbsent, 0, kValueLease);
  engine.Put("lease", "value");
  engine.Put("quiet", "value", kPutAlways | kPutQuietly);
  engine.Hold("held");
  engine.PutHeld("held", "value");
  engine.Hold("held");
  engine.RemoveHeld("held");
  const std::vector<Seen> seen = watcher.Read();
  EXPECT_EQ(CausesOf(seen), (Causes{{"key", kCauseSet},
                                    {"key", kCauseDeleted},
                                    {"counter", kCauseSet},
                                    {"counter", kCauseSet},
                                    {"counter", kCauseSet},
                                    {"lease", kCauseSet},
                                    {"held", kCauseSet},
                                    {"held", kCauseDeleted}}));
  EXPECT_EQ(seen[0].version, version);
  EXPECT_GT(seen[1].version, version);
  EXPECT_LT(seen[2].version, seen[3].version);
  EXPECT_LT(seen[3].version, seen[4].version);
  EXPECT_FALSE(watcher.missed);
  engine->Clear();
  EXPECT_EQ(watcher.Read().size(), 3u);
  EXPECT_EQ(engine->Verify(), std::vector<std::string>{});
  EXPECT_EQ(engine->Repair().blocks_freed, 0u);
}

TEST(Feed, AllKeysOfAClearAreTold) {
  TestRegion region(4 * kMinRegionBytes);
  TestEngine engine(region);
  std::map<std::string, Word> left;
  for (int i = 0; i < 900; ++i) {
    engine.Put("key" + std::to_string(i), "value");
    left["key" + std::to_string(i)] = kCauseCleared;
  }
  engine->Watch();
  Watcher watcher(region);
  engine->Clear();
  std::map<std::string, Word> told;
  for (const Seen& seen : watcher.Read()) told[seen.key] = seen.cause;
  EXPECT_EQ(told, left);
}

TEST(Feed, ExpiryIsToldByWhoRemovesTheEntry) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  engine->Watch();
  Watcher watcher(region);
  const double now = engine->Now();
  engine.Put("swept", "value", kPutAlways, 0, kValueLatin1, now + 10);
  engine.Put("replaced", "value", kPutAlways, 0, kValueLatin1, now + 10);
  watcher.Read();
  region.Advance(5000);
  engine.Put("replaced", "value");
  engine->Sweep(0, 1000000);
  EXPECT_EQ(CausesOf(watcher.Read()), (Causes{{"replaced", kCauseSet}, {"swept", kCauseExpired}}));
}

TEST(Feed, EvictionIsTold) {
  TestRegion region(kMinRegionBytes, kFlagCache, 10);
  TestEngine engine(region);
  engine->Watch();
  Watcher watcher(region);
  std::map<std::string, int> there;
  for (int i = 0; i < 100; ++i) {
    engine.Put("key" + std::to_string(i), "value");
    for (const Seen& seen : watcher.Read()) {
      EXPECT_TRUE(seen.cause == kCauseSet || seen.cause == kCauseEvicted);
      there[seen.key] += seen.cause == kCauseSet ? 1 : -1;
    }
  }
  for (const auto& [key, count] : there) EXPECT_EQ(count, engine.Has(key) ? 1 : 0) << key;
}

TEST(Feed, AnInvalidationIsTold) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  engine->MakeLabelTable(0);
  const WordIndex word = WordOf(region.region().Load(kHeaderLabelTables));
  EXPECT_TRUE(engine.Invalidate("before", word, word + 1));
  engine->Watch();
  Watcher watcher(region);
  EXPECT_TRUE(engine.Invalidate("tag", word, word + 1));
  EXPECT_EQ(CausesOf(watcher.Read()), (Causes{{"tag", kCauseInvalidated}}));
  EXPECT_FALSE(watcher.missed);
  EXPECT_EQ(region.region().Load(word), 2u);
  EXPECT_EQ(region.region().Load(word + 1), 2u);
  EXPECT_EQ(region.region().Load(kHeaderInvalidations), 8u);
  EXPECT_FALSE(engine.Invalidate("tag", 0, ~std::uint32_t{0}));
  EXPECT_EQ(engine.status(), Status::kCorrupt);
  EXPECT_EQ(engine->Verify(), std::vector<std::string>{});
}

TEST(Feed, RepairKeepsTheRing) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine->Watch();
  const RepairReport report = engine->Repair();
  EXPECT_TRUE(report.has_looked_for_leaks);
  EXPECT_EQ(report.blocks_freed, 0u);
}

TEST(Feed, AWatcherThatIsTooSlowLearnsIt) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine->Watch();
  Watcher watcher(region);
  const int fits = static_cast<int>(FeedBytes(region.region()) / kBlockBytes / 2);
  for (int i = 0; i < fits; ++i) engine.Put("key", "value");
  EXPECT_EQ(watcher.Read().size(), static_cast<std::size_t>(fits));
  EXPECT_FALSE(watcher.missed);
  for (int i = 0; i <= fits; ++i) engine.Put("key", "value");
  EXPECT_EQ(watcher.Read().size(), 0u);
  EXPECT_TRUE(watcher.missed);
}

TEST(Feed, CountsOnAcrossTheWrapOfItsWords) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine->Watch();
  region.region().Store(kHeaderFeedHead, ~Word{0} - 4);
  region.region().Store(kHeaderFeedReserved, ~Word{0} - 4);
  Watcher watcher(region);
  for (int i = 0; i < 10; ++i) engine.Put("key" + std::to_string(i), "value");
  EXPECT_EQ(watcher.Read().size(), 10u);
  EXPECT_FALSE(watcher.missed);
  EXPECT_EQ(region.region().Load(kHeaderFeedLaps), 1u);
}

TEST(Feed, ALongKeyIsCutAndKeepsItsLength) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine->Watch();
  Watcher watcher(region);
  engine.Put(std::string(5000, 'k'), "value");
  engine.Put("next", "value");
  const std::vector<Seen> seen = watcher.Read();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].key, std::string(kMaxFeedKeyBytes, 'k'));
  EXPECT_EQ(seen[1].key, "next");
}

TEST(Feed, WritersPayNoLongerOnceTheLastWatcherIsGone) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  auto first = std::make_unique<TestEngine>(region);
  TestEngine second(region);
  (*first)->Watch();
  second->Watch();
  first.reset();
  EXPECT_TRUE(IsWatched(region.region()));
  second->Unwatch();
  EXPECT_FALSE(IsWatched(region.region()));
}

// Of a writer and a watcher that comes meanwhile, one sees the other: the watcher reads the new value, or is told of
// it.
TEST(Feed, WhoBeginsToWatchMissesNothing) {
  for (int round = 0; round < 2000 * Scale(); ++round) {
    TestRegion region(kMinRegionBytes);
    TestEngine writer(region);
    TestEngine watching(region);
    watching->Watch();  // the ring takes long to make
    watching->Unwatch();
    std::atomic<bool> go{false};
    std::thread thread([&] {
      while (!go.load()) {
      }
      writer.Put("key", "value");
    });
    go.store(true);
    for (int spin = 0; spin < round % 50; ++spin) SpinPause();
    watching->Watch();
    Watcher watcher(region);
    const bool found = watching.Has("key");
    thread.join();
    ASSERT_TRUE(found || !watcher.Read().empty());
  }
}

// Whatever four writers do, each watcher's last news of a key is what the key has in the end, and never is a key older
// than the news.
TEST(Feed, WhatIsToldIsThere) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 * kMinRegionBytes);
  TestEngine watching(region);
  watching->Watch();
  Watcher watcher(region);
  std::atomic<int> running{4};
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      TestEngine engine(region);
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(i));
      for (int n = 0; n < 4000 * Scale(); ++n) {
        const std::string key = "key" + std::to_string(random() % 40);
        if (random() % 4 == 0) {
          engine.Remove(key);
        } else {
          engine.Put(key, std::to_string(n));
        }
      }
      --running;
    });
  }
  std::map<std::string, Seen> last;
  for (bool more = true; more;) {
    more = running > 0;
    for (const Seen& seen : watcher.Read()) {
      const bool found = watching.Get(seen.key).has_value();
      if (found) {
        EXPECT_GE(watching.version(), seen.version);
      }
      const auto before = last.find(seen.key);
      if (before != last.end() && !watcher.missed) {
        EXPECT_GT(seen.version, before->second.version);
      }
      last.insert_or_assign(seen.key, seen);
    }
    if (watcher.missed) {
      watcher.missed = false;
      last.clear();
    }
  }
  for (std::thread& writer : writers) writer.join();
  for (const auto& [key, seen] : last) {
    EXPECT_EQ(watching.Get(key).has_value(), seen.cause == kCauseSet) << key;
    if (seen.cause == kCauseSet) {
      EXPECT_EQ(watching.version(), seen.version) << key;
    }
  }
}

}  // namespace
}  // namespace mapsafe
