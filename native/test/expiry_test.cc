// Entries that expire: absent for every caller, and swept away without being asked for.
#include "index/expiry.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "testing.h"

namespace mapsafe {
namespace {

constexpr double kMinute = 60'000;

// Sweeps the whole region; returns the number of segments cleaned up.
std::uint32_t SweepAll(TestEngine& engine, std::uint32_t budget = 1'000'000) {
  std::uint32_t cleaned = 0;
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) {
    const std::uint64_t next = engine->Sweep(hash, budget);
    EXPECT_EQ(engine.status(), Status::kDone);
    EXPECT_GT(next, hash);
    cleaned += engine.outcome().length;
    hash = next;
  }
  return cleaned;
}

// Neither coarse nor rounded: a clock that ticks by milliseconds is late by as many.
TEST(Expiry, TheClockIsExact) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  double shortest = kMinute;
  double last = engine->Now();
  for (int changes = 0; changes < 100;) {
    const double now = engine->Now();
    ASSERT_GE(now, last);
    if (now == last) continue;
    shortest = std::min(shortest, now - last);
    last = now;
    ++changes;
  }
  EXPECT_LT(shortest, 0.5);
}

TEST(Expiry, AnExpiredEntryIsAbsent) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  const double expires_at = engine->Now() + kMinute;
  EXPECT_TRUE(engine.Put("a", "1", kPutAlways, 0, kValueLatin1, expires_at));
  EXPECT_EQ(engine.Get("a"), "1");
  EXPECT_EQ(engine.outcome().expires_at, expires_at);
  const std::uint64_t version = engine.version();
  region.Advance(kMinute);
  EXPECT_EQ(engine.Get("a"), std::nullopt);
  EXPECT_EQ(engine.status(), Status::kAbsent);
  EXPECT_EQ(engine.outcome().entry, 0u);
  EXPECT_FALSE(engine.Has("a"));
  EXPECT_FALSE(engine.Put("a", "2", kPutIfPresent));
  EXPECT_FALSE(engine.Put("a", "2", kPutIfVersion, version));
  EXPECT_FALSE(engine.Remove("a"));
  EXPECT_FALSE(engine.Remove("a", kPutIfVersion, version));
  EXPECT_TRUE(engine.Hold("a"));
  EXPECT_EQ(engine.status(), Status::kAbsent);
  engine->LetGo();
  EXPECT_TRUE(engine.Put("a", "2", kPutIfAbsent | kReturnPrevious));
  EXPECT_EQ(engine.outcome().previous, Status::kAbsent);
  EXPECT_GT(engine.version(), version);
  EXPECT_EQ(engine.Get("a"), "2");
  EXPECT_EQ(engine->Size(), 1u);
  ExpectSound(engine);
}

TEST(Expiry, AHeldWriteReplacesAnExpiredEntry) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  engine.Put("a", "1", kPutAlways, 0, kValueLatin1, engine->Now() + kMinute);
  region.Advance(kMinute);
  EXPECT_TRUE(engine.Hold("a"));
  EXPECT_TRUE(engine.PutHeld("a", "2", engine->Now() + kMinute));
  EXPECT_EQ(engine.Get("a"), "2");
  region.Advance(kMinute);
  EXPECT_EQ(engine.Get("a"), std::nullopt);
  EXPECT_EQ(engine->Size(), 1u);
  ExpectSound(engine);
}

TEST(Expiry, ACounterKeepsItsOwn) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  const double first = engine->Now() + kMinute;
  EXPECT_EQ(engine.Increment("a", 1, first), 1);
  EXPECT_EQ(engine.Increment("a", 1, first + kMinute), 2);
  engine.Get("a");
  EXPECT_EQ(engine.outcome().expires_at, first);
  EXPECT_EQ(engine.Increment("b", 1), 1);
  EXPECT_EQ(engine.Increment("b", 1, first), 2);
  engine.Get("b");
  EXPECT_EQ(engine.outcome().expires_at, std::numeric_limits<double>::infinity());
  region.Advance(kMinute);
  EXPECT_EQ(engine.Increment("a", 1), 1);
  EXPECT_EQ(engine.Increment("b", 1), 3);
  ExpectSound(engine);
}

TEST(Expiry, ANumberKeepsItsOwnWhenItBecomesACounter) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  const double first = engine->Now() + kMinute;
  const double five = 5;
  const std::string bytes(reinterpret_cast<const char*>(&five), sizeof five);
  engine.Put("a", bytes, kPutAlways, 0, kValueNumber, first);
  EXPECT_EQ(engine.Increment("a", 1, first + kMinute), 6);
  EXPECT_EQ(engine.Increment("a", 1, first + kMinute), 7);
  engine.Get("a");
  EXPECT_EQ(engine.outcome().expires_at, first);
  ExpectSound(engine);
}

TEST(Expiry, ACounterIsRenewedIfAsked) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  const double first = engine->Now() + kMinute;
  for (int i = 0; i < 4; ++i) {
    const double expires_at = first + i * kMinute;
    EXPECT_EQ(engine.Increment("a", 1, expires_at, kPutAlways | kRenewExpiry), 2 * i + 1);
    EXPECT_EQ(engine.outcome().expires_at, expires_at);
    // Without it, the expiry that is there is kept, and told.
    EXPECT_EQ(engine.Increment("a", 1, first), 2 * i + 2);
    EXPECT_EQ(engine.outcome().expires_at, expires_at);
    const std::uint64_t version = engine.version();
    engine.Get("a");
    EXPECT_EQ(engine.outcome().expires_at, expires_at);
    EXPECT_EQ(engine.version(), version);
  }
  region.Advance(4 * kMinute);
  engine.Increment("a", 1, engine->Now() + kMinute, kPutIfPresent | kRenewExpiry);
  EXPECT_EQ(engine.status(), Status::kNotDone);
  EXPECT_EQ(engine.Increment("a", 1, engine->Now() + kMinute, kRenewExpiry), 1);
  ExpectSound(engine);
}

TEST(Expiry, SweepingGivesTheMemoryBack) {
  TestRegion region(16 << 20, kFlagCache);
  TestEngine engine(region);
  engine->Close();
  TestEngine other(region);
  const Word before = region.region().Load(kHeaderPagesInUse);
  const double now = other->Now();
  for (int i = 0; i < 20'000; ++i) {
    const double expires_at = i % 4 == 0 ? kNever : now + (i % 4) * kMinute;
    other.Put("key" + std::to_string(i), std::string(100, 'x'), kPutAlways, 0, kValueLatin1, expires_at);
  }
  EXPECT_EQ(SweepAll(other), 0u);
  EXPECT_EQ(other->Size(), 20'000u);
  for (int minutes = 1; minutes <= 3; ++minutes) {
    // Two ticks more, since a segment is due by the tick after its first entry expired.
    region.Advance(kMinute + 2.0 * kExpiryTickMs);
    EXPECT_GT(SweepAll(other, 1), 0u);
    EXPECT_EQ(other->Size(), 20'000u - 5'000u * static_cast<unsigned>(minutes));
    ExpectSound(other);
  }
  EXPECT_EQ(SweepAll(other), 0u) << "nothing is due any more";
  for (int i = 0; i < 20'000; ++i) EXPECT_EQ(other.Has("key" + std::to_string(i)), i % 4 == 0);
  const Word during = region.region().Load(kHeaderPagesInUse);
  for (int i = 0; i < 20'000; i += 4) {
    other.Put("key" + std::to_string(i), std::string(100, 'x'), kPutAlways, 0, kValueLatin1, other->Now());
  }
  region.Advance(2.0 * kExpiryTickMs);
  SweepAll(other);
  EXPECT_EQ(other->Size(), 0u);
  other->Close();
  EXPECT_LT(region.region().Load(kHeaderPagesInUse), during / 2);
  EXPECT_GE(region.region().Load(kHeaderPagesInUse), before);
}

TEST(Expiry, MemoryOfExpiredEntriesServesNewOnesWithoutASweep) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  // Two rounds do not fit at once, so the entries of one must make room for those of the next, and none of its own.
  constexpr int kEntries = 1800;
  for (int round = 0; round < 5; ++round) {
    const std::string prefix = std::to_string(round) + ' ';
    for (int i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(engine.Put(prefix + std::to_string(i), std::string(200, 'x'), kPutAlways, 0, kValueLatin1,
                             engine->Now() + kMinute));
    }
    for (int i = 0; i < kEntries; ++i) EXPECT_TRUE(engine.Get(prefix + std::to_string(i)).has_value()) << prefix << i;
    region.Advance(kMinute + 2.0 * kExpiryTickMs);
  }
  ExpectSound(engine);
}

TEST(Expiry, SweepingLeavesWhatWasRewrittenMeanwhile) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  const double soon = engine->Now() + kMinute;
  for (const char* key : {"rewritten", "kept for ever", "counted", "expired"}) {
    engine.Put(key, "old", kPutAlways, 0, kValueLatin1, soon);
  }
  region.Advance(kMinute + 2.0 * kExpiryTickMs);
  engine.Put("rewritten", "new", kPutAlways, 0, kValueLatin1, engine->Now() + kMinute);
  engine.Put("kept for ever", "new");
  engine.Increment("counted", 5, engine->Now() + kMinute);
  EXPECT_EQ(SweepAll(engine), 1u);
  EXPECT_EQ(engine.Get("rewritten"), "new");
  EXPECT_EQ(engine.Get("kept for ever"), "new");
  EXPECT_EQ(engine.Increment("counted", 0), 5);
  EXPECT_EQ(engine->Size(), 3u);
  ExpectSound(engine);
}

TEST(Expiry, EverySegmentKnowsWhatExpiresFirst) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20, kFlagCache);
  TestEngine engine(region);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 30'000; ++i) {
    const std::string key = std::to_string(random() % 12'000);
    const double expires_at = engine->Now() + static_cast<double>(random() % 1'000'000);
    switch (random() % 6) {
      case 0:
        engine.Remove(key);
        break;
      case 1:
        engine.Put(key, "for ever");
        break;
      case 2:
        engine.Increment("counter" + key, 1, expires_at);
        break;
      default:
        engine.Put(key, "value", kPutAlways, 0, kValueLatin1, expires_at);
    }
    if (i % 1000 == 0) {
      region.Advance(static_cast<double>(random() % 50'000));
      engine->Sweep(random() & 0xffffffff, 1000);
    }
    if (i % 5000 == 0) ExpectSound(engine);
  }
  EXPECT_GT(region.region().Load(kHeaderSegmentCount), 8u);
  ExpectSound(engine);
}

// Each thread writes keys of its own, first so that they have expired, then so that they have not, among sweeps.
TEST(Expiry, WritersAndSweepersAgree) {
  const LongWaits long_waits;
  const std::uint64_t seed = Seed();
  TestRegion region(64 << 20, kFlagCache);
  const int rounds = 20'000 * Scale();
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      TestEngine engine(region);
      std::mt19937_64 random(seed + t);
      const double past = engine->Now() - 10.0 * kExpiryTickMs;
      for (int i = 0; i < rounds; ++i) {
        const std::string key = std::to_string(t) + ":" + std::to_string(random() % 300);
        ASSERT_TRUE(engine.Put(key, "expired", kPutAlways, 0, kValueLatin1, past)) << static_cast<int>(engine.status());
        ASSERT_EQ(engine.Get(key), std::nullopt);
        if (random() % 4 == 0) engine->Sweep(random() & 0xffffffff, 100);
        const std::string value = key + "=" + std::to_string(i);
        ASSERT_TRUE(engine.Put(key, value, kPutIfAbsent, 0, kValueLatin1,
                               random() % 2 == 0 ? kNever : engine->Now() + kMinute));
        if (random() % 4 == 0) engine->Sweep(random() & 0xffffffff, 100);
        ASSERT_EQ(engine.Get(key), value);
        if (random() % 3 == 0) {
          ASSERT_TRUE(engine.Remove(key));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  TestEngine engine(region);
  ExpectSound(engine);
  EXPECT_EQ(engine->Size(), engine.Keys().size());
}

}  // namespace
}  // namespace mapsafe
