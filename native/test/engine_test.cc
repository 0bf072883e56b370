// The operations of one engine against std::map, and the conditions of writes.
#include <map>

#include "base/geometry.h"
#include "testing.h"

namespace mapsafe {
namespace {

TEST(Engine, StoresReplacesAndDeletes) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  EXPECT_EQ(engine.Get("a"), std::nullopt);
  EXPECT_TRUE(engine.Put("a", "1"));
  EXPECT_EQ(engine.Get("a"), "1");
  EXPECT_TRUE(engine.Put("a", ""));
  EXPECT_EQ(engine.Get("a"), "");
  EXPECT_EQ(engine->Size(), 1u);
  EXPECT_TRUE(engine.Remove("a"));
  EXPECT_FALSE(engine.Remove("a"));
  EXPECT_EQ(engine.Get("a"), std::nullopt);
  EXPECT_EQ(engine->Size(), 0u);
  ExpectSound(engine);
}

// Long ones are copied by whole lines, from odd words as well as from even ones.
TEST(Engine, ValuesOfAllLengthsComeBack) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  std::string value;
  for (std::size_t length = 0; length < 1'300; ++length) {
    for (const char* key : {"key", "longer key"}) {
      ASSERT_TRUE(engine.Put(key, value));
      ASSERT_EQ(engine.Get(key), value) << key;
    }
    value += static_cast<char>('!' + length % 89);
  }
  ExpectSound(engine);
}

// One size in 129 would need a page more than there is, if a last page counted that its descriptor has no room for.
TEST(Engine, ThePageTableEndsBeforeTheHeapBegins) {
  for (std::size_t pages = 256; pages < 1256; ++pages) {
    const std::size_t bytes = pages * kPageBytes;
    const std::size_t table_blocks = std::size_t{HeapPages(bytes)} * kPageEntryWords * sizeof(Word) / kBlockBytes;
    EXPECT_LE(kPageTableBlock + table_blocks, HeapBlock(bytes)) << pages << " pages";
    EXPECT_EQ(HeapBlock(bytes) + HeapPages(bytes) * kPageBlocks, bytes / kBlockBytes);
  }
}

TEST(Engine, HonoursConditions) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  EXPECT_FALSE(engine.Put("a", "1", kPutIfPresent));
  EXPECT_TRUE(engine.Put("a", "1", kPutIfAbsent));
  EXPECT_FALSE(engine.Put("a", "2", kPutIfAbsent | kReturnPrevious));
  EXPECT_EQ(engine.Copied(), "1");
  const std::uint64_t version = engine.version();
  EXPECT_TRUE(engine.Put("a", "2", kPutIfVersion, version));
  EXPECT_FALSE(engine.Put("a", "3", kPutIfVersion, version));
  EXPECT_FALSE(engine.Remove("a", kPutIfVersion, version));
  EXPECT_TRUE(engine.Put("a", "3", kPutAlways | kReturnPrevious));
  EXPECT_EQ(engine.Copied(), "2");
  EXPECT_TRUE(engine.Remove("a", kPutIfVersion, engine.version()));
  ExpectSound(engine);
}

TEST(Engine, HoldsAKeyUntilItIsWrittenOrLetGo) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  TestEngine reader(region);
  EXPECT_TRUE(engine.Hold("a"));
  EXPECT_EQ(engine.status(), Status::kAbsent);
  EXPECT_EQ(reader.Get("a"), std::nullopt);
  EXPECT_TRUE(engine.PutHeld("a", "1"));
  EXPECT_EQ(reader.Get("a"), "1");
  const std::uint64_t version = engine.version();
  EXPECT_TRUE(engine.Hold("a"));
  EXPECT_EQ(engine.Copied(), "1");
  EXPECT_EQ(engine.version(), version);
  EXPECT_EQ(reader.Get("a"), "1");
  engine->LetGo();
  engine->LetGo();
  EXPECT_TRUE(reader.Put("a", "2", kPutIfVersion, version));
  EXPECT_TRUE(engine.Hold("a"));
  EXPECT_TRUE(engine.RemoveHeld("a"));
  EXPECT_EQ(reader.Get("a"), std::nullopt);
  EXPECT_TRUE(reader.Put("a", "3"));
  EXPECT_TRUE(engine.Hold("a"));
  engine->Close();
  EXPECT_TRUE(reader.Put("a", "4"));
  ExpectSound(reader);
}

TEST(Engine, OthersCannotWriteAHeldKey) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  TestEngine other(region);
  engine.Put("a", "1");
  ASSERT_TRUE(engine.Hold("a"));
  EXPECT_FALSE(other.Put("a", "2"));
  EXPECT_EQ(other.status(), Status::kTimeout);
  EXPECT_TRUE(engine.PutHeld("a", "3"));
  EXPECT_TRUE(other.Put("a", "4"));
  ExpectSound(engine);
}

TEST(Engine, HeldWritesAgreeWithAModelWhileTheMapGrows) {
  std::mt19937_64 random(Seed());
  TestRegion region(64 << 20);
  TestEngine engine(region);
  std::map<std::string, std::string> model;
  for (int i = 0; i < 60000; ++i) {
    const std::string key = "key" + std::to_string(random() % 20000);
    const auto found = model.find(key);
    ASSERT_TRUE(engine.Hold(key));
    ASSERT_EQ(engine.status() == Status::kFound, found != model.end());
    if (found != model.end()) {
      EXPECT_EQ(engine.Copied(), found->second);
    }
    if (random() % 4 == 0) {
      engine->LetGo();
    } else if (random() % 3 == 0) {
      EXPECT_EQ(engine.RemoveHeld(key), model.erase(key) == 1);
    } else {
      const std::string value(random() % 100, 'v');
      ASSERT_TRUE(engine.PutHeld(key, value));
      model[key] = value;
    }
  }
  EXPECT_EQ(engine->Size(), model.size());
  EXPECT_EQ(engine.Snapshot(), model);
  ExpectSound(engine);
}

TEST(Engine, SnapshotHasLongEntriesWhole) {
  TestRegion region(64 << 20);
  TestEngine engine(region);
  std::map<std::string, std::string> model;
  EXPECT_EQ(engine.Snapshot(), model);
  for (std::size_t i = 0; i < 300; ++i) {
    model["key" + std::to_string(i)] = std::string(i % 50 == 0 ? i * 10000 : i, static_cast<char>('a' + i % 26));
  }
  for (const auto& [key, value] : model) ASSERT_TRUE(engine.Put(key, value));
  EXPECT_EQ(engine.Snapshot(), model);
  ExpectSound(engine);
}

TEST(Engine, VersionsGrowAcrossDeletion) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  std::uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    engine.Put("a", "x");
    EXPECT_GT(engine.version(), last);
    last = engine.version();
    engine.Remove("a");
  }
}

TEST(Engine, VersionsGrowAcrossSplits) {
  TestRegion region(64 << 20);
  TestEngine engine(region);
  std::vector<std::uint64_t> versions;
  for (int i = 0; i < 400; ++i) {
    for (int j = 0; j < 50; ++j) engine.Put("k" + std::to_string(i), "x");
    versions.push_back(engine.version());
  }
  for (int i = 0; i < 20000; ++i) engine.Put("filler" + std::to_string(i), "x");
  for (std::size_t i = 0; i < versions.size(); ++i) {
    engine.Put("k" + std::to_string(i), "x");
    EXPECT_GT(engine.version(), versions[i]);
  }
  ExpectSound(engine);
}

TEST(Engine, VersionsGrowAcrossTheWrapOfABucketVersion) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine.Put("a", "x");
  region.region().Store(WordOf(engine.outcome().home) + kBucketVersion, 0xfffffffcu);
  engine.Put("a", "x");
  const std::uint64_t before = engine.version();
  engine.Put("a", "x");
  EXPECT_EQ(engine.version(), before + 1);
  EXPECT_EQ(engine.outcome().home_version, 0u);
  engine.Put("a", "x");
  EXPECT_EQ(engine.version(), before + 2);
  ExpectSound(engine);
}

TEST(Engine, CountsExactlyAndRefusesToOverflow) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  EXPECT_EQ(engine.Increment("n"), 1);
  // The one of last time is gone, though its block is still there.
  EXPECT_EQ(engine.Increment("n"), 2);
  EXPECT_EQ(engine.Increment("n"), 3);
  engine.Remove("n");
  EXPECT_EQ(engine.Increment("n"), 1);
  EXPECT_EQ(engine.Increment("n", 9007199254740990.0), 9007199254740991.0);
  engine.Increment("n");
  EXPECT_EQ(engine.status(), Status::kCounterRange);
  EXPECT_EQ(engine.Increment("n", -1), 9007199254740990.0);
  engine.Put("s", "text");
  engine.Increment("s");
  EXPECT_EQ(engine.status(), Status::kNotACounter);
  ExpectSound(engine);
}

TEST(Engine, CountsOnlyWhatIsThereIfAsked) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  engine.Increment("n", -1, kNever, kPutIfPresent);
  EXPECT_EQ(engine.status(), Status::kNotDone);
  EXPECT_FALSE(engine.Has("n"));
  EXPECT_EQ(engine.Increment("n", 5), 5);
  EXPECT_EQ(engine.Increment("n", -1, kNever, kPutIfPresent), 4);
  EXPECT_EQ(engine.Increment("n", -1, kNever, kPutIfPresent), 3);
  EXPECT_EQ(engine.status(), Status::kDone);
  // The one of last time is gone, though its block is still there.
  engine.Remove("n");
  engine.Increment("n", -1, kNever, kPutIfPresent);
  EXPECT_EQ(engine.status(), Status::kNotDone);
  EXPECT_EQ(engine->Size(), 0u);
  engine.Put("s", "text");
  engine.Increment("s", 1, kNever, kPutIfPresent);
  EXPECT_EQ(engine.status(), Status::kNotACounter);
  ExpectSound(engine);
}

TEST(Engine, AgreesWithAModelWhileItGrowsAndShrinks) {
  std::mt19937_64 random(Seed());
  TestRegion region(64 << 20);
  TestEngine engine(region);
  std::map<std::string, std::string> model;
  for (int i = 0; i < 200000; ++i) {
    const std::string key = "key" + std::to_string(random() % 30000);
    switch (random() % 4) {
      case 0:
        EXPECT_EQ(engine.Remove(key), model.erase(key) == 1);
        break;
      case 1: {
        const auto found = model.find(key);
        EXPECT_EQ(engine.Get(key), found == model.end() ? std::nullopt : std::optional(found->second));
        break;
      }
      default: {
        std::string value(random() % (random() % 50 == 0 ? 3000 : 200), 'x');
        value += key;
        EXPECT_TRUE(engine.Put(key, value));
        model[key] = value;
      }
    }
  }
  EXPECT_EQ(engine->Size(), model.size());
  std::vector<std::string> keys = engine.Keys();
  std::sort(keys.begin(), keys.end());
  std::vector<std::string> expected;
  for (const auto& [key, value] : model) {
    expected.push_back(key);
    EXPECT_EQ(engine.Get(key), value);
  }
  EXPECT_EQ(keys, expected);
  ExpectSound(engine);
  engine->Clear();
  EXPECT_EQ(engine->Size(), 0u);
  EXPECT_TRUE(engine.Keys().empty());
  ExpectSound(engine);
}

TEST(Engine, FullRegionRefusesAndKeepsEverything) {
  TestRegion region(kMinRegionBytes);
  TestEngine engine(region);
  int stored = 0;
  while (engine.Put("key" + std::to_string(stored), std::string(100, 'v'))) ++stored;
  EXPECT_EQ(engine.status(), Status::kFull);
  EXPECT_GT(stored, 3000);
  for (int i = 0; i < stored; ++i) EXPECT_EQ(engine.Get("key" + std::to_string(i)), std::string(100, 'v'));
  ExpectSound(engine);
  // Every byte freed by deleting can be used again, for another size too.
  for (int i = 0; i < stored; ++i) EXPECT_TRUE(engine.Remove("key" + std::to_string(i)));
  EXPECT_TRUE(engine.Put("large", std::string(300000, 'v')));
  ExpectSound(engine);
  EXPECT_FALSE(engine.Put("too large", std::string(2000000, 'v')));
  EXPECT_EQ(engine.status(), Status::kEntryTooLarge);
}

TEST(Engine, LargeValuesComeAndGo) {
  std::mt19937_64 random(Seed());
  TestRegion region(16 << 20);
  TestEngine engine(region);
  std::map<std::string, std::string> model;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = std::to_string(random() % 20);
    if (random() % 3 == 0) {
      EXPECT_EQ(engine.Remove(key), model.erase(key) == 1);
    } else {
      std::string value(random() % 400000, static_cast<char>('a' + random() % 26));
      EXPECT_TRUE(engine.Put(key, value));
      model[key] = std::move(value);
    }
  }
  for (const auto& [key, value] : model) EXPECT_EQ(engine.Get(key), value);
  ExpectSound(engine);
}

TEST(Engine, ManyKeysWithOneHashFillUpInsteadOfGrowingTheDirectory) {
  TestRegion region(16 << 20);
  TestEngine engine(region);
  // Keys whose hashes agree in the 13 bits that a directory of depth 7 and the home bucket look at.
  int stored = 0;
  Status last = Status::kDone;
  for (int i = 0; i < 4000000 && last == Status::kDone; ++i) {
    const Word words[2] = {static_cast<Word>(i), 0};
    const std::uint32_t hash = HalfSipHash({0x01234567, 0x89abcdef}, words, 4, kKeyLatin1);
    if ((hash & 0xfe00003fu) != 0) continue;
    const std::string key(reinterpret_cast<const char*>(words), 4);
    last = engine.Put(key, "v") ? Status::kDone : engine.status();
    if (last == Status::kDone) ++stored;
  }
  EXPECT_GT(stored, 60);
  EXPECT_LT(region.region().Load(WordOf(region.region().Load(kHeaderDirectory)) + kDirectoryDepth), 16u);
  ExpectSound(engine);
}

TEST(Engine, EveryThreadRecordCanBeTakenAndReturned) {
  TestRegion region(kMinRegionBytes);
  std::vector<std::unique_ptr<Engine>> engines;
  Outcome outcome{};
  for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
    engines.push_back(Engine::Attach(region.base(), region.bytes(), {1, i}, &outcome));
    ASSERT_NE(engines.back(), nullptr);
  }
  EXPECT_EQ(Engine::Attach(region.base(), region.bytes(), {1, 0}, &outcome), nullptr);
  engines.pop_back();
  EXPECT_NE(Engine::Attach(region.base(), region.bytes(), {1, 0}, &outcome), nullptr);
}

}  // namespace
}  // namespace mapsafe
