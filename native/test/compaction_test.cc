// Moving entries, so that memory that is free in many places serves large entries: see docs/internals/protocol.md,
// "Compaction".
#include "write/compaction.h"

#include <array>
#include <atomic>
#include <thread>

#include "testing.h"

namespace mapsafe {
namespace {

constexpr std::size_t kRegionBytes = 16 << 20;

std::string KeyOf(int i) {
  return "key" + std::to_string(i);
}

// Puts entries with `bytes` bytes of value until there is no more room. Returns how many.
int FillWith(TestEngine& engine, const std::string& prefix, std::size_t bytes) {
  int count = 0;
  while (engine.Put(prefix + std::to_string(count), std::string(bytes, static_cast<char>('a' + count % 26)))) ++count;
  EXPECT_EQ(engine.status(), Status::kFull);
  return count;
}

int Capacity(std::size_t bytes) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  return FillWith(engine, "large", bytes);
}

struct Kept {
  std::string value;
  std::uint64_t version;
  Block entry;
  Word home_version;
};

// Deletes all but every hundredth of `count` small entries; returns those that stay.
std::map<std::string, Kept> Thin(TestEngine& engine, int count) {
  for (int i = 0; i < count; ++i) {
    if (i % 100 != 0) {
      EXPECT_TRUE(engine.Remove("small" + std::to_string(i)));
    }
  }
  std::map<std::string, Kept> kept;
  for (int i = 0; i < count; i += 100) {
    const std::string key = "small" + std::to_string(i);
    const std::string value = engine.Get(key).value_or("");
    kept[key] = {value, engine.version(), engine.outcome().entry, engine.outcome().home_version};
  }
  return kept;
}

TEST(Compaction, AMapThatWasEmptiedTakesLargeEntries) {
  for (const std::size_t bytes : {1000, 6000, 30'000, 60'000, 200'000}) {
    SCOPED_TRACE(bytes);
    TestRegion region(kRegionBytes);
    TestEngine engine(region);
    const int small = FillWith(engine, "small", 100);
    const auto kept = Thin(engine, small);
    const int large = FillWith(engine, "large", bytes);
    const int fresh = Capacity(bytes);
    std::printf("%zu bytes: %d entries after %d small ones, %d in an empty map\n", bytes, large, small, fresh);
    int moved = 0;
    // The index of the small entries stays, a sixteenth of the map, and so do the entries that are left.
    EXPECT_GE(large, fresh * 80 / 100);
    for (const auto& [key, expected] : kept) {
      ASSERT_EQ(engine.Get(key), expected.value) << key;
      ASSERT_EQ(engine.version(), expected.version) << key;
      if (engine.outcome().entry == expected.entry) continue;
      ++moved;
      ASSERT_NE(engine.outcome().home_version, expected.home_version) << key;
    }
    EXPECT_GT(moved, 0);
    ExpectSound(engine);
  }
}

// Tombstones, as the segments count them.
std::uint32_t TombstonesIn(TestEngine& engine) {
  Region region = engine.region();
  const Block directory = region.Load(kHeaderDirectory);
  const std::size_t entries = std::size_t{1} << region.Load(WordOf(directory) + kDirectoryDepth);
  std::uint32_t tombstones = 0;
  Block last = 0;
  for (std::size_t i = 0; i < entries; ++i) {
    const Block segment = region.Load(WordOf(directory) + kDirectoryEntries + i);
    if (segment != last) tombstones += region.Load(WordOf(segment) + kSegmentTombstones);
    last = segment;
  }
  return tombstones;
}

TEST(Compaction, ACallReclaimsNoMoreThanItNeeds) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  constexpr int kSmall = 60'000;
  for (int i = 0; i < kSmall; ++i) ASSERT_TRUE(engine.Put("small" + std::to_string(i), std::string(100, 's')));
  // Much of the map is free, so that what is deleted now becomes tombstones.
  for (int i = 0; i < kSmall; ++i) {
    if (i % 3 != 0) {
      ASSERT_TRUE(engine.Remove("small" + std::to_string(i)));
    }
  }
  const std::uint32_t before = TombstonesIn(engine);
  ASSERT_GT(before, kSmall / 8u);
  // An insert takes the place of one tombstone.
  int large = 0;
  while (TombstonesIn(engine) + 100 > before) {
    ASSERT_TRUE(engine.Put("large" + std::to_string(large++), std::string(200'000, 'l')));
  }
  EXPECT_GT(TombstonesIn(engine), before / 2);
  EXPECT_GT(large, 10);
  ExpectSound(engine);
}

TEST(Compaction, AFullMapLeavesNoTombstones) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  const int small = FillWith(engine, "small", 100);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(engine.Remove("small" + std::to_string(i)));
  EXPECT_EQ(TombstonesIn(engine), 0u);
  for (int i = 0; i < 900; ++i) ASSERT_TRUE(engine.Put("again" + std::to_string(i), std::string(100, 'a')));
  EXPECT_EQ(engine->Size(), static_cast<std::uint64_t>(small - 100));
  ExpectSound(engine);
}

// A span without a used block serves as long as it is the only one of its class with room.
TEST(Compaction, ASpanWithoutBlocksStaysOnlyAlone) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  Heap heap(engine.region());
  constexpr std::uint32_t kClass = 20;
  Status failure;
  std::vector<Block> blocks;
  for (std::uint32_t i = 0; i < 2 * SpanCapacity(kClass); ++i) {
    blocks.push_back(heap.Take(kClass, Place::kOutsideReserve, &failure));
    ASSERT_NE(blocks.back(), 0u);
    heap.Commit();
  }
  const auto is_span = [&](Block block) {
    return (engine.region().Load(heap.Descriptor(heap.PageOf(block)) + kPageKind) & 0xff) == kPageSpan;
  };
  for (std::uint32_t i = 0; i < SpanCapacity(kClass); ++i) {
    ASSERT_TRUE(heap.Give(kClass, blocks[i]));
    heap.Commit();
  }
  EXPECT_TRUE(is_span(blocks.front()));
  ASSERT_TRUE(heap.Give(kClass, blocks.back()));
  heap.Commit();
  EXPECT_FALSE(is_span(blocks.front()));
  EXPECT_TRUE(is_span(blocks[SpanCapacity(kClass)]));
  for (std::uint32_t i = SpanCapacity(kClass); i + 1 < blocks.size(); ++i) {
    ASSERT_TRUE(heap.Give(kClass, blocks[i]));
    heap.Commit();
  }
  ExpectSound(engine);
}

// Whether the entry read last is in another bucket than its home.
bool IsSpilled(TestEngine& engine) {
  Region region = engine.region();
  const Bucket home(region, WordOf(engine.outcome().home));
  for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
    if (home.Slot(slot) == engine.outcome().entry) return false;
  }
  return true;
}

// Most keys get short values, so that the index stays as full as it was.
TEST(Compaction, EntriesThatSpilledMoveToo) {
  TestRegion region(kRegionBytes);
  TestEngine engine(region);
  const int count = FillWith(engine, "key", 2000);
  for (int i = 0; i < count; ++i) {
    if (i % 10 != 0) {
      ASSERT_TRUE(engine.Put("key" + std::to_string(i), "short"));
    }
  }
  std::map<std::string, Block> spilled;
  for (int i = 0; i < count; i += 10) {
    const std::string key = "key" + std::to_string(i);
    ASSERT_TRUE(engine.Get(key));
    if (IsSpilled(engine)) spilled[key] = engine.outcome().entry;
  }
  FillWith(engine, "large", 60'000);
  int moved = 0;
  for (const auto& [key, entry] : spilled) {
    ASSERT_TRUE(engine.Get(key)) << key;
    if (engine.outcome().entry != entry) ++moved;
  }
  std::printf("%d of %zu entries that had spilled were moved\n", moved, spilled.size());
  EXPECT_GT(moved, 0);
  ExpectSound(engine);
}

TEST(Compaction, BlocksInTheListsOfOtherThreadsComeHome) {
  constexpr std::size_t kLarge = 600'000;
  TestRegion region(1 << 20);
  TestEngine other(region);
  const int count = FillWith(other, "small", 600);
  // Freed first, these lie all over the map, and stay in the list.
  const int apart = count / 12;
  for (int i = 0; i < count; i += apart) ASSERT_TRUE(other.Remove("small" + std::to_string(i)));
  for (int i = 0; i < count; ++i) {
    if (i % apart != 0) {
      ASSERT_TRUE(other.Remove("small" + std::to_string(i)));
    }
  }
  TestEngine engine(region);
  ASSERT_FALSE(engine.Put("large", std::string(kLarge, 'l')));
  ASSERT_TRUE(other.Put("one", "more"));
  ASSERT_TRUE(engine.Put("large", std::string(kLarge, 'l')));
  ExpectSound(engine);
}

// An entry's expiry, node and place in the queues come along.
TEST(Compaction, EntriesOfACacheStayWhatTheyAre) {
  TestRegion region(4 << 20, kFlagCache);
  TestEngine engine(region);
  const double now = engine->Now();
  std::vector<std::string> kept;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(engine.Put("passing" + std::to_string(i), std::string(600, 'p')));
    if (i % 30 != 0) continue;
    kept.push_back("kept" + std::to_string(i));
    ASSERT_TRUE(engine.Put(kept.back(), std::string(600, 'k'), kPutAlways, 0, kValueLatin1, now + 1e9 + i));
  }
  for (int i = 0; i < 3000; ++i) engine.Remove("passing" + std::to_string(i));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(engine.Put("large" + std::to_string(i), std::string(60'000, 'l')));
  for (const std::string& key : kept) {
    ASSERT_EQ(engine.Get(key), std::string(600, 'k')) << key;
    ASSERT_GT(engine.outcome().expires_at, now + 5e8);
  }
  ExpectSound(engine);
  engine->Clear();
  ASSERT_EQ(engine->Size(), 0u);
  ExpectSound(engine);
}

// Writes values of sizes that shift, so that entries of the others are moved again and again.
void ShiftSizes(const TestRegion& region, int rounds, std::atomic<bool>* ended) {
  TestEngine engine(region);
  std::mt19937_64 random(7);
  std::vector<std::string> live;
  for (int round = 0; round < rounds; ++round) {
    const std::size_t bytes = std::array<std::size_t, 4>{300, 5000, 40'000, 1000}[round % 4];
    for (int i = 0; engine.Put(std::to_string(round) + "." + std::to_string(i), std::string(bytes, 's')); ++i) {
      live.push_back(std::to_string(round) + "." + std::to_string(i));
    }
    std::shuffle(live.begin(), live.end(), random);
    while (live.size() > 20) {
      engine.Remove(live.back());
      live.pop_back();
    }
  }
  *ended = true;
}

TEST(Compaction, EntriesAreReadAndCountedWhileTheyMove) {
  const LongWaits waits;
  TestRegion region(2 << 20);
  constexpr int kEntries = 200;
  constexpr int kCounters = 200;
  const auto value_of = [](int i) {
    return std::to_string(i) + std::string(100 + 7 * i, static_cast<char>('a' + i % 26));
  };
  {
    TestEngine engine(region);
    for (int i = 0; i < kEntries; ++i) ASSERT_TRUE(engine.Put(KeyOf(i), value_of(i)));
  }
  // As long as the short ones among the entries that come and go, so that they lie among them.
  const auto counter_of = [](int i) { return std::to_string(i) + std::string(275, 'c'); };
  std::atomic<bool> ended = false;
  std::atomic<int> counted = 0;
  std::thread shifter([&] { ShiftSizes(region, 200 * Scale(), &ended); });
  std::thread reader([&] {
    TestEngine engine(region);
    std::map<int, std::uint64_t> versions;
    std::mt19937_64 random(11);
    while (!ended) {
      const int i = static_cast<int>(random() % kEntries);
      ASSERT_EQ(engine.Get(KeyOf(i)), value_of(i));
      const auto known = versions.emplace(i, engine.version()).first;
      ASSERT_EQ(engine.version(), known->second);
    }
  });
  std::thread counter([&] {
    TestEngine engine(region);
    while (!ended) {
      engine.Increment(counter_of(counted % kCounters));
      if (engine.status() == Status::kDone) ++counted;
    }
  });
  shifter.join();
  reader.join();
  counter.join();
  TestEngine engine(region);
  double sum = 0;
  for (int i = 0; i < kCounters; ++i) sum += engine.Increment(counter_of(i), 0);
  EXPECT_EQ(sum, counted.load());
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
