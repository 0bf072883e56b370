// Joining segments, and giving back what a map needed when it was larger: see docs/internals/protocol.md, "Join" and
// "Departures".
#include "write/join.h"

#include <atomic>
#include <set>
#include <thread>

#include "eviction/area.h"
#include "testing.h"

namespace mapsafe {
namespace {

constexpr std::size_t kRegionBytes = 16 << 20;

std::string KeyOf(int i) {
  return "key" + std::to_string(i);
}

int FillWith(TestEngine& engine, const std::string& prefix, std::size_t bytes, int most) {
  int count = 0;
  while (count < most && engine.Put(prefix + std::to_string(count), std::string(bytes, 'v'))) ++count;
  return count;
}

Word SegmentsOf(const TestRegion& region) {
  return region.region().Load(kHeaderSegmentCount);
}

Word PagesOf(const TestRegion& region) {
  return region.region().Load(kHeaderPagesInUse);
}

bool IsAnythingLeaving(const TestRegion& region) {
  for (const WordIndex list : {kHeaderGoneSegments, kHeaderLeavingSegments, kHeaderGoneChunks, kHeaderLeavingChunks}) {
    if (region.region().Load(list) != 0) return true;
  }
  return false;
}

void SweepAll(TestEngine& engine) {
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) {
    hash = engine->Sweep(hash, 1'000'000);
    ASSERT_EQ(engine.status(), Status::kDone);
  }
}

// Few pages: those of an empty map, and blocks in the lists of the thread.
constexpr Word kFewPages = 60;

TEST(Join, AfterAClearAMapIsAsGoodAsNew) {
  for (const Word flags : {Word{0}, kFlagCache}) {
    SCOPED_TRACE(flags);
    const auto capacity = [](TestRegion& region, TestEngine& engine) {
      FillWith(engine, "large", 30'000, 2000);
      static_cast<void>(region);
      return engine->Size();
    };
    TestRegion fresh(kRegionBytes, flags);
    TestEngine in_fresh(fresh);
    const std::uint32_t most = capacity(fresh, in_fresh);
    TestRegion region(kRegionBytes, flags);
    TestEngine engine(region);
    FillWith(engine, "small", 40, 200'000);
    const Word segments = SegmentsOf(region);
    ASSERT_GT(segments, 100u);
    engine->Clear();
    ASSERT_EQ(engine.status(), Status::kDone);
    EXPECT_EQ(SegmentsOf(region), 1u);
    EXPECT_LE(PagesOf(region), kFewPages);
    EXPECT_FALSE(IsAnythingLeaving(region));
    ExpectSound(engine);
    const std::uint32_t again = capacity(region, engine);
    std::printf("%u segments; %u large entries, %u in a fresh one\n", segments, again, most);
    EXPECT_GE(again, most * 95 / 100);
    ExpectSound(engine);
  }
}

TEST(Join, SweepsJoinWhatHasExpired) {
  TestRegion region(kRegionBytes, kFlagCache);
  TestEngine engine(region);
  const double soon = engine->Now() + 1'000'000;  // not before all are there
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(engine.Put(KeyOf(i), "value", kPutAlways, 0, kValueLatin1, i < 50 ? kNever : soon));
  }
  ASSERT_GT(SegmentsOf(region), 80u);
  region.Advance(2'000'000);
  SweepAll(engine);
  EXPECT_LE(SegmentsOf(region), 4u);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(engine.Get(KeyOf(i)), "value");
  ASSERT_EQ(engine->Size(), 50u);
  EXPECT_LE(PagesOf(region), 250u);
  ExpectSound(engine);
}

TEST(Join, AWriteThatFindsNoMemoryJoins) {
  TestRegion region(4 << 20);
  TestEngine engine(region);
  const int count = FillWith(engine, "small", 20, 1'000'000);
  for (int i = 0; i < count; ++i) ASSERT_TRUE(engine.Remove("small" + std::to_string(i)));
  const Word segments = SegmentsOf(region);
  FillWith(engine, "large", 30'000, 1000);
  EXPECT_LE(SegmentsOf(region), std::max(4u, segments / 8));
  ExpectSound(engine);
}

// Another thread may be in the middle of an operation that began before the segments vanished.
TEST(Join, WhatLeftStaysUntilEveryThreadHasBegunAnOperation) {
  TestRegion region(kRegionBytes);
  TestEngine other(region);
  TestEngine engine(region);
  ASSERT_TRUE(other.Put("one", "1"));
  FillWith(engine, "small", 40, 50'000);
  const Word pages = PagesOf(region);
  engine->Clear();
  EXPECT_EQ(SegmentsOf(region), 1u);
  EXPECT_TRUE(IsAnythingLeaving(region));
  EXPECT_GT(PagesOf(region), pages / 20);
  ExpectSound(engine);
  ASSERT_FALSE(other.Has("one"));
  engine->Clear();
  EXPECT_FALSE(IsAnythingLeaving(region));
  EXPECT_LE(PagesOf(region), kFewPages);
  ExpectSound(engine);
}

TEST(Join, VersionsGrowAcrossJoins) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  std::map<std::string, std::uint64_t> versions;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20'000; ++i) {
      const std::string key = KeyOf(i);
      ASSERT_TRUE(engine.Put(key, "value"));
      ASSERT_GT(engine.version(), versions[key]) << key;
      versions[key] = engine.version();
    }
    for (int i = 0; i < 20'000; ++i) {
      if (i % 200 != round) {
        ASSERT_TRUE(engine.Remove(KeyOf(i)));
      }
    }
    SweepAll(engine);
    SweepAll(engine);
    for (int i = round; i < 20'000; i += 200) {
      ASSERT_EQ(engine.Get(KeyOf(i)), "value");
      ASSERT_EQ(engine.version(), versions[KeyOf(i)]);
    }
  }
  EXPECT_LE(SegmentsOf(region), 8u);
  ExpectSound(engine);
}

TEST(Join, SweepsLeaveSegmentsThatWereHot) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(engine.Put(KeyOf(i), "value"));
  Region words = region.region();
  const Block segment = words.Load(WordOf(words.Load(kHeaderDirectory)) + kDirectoryEntries);
  words.Store(WordOf(segment) + kSegmentParted, 1);
  for (int i = 10; SegmentsOf(region) == 1; ++i) ASSERT_TRUE(engine.Put(KeyOf(i), "value"));
  for (int i = 10; i < 2000; ++i) engine.Remove(KeyOf(i));
  SweepAll(engine);
  EXPECT_EQ(SegmentsOf(region), 2u);
  engine->Clear();
  EXPECT_EQ(SegmentsOf(region), 1u);
  ExpectSound(engine);
}

// The first pass of a snapshot has copied a segment, which then takes in the one that the pass comes to next.
TEST(Join, ASnapshotInStepsHasNoKeyTwice) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(engine.Put(KeyOf(i), "value"));
  for (int i = 100; i < 2000; ++i) ASSERT_TRUE(engine.Remove(KeyOf(i)));
  const Word segments = SegmentsOf(region);
  ASSERT_GT(segments, 2u);
  TestEngine other(region);
  const std::uint32_t job = other->BeginSnapshot();
  ASSERT_FALSE(other->CopyAhead(job, 1));
  for (std::uint64_t hash = 0; SegmentsOf(region) == segments;) hash = engine->Sweep(hash, 1);
  while (!other->CopyAhead(job, 1)) {
  }
  other->FinishSnapshot(job);
  ASSERT_EQ(other.status(), Status::kDone);
  int count = 0;
  for (SnapshotPiece& piece : *other->PiecesOf(job)) {
    for (std::size_t at = 0; at < piece.used;) {
      const EntryHeader header = ReadCopiedHeader(piece.words.get() + at);
      if (header.key_kind() != 0) ++count;
      at += header.words();
    }
  }
  EXPECT_EQ(count, 100);
  other->DropSnapshot(job);
  ExpectSound(engine);
}

// Fills and empties the map again and again, so that segments split and join.
void Breathe(const TestRegion& region, int thread, int rounds, std::atomic<int>* running) {
  TestEngine engine(region);
  for (int round = 0; round < rounds; ++round) {
    const std::string prefix = std::to_string(thread) + "." + std::to_string(round) + ".";
    for (int i = 0; i < 3000; ++i) engine.Put(prefix + std::to_string(i), "passing");
    for (int i = 0; i < 3000; ++i) engine.Remove(prefix + std::to_string(i));
    for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) hash = engine->Sweep(hash, 1'000'000);
  }
  --*running;
}

TEST(Join, KeysThatStayAreAlwaysFoundAndWalkedOnce) {
  const LongWaits waits;
  TestRegion region(kRegionBytes);
  // Sweeps join no segment that was split for being hot.
  region.region().Store(kHeaderReliefLimit, 0);
  constexpr int kStaying = 100;
  {
    TestEngine engine(region);
    for (int i = 0; i < kStaying; ++i) ASSERT_TRUE(engine.Put(KeyOf(i), "stays" + std::to_string(i)));
  }
  std::atomic<int> running = 2;
  std::atomic<int> counted = 0;
  std::vector<std::thread> threads;
  threads.reserve(5);
  for (int i = 0; i < 2; ++i) threads.emplace_back([&, i] { Breathe(region, i, 15 * Scale(), &running); });
  threads.emplace_back([&] {
    TestEngine engine(region);
    std::mt19937_64 random(11);
    while (running > 0) {
      const int i = static_cast<int>(random() % kStaying);
      ASSERT_EQ(engine.Get(KeyOf(i)), "stays" + std::to_string(i));
    }
  });
  threads.emplace_back([&] {
    TestEngine engine(region);
    while (running > 0) {
      int staying = 0;
      std::set<std::string> seen;
      for (const std::string& key : engine.Keys()) {
        ASSERT_TRUE(seen.insert(key).second) << key;
        staying += key.starts_with("key") ? 1 : 0;
      }
      ASSERT_EQ(staying, kStaying);
      int in_snapshot = 0;
      for (const auto& [key, value] : engine.Snapshot()) in_snapshot += key.starts_with("key") ? 1 : 0;
      ASSERT_EQ(in_snapshot, kStaying);
    }
  });
  threads.emplace_back([&] {
    TestEngine engine(region);
    while (running > 0) {
      engine.Increment("counter" + std::to_string(counted % 50));
      ASSERT_EQ(engine.status(), Status::kDone);
      ++counted;
    }
  });
  for (std::thread& thread : threads) thread.join();
  TestEngine engine(region);
  double sum = 0;
  for (int i = 0; i < 50; ++i) sum += engine.Increment("counter" + std::to_string(i), 0);
  EXPECT_EQ(sum, counted.load());
  SweepAll(engine);
  SweepAll(engine);
  EXPECT_LE(SegmentsOf(region), 2u);
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
