// Labels: entries that are absent once the generation of one of their labels is raised. What takes slots is
// written in TypeScript alone; test/groups has its tests.
#include <atomic>
#include <thread>

#include "index/labels.h"
#include "testing.h"

namespace mapsafe {
namespace {

// A table of labels, and their generations.
class Labels {
 public:
  Labels(TestRegion& region, TestEngine& engine) : region_(region.region()) {
    engine->MakeLabelTable(1);
    EXPECT_EQ(engine.status(), Status::kDone);
    table_ = WordOf(region_.Load(kHeaderLabelTables + 1));
    EXPECT_NE(table_, 0u);
  }

  WordIndex Word(std::uint32_t label) const { return table_ + WordIndex{label} * kLabelSlotWords; }

  // Gives the next entry that the engine writes these labels.
  void Give(TestEngine& engine, std::initializer_list<std::uint32_t> labels) const {
    Outcome& outcome = engine.outcome();
    outcome.given_labels = 0;
    for (const std::uint32_t label : labels) {
      outcome.labels[2 * outcome.given_labels] = static_cast<std::uint32_t>(Word(label));
      outcome.labels[2 * outcome.given_labels++ + 1] = region_.Load(Word(label));
    }
  }

  void Invalidate(std::uint32_t label) {
    region_.Add(kHeaderInvalidations, 2);
    region_.Add(Word(label), 1);
    region_.Add(kHeaderInvalidations, 2);
  }

 private:
  Region region_;
  WordIndex table_ = 0;
};

void SweepAll(TestEngine& engine) {
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) hash = engine->Sweep(hash, 1'000'000);
}

TEST(Labels, AnInvalidatedEntryIsAbsent) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  Labels labels(region, engine);
  labels.Give(engine, {3, 5});
  ASSERT_TRUE(engine.Put("a", "1"));
  EXPECT_EQ(engine.outcome().given_labels, 0u);
  ASSERT_TRUE(engine.Put("b", "2"));
  EXPECT_EQ(engine.Get("a"), "1");
  EXPECT_EQ(engine.outcome().found_labels, 2u);
  EXPECT_EQ(engine.outcome().of_found_labels[2], static_cast<std::uint32_t>(labels.Word(5)));
  const std::uint64_t version = engine.version();
  EXPECT_LT(version, 1u << 20);
  EXPECT_EQ(engine.Get("b"), "2");
  EXPECT_EQ(engine.outcome().found_labels, 0u);
  labels.Invalidate(4);
  EXPECT_EQ(engine.Get("a"), "1");
  labels.Invalidate(5);
  EXPECT_EQ(engine.Get("a"), std::nullopt);
  EXPECT_EQ(engine.GetForLoad("a"), std::nullopt);
  EXPECT_FALSE(engine.Has("a"));
  EXPECT_FALSE(engine.Put("a", "2", kPutIfPresent));
  EXPECT_FALSE(engine.Put("a", "2", kPutIfVersion, version));
  EXPECT_FALSE(engine.Remove("a"));
  EXPECT_TRUE(engine.Hold("a"));
  EXPECT_EQ(engine.status(), Status::kAbsent);
  engine->LetGo();
  EXPECT_EQ(engine.Snapshot(), (std::map<std::string, std::string>{{"b", "2"}}));
  EXPECT_EQ(engine->Size(), 2u);
  ExpectSound(engine);
  SweepAll(engine);
  EXPECT_EQ(engine->Size(), 1u);
  EXPECT_TRUE(engine.Put("a", "3", kPutIfAbsent));
  EXPECT_GT(engine.version(), version);
  ExpectSound(engine);
}

TEST(Labels, EverySegmentKnowsOfThem) {
  TestRegion region(4 << 20, kFlagCache);
  TestEngine engine(region);
  Labels labels(region, engine);
  for (int i = 0; i < 5000; ++i) {
    labels.Give(engine, {static_cast<std::uint32_t>(i % 7)});
    ASSERT_TRUE(engine.Put("key" + std::to_string(i), std::string(static_cast<std::size_t>(i % 50), 'v')));
  }
  ExpectSound(engine);
  const std::uint32_t before = engine->Size();
  labels.Invalidate(2);
  SweepAll(engine);
  EXPECT_EQ(engine->Size(), engine.Snapshot().size());
  EXPECT_LT(engine->Size(), before * 7 / 8);
  EXPECT_GT(engine->Size(), before * 5 / 7);
  ExpectSound(engine);
  for (const std::uint32_t label : {0u, 1u, 3u, 4u, 5u, 6u}) labels.Invalidate(label);
  EXPECT_TRUE(engine.Snapshot().empty());
  SweepAll(engine);
  EXPECT_EQ(engine->Size(), 0u);
  ExpectSound(engine);
}

TEST(Labels, ACounterKeepsItsOwn) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  Labels labels(region, engine);
  const double five = 5;
  const std::string bytes(reinterpret_cast<const char*>(&five), sizeof five);
  for (const bool counts : {false, true}) {
    for (const std::uint32_t mode : {kPutAlways, kPutAlways | kRenewExpiry}) {
      labels.Give(engine, {1, 2, 3});
      if (counts) {
        EXPECT_EQ(engine.Increment("a", 5), 5);
      } else {
        ASSERT_TRUE(engine.Put("a", bytes, kPutAlways, 0, kValueNumber));
      }
      for (int i = 1; i <= 4; ++i) {
        labels.Give(engine, {7});  // for a new one
        EXPECT_EQ(engine.Increment("a", 1, kNever, mode), 5 + i);
        const std::uint64_t version = engine.version();
        engine.Get("a");
        EXPECT_EQ(engine.version(), version);
        EXPECT_EQ(engine.outcome().found_labels, 3u);
      }
      ExpectSound(engine);
      labels.Invalidate(7);
      EXPECT_TRUE(engine.Has("a"));
      labels.Invalidate(2);
      EXPECT_FALSE(engine.Has("a"));
      labels.Give(engine, {7});
      EXPECT_EQ(engine.Increment("a", 1, kNever, mode), 1);
      engine.Get("a");
      EXPECT_EQ(engine.outcome().found_labels, 1u);
      ASSERT_TRUE(engine.Remove("a"));
    }
  }
  ExpectSound(engine);
}

TEST(Labels, AHeldWriteNotesThoseGiven) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  Labels labels(region, engine);
  ASSERT_TRUE(engine.Put("a", "0"));  // a held insert into a cache finds no room
  ASSERT_TRUE(engine.Hold("a"));
  labels.Give(engine, {1});
  ASSERT_TRUE(engine.PutHeld("a", "1"));
  ASSERT_TRUE(engine.Hold("a"));
  EXPECT_EQ(engine.outcome().found_labels, 1u);
  labels.Invalidate(1);
  // What was read is gone: the caller reads again.
  EXPECT_FALSE(engine.PutHeld("a", "2"));
  EXPECT_EQ(engine.status(), Status::kNotDone);
  ASSERT_TRUE(engine.Hold("a"));
  EXPECT_EQ(engine.status(), Status::kAbsent);
  ASSERT_TRUE(engine.PutHeld("a", "3"));
  EXPECT_EQ(engine.Get("a"), "3");
  EXPECT_EQ(engine.outcome().found_labels, 0u);
  ExpectSound(engine);
}

// Of three threads, one begins to write, another one invalidates, and a third one writes the same key and has returned.
TEST(Labels, AWriteNeverTakesANewerEntryAway) {
  TestRegion region(4 << 20, kFlagCache);
  TestEngine slow(region);
  TestEngine quick(region);
  Labels labels(region, slow);
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "key" + std::to_string(i);
    slow.outcome().given_labels = 0;
    labels.Give(slow, {1, 2});
    labels.Invalidate(i % 2 == 0 ? 1 : 2);
    if (i % 3 != 0) {
      labels.Give(quick, {1});
      ASSERT_TRUE(quick.Put(key, "new", kPutAlways | kPutGiven));
    }
    if (i % 3 == 2) {
      EXPECT_FALSE(slow.Put(key, "made before", kPutAlways));
      EXPECT_EQ(slow.status(), Status::kNotDone);
      EXPECT_EQ(quick.Get(key), "new") << i;
    } else {
      ASSERT_TRUE(slow.Put(key, "given", kPutAlways | kPutGiven));
      EXPECT_EQ(quick.Get(key), "given") << i;
      labels.Invalidate(1);
      EXPECT_EQ(quick.Get(key), std::nullopt) << i;
    }
    EXPECT_EQ(slow.outcome().given_labels, 0u);
  }
  labels.Give(slow, {3});
  labels.Invalidate(3);
  EXPECT_EQ(slow.Increment("sum", 5), 5);
  EXPECT_TRUE(quick.Has("sum"));
  labels.Invalidate(3);
  EXPECT_FALSE(quick.Has("sum"));
  ExpectSound(slow);
}

TEST(Labels, AValueMadeUnderAHoldIsNotStoredIfOutdated) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  Labels labels(region, engine);
  labels.Give(engine, {2});
  ASSERT_TRUE(engine.Put("a", "0"));
  labels.Invalidate(2);
  labels.Give(engine, {1});
  labels.Invalidate(1);
  ASSERT_TRUE(engine.Hold("a"));
  EXPECT_FALSE(engine.PutHeld("a", "1"));
  EXPECT_EQ(engine.status(), Status::kNotDone);
  ExpectSound(engine);
}

// A generation that is raised no more is noted by nobody: what has it could never be invalidated.
TEST(Labels, AWriteNotesNoGenerationThatIsRaisedNoMore) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  Labels labels(region, engine);
  labels.Give(engine, {1});
  region.region().Store(labels.Word(1), kLabelRetired);
  engine.Put("a", "1", kPutAlways | kPutGiven);
  EXPECT_FALSE(engine.Has("a"));
  ExpectSound(engine);
}

TEST(Labels, ATableIsMadeOnce) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  for (const std::uint32_t level : {0u, 1u, 2u}) {
    engine->MakeLabelTable(level);
    EXPECT_EQ(engine.status(), Status::kDone);
    const Word table = region.region().Load(kHeaderLabelTables + level);
    engine->MakeLabelTable(level);
    EXPECT_EQ(engine.status(), Status::kDone);
    EXPECT_EQ(region.region().Load(kHeaderLabelTables + level), table);
  }
  engine->MakeLabelTable(kLabelLevels - 1);  // larger than the region
  EXPECT_EQ(engine.status(), Status::kFull);
  engine->MakeLabelTable(kLabelLevels);
  EXPECT_EQ(engine.status(), Status::kFull);
  EXPECT_EQ(region.region().Load(kHeaderFeatures) & kFeatureLabels, kFeatureLabels);
  ExpectSound(engine);
}

// What is cached changes before each invalidation. Writers note their labels before they look at it, as loads do;
// readers know which invalidations had returned before they read.
TEST(Labels, NoReadIsOlderThanAnInvalidationBeforeIt) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine setup(region);
  Labels labels(region, setup);
  std::atomic<int> source{0};
  std::atomic<int> returned{0};
  std::atomic<bool> over{false};
  std::atomic<int> stale{0};
  std::atomic<int> reads{0};
  const auto write = [&](bool counts) {
    TestEngine engine(region);
    for (int i = 0; !over; ++i) {
      const std::string key = "key" + std::to_string(i % 3);
      labels.Give(engine, {1, 2});
      const int number = source;
      if (counts && i % 2 == 0) {
        engine.Increment("sum");
      } else {
        engine.Put(key, std::to_string(number));
      }
      engine.outcome().given_labels = 0;
    }
  };
  const auto read = [&] {
    TestEngine engine(region);
    for (int i = 0; !over; ++i) {
      const int before = returned;
      const std::optional<std::string> value = engine.Get("key" + std::to_string(i % 3));
      if (!value) continue;
      ++reads;
      if (std::stoi(*value) < before) ++stale;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(write, false);
  threads.emplace_back(write, true);
  threads.emplace_back(read);
  threads.emplace_back(read);
  const int rounds = 300 * Scale();
  for (int i = 1; i <= rounds || reads < 10; ++i) {  // threads may begin late
    source = i;
    labels.Invalidate(i % 2 == 0 ? 1 : 2);
    returned = i;
    for (int pause = 0; pause < 50; ++pause) std::this_thread::yield();
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stale, 0);
  EXPECT_GT(reads, 0);
  ExpectSound(setup);
}

}  // namespace
}  // namespace mapsafe
