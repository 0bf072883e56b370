// Many threads on one region. Every test is a property that a broken protocol violates; scripts/mutants proves that
// each does. Run under ThreadSanitizer, AddressSanitizer and UndefinedBehaviorSanitizer, without suppressions.
#include <thread>

#include "testing.h"

namespace mapsafe {
namespace {

constexpr int kThreads = 4;

// Runs `body(thread index, engine, random)` on several threads, each with its own engine.
template <typename Body>
void InParallel(const TestRegion& region, std::uint64_t seed, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&region, seed, i, &body] {
      TestEngine engine(region);
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(i));
      body(i, engine, random);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A value that shows its key and whether it is whole: the key, then one letter over and over, of a random length.
std::string Whole(const std::string& key, std::mt19937_64& random) {
  const std::size_t length = random() % 20 == 0 ? random() % 5000 : random() % 120;
  return key + ":" + std::string(length, static_cast<char>('a' + random() % 26));
}

bool IsWhole(const std::string& key, const std::string& value) {
  if (value.compare(0, key.size() + 1, key + ":") != 0) return false;
  return value.find_first_not_of(value.back(), key.size() + 1) == std::string::npos;
}

TEST(Stress, NoUpdateIsLost) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  const int rounds = 20000 * Scale();
  InParallel(region, seed, [&](int, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < rounds; ++i) {
      engine.Increment("counter" + std::to_string(random() % 3));
      ASSERT_EQ(engine.status(), Status::kDone);
    }
  });
  TestEngine engine(region);
  double sum = 0;
  for (int i = 0; i < 3; ++i) sum += engine.Increment("counter" + std::to_string(i), 0);
  EXPECT_EQ(sum, static_cast<double>(kThreads) * rounds);
  ExpectSound(engine);
}

// A reader of a counter that changes in place meets a sum with the version of the increment that made it.
TEST(Stress, CountersAreReadWhole) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  const int rounds = 20000 * Scale();
  using Sums = std::map<std::uint64_t, double>;  // by version
  std::vector<Sums> written(kThreads);
  std::vector<Sums> met(kThreads);
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < rounds; ++i) {
      if (thread < kThreads / 2) {
        // Both words of the number change, so that half a sum equals none of the sums.
        const double sum = engine.Increment("counter", 333'333'333);
        ASSERT_EQ(engine.status(), Status::kDone);
        written[thread][engine.version()] = sum;
        if (random() % 500 == 0) engine.Remove("counter");
      } else if (const std::optional<std::string> value = engine.Get("counter"); value.has_value()) {
        double sum = 0;
        ASSERT_EQ(value->size(), sizeof sum);
        std::memcpy(&sum, value->data(), sizeof sum);
        met[thread][engine.version()] = sum;
      }
    }
  });
  for (int thread = 1; thread < kThreads / 2; ++thread) written[0].merge(written[thread]);
  for (const Sums& sums : met) {
    for (const auto& [version, sum] : sums) {
      const auto increment = written[0].find(version);
      ASSERT_NE(increment, written[0].end()) << "version " << version << " is no increment's";
      ASSERT_EQ(sum, increment->second) << "of version " << version;
    }
  }
  TestEngine engine(region);
  ExpectSound(engine);
}

TEST(Stress, VersionedWritesAreNotLost) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  {
    TestEngine engine(region);
    engine.Put("total", "0");
  }
  const int rounds = 3000 * Scale();
  InParallel(region, seed, [&](int, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < rounds; ++i) {
      for (;;) {
        const std::optional<std::string> value = engine.Get("total");
        ASSERT_TRUE(value.has_value());
        const std::uint64_t version = engine.version();
        if (engine.Put("total", std::to_string(std::stol(*value) + 1), kPutIfVersion, version)) break;
        ASSERT_EQ(engine.status(), Status::kNotDone);
      }
      engine.Put("other" + std::to_string(random() % 50), "x");
    }
  });
  TestEngine engine(region);
  EXPECT_EQ(engine.Get("total"), std::to_string(kThreads * rounds));
  ExpectSound(engine);
}

TEST(Stress, HeldWritesAreNotLostAmongOthers) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  const int rounds = 3000 * Scale();
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < rounds; ++i) {
      const std::string key = "total" + std::to_string(random() % 2);
      ASSERT_TRUE(engine.Hold(key));
      if (random() % 8 == 0) {
        engine->LetGo();
        --i;
        continue;
      }
      const long total = engine.status() == Status::kFound ? std::stol(engine.Copied()) : 0;
      ASSERT_TRUE(engine.PutHeld(key, std::to_string(total + 1)));
      // Keys of the same buckets and segments, which split under the holders' hands.
      engine.Put("other" + std::to_string(thread) + std::to_string(i % 4000), "x");
      if (random() % 4 == 0) engine.Remove("other" + std::to_string(thread) + std::to_string(random() % 1000));
    }
  });
  TestEngine engine(region);
  long sum = 0;
  for (int i = 0; i < 2; ++i) sum += std::stol(engine.Get("total" + std::to_string(i)).value_or("0"));
  EXPECT_EQ(sum, kThreads * rounds);
  ExpectSound(engine);
}

// Each writer counts up two keys, one after the other, among writes that split segments.
TEST(Stress, SnapshotsAreOneInstant) {
  const std::uint64_t seed = Seed();
  TestRegion region(64 << 20);
  std::atomic<bool> stop{false};
  const int snapshots = 100 * Scale();
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64& random) {
    if (thread > 0) {
      const std::string name = std::to_string(thread);
      for (int i = 0; !stop; ++i) {
        const double first = engine.Increment("first" + name);
        ASSERT_EQ(engine.Increment("second" + name), first);
        engine.Put("filler" + std::to_string(random() % 5000), std::string(random() % 100, 'x'));
        if (i % 3 == 0) engine.Remove("filler" + std::to_string(random() % 5000));
      }
      return;
    }
    std::map<std::string, double> last;
    for (int i = 0; i < snapshots; ++i) {
      const std::map<std::string, std::string> entries = engine.Snapshot();
      const auto number = [&entries](const std::string& key) {
        const auto found = entries.find(key);
        double value = 0;
        if (found != entries.end()) std::memcpy(&value, found->second.data(), sizeof value);
        return value;
      };
      for (int writer = 1; writer < kThreads; ++writer) {
        const double first = number("first" + std::to_string(writer));
        const double second = number("second" + std::to_string(writer));
        EXPECT_GE(first, second);
        EXPECT_LE(first, second + 1);
        double& before = last[std::to_string(writer)];
        EXPECT_GE(second, before);
        before = second;
      }
    }
    stop = true;
  });
  TestEngine engine(region);
  ExpectSound(engine);
}

TEST(Stress, ValuesAreWholeAndBelongToTheirKeys) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  const int rounds = 60000 * Scale();
  InParallel(region, seed, [&](int, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < rounds; ++i) {
      const std::string key = "k" + std::to_string(random() % 200);
      const auto what = random() % 10;
      if (what < 5) {
        const std::optional<std::string> value = engine.Get(key);
        ASSERT_GE(static_cast<int>(engine.status()), 0) << "key " << key;
        if (value) {
          ASSERT_TRUE(IsWhole(key, *value)) << "key " << key << " value " << *value;
        }
      } else if (what < 9) {
        ASSERT_TRUE(engine.Put(key, Whole(key, random)));
      } else {
        engine.Remove(key);
      }
    }
  });
  TestEngine engine(region);
  ExpectSound(engine);
}

// A key that is only ever overwritten is there at every instant.
TEST(Stress, OverwrittenKeysAreNeverMissing) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  constexpr std::uint64_t kKeys = 8;
  {
    TestEngine engine(region);
    for (std::uint64_t i = 0; i < kKeys; ++i) ASSERT_TRUE(engine.Put("k" + std::to_string(i), "first"));
  }
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < 50000 * Scale(); ++i) {
      const std::string key = "k" + std::to_string(random() % kKeys);
      if (thread < 2) {
        ASSERT_TRUE(engine.Put(key, std::string(random() % 100, 'v')));
      } else {
        ASSERT_TRUE(engine.Has(key)) << key;
      }
    }
  });
  TestEngine engine(region);
  ExpectSound(engine);
}

// Each thread owns some keys and knows what it wrote last; the other threads read them, too.
TEST(Stress, OwnersSeeTheirOwnLastWrite) {
  const std::uint64_t seed = Seed();
  TestRegion region(64 << 20);
  const int rounds = 40000 * Scale();
  constexpr std::uint64_t kKeys = 2000;
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64& random) {
    std::vector<std::optional<std::string>> mine(kKeys);
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t n = random() % kKeys;
      const std::string key = std::to_string(thread) + "/" + std::to_string(n);
      switch (random() % 4) {
        case 0:
          ASSERT_EQ(engine.Remove(key), mine[n].has_value()) << key;
          mine[n].reset();
          ASSERT_FALSE(engine.Has(key)) << "ghost " << key;
          break;
        case 1:
          ASSERT_EQ(engine.Get(key), mine[n]) << key;
          break;
        case 2:
          ASSERT_EQ(engine.Put(key, "new", kPutIfAbsent), !mine[n].has_value()) << key;
          if (!mine[n]) mine[n] = "new";
          break;
        default:
          mine[n] = Whole(key, random);
          ASSERT_TRUE(engine.Put(key, *mine[n])) << key;
      }
      const std::string other = std::to_string(random() % kThreads) + "/" + std::to_string(random() % kKeys);
      engine.Get(other);
      ASSERT_GE(static_cast<int>(engine.status()), 0);
    }
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      ASSERT_EQ(engine.Get(std::to_string(thread) + "/" + std::to_string(n)), mine[n]);
    }
  });
  TestEngine engine(region);
  ExpectSound(engine);
}

TEST(Stress, SetIfAbsentHasOneWinner) {
  const std::uint64_t seed = Seed();
  TestRegion region(64 << 20);
  const int keys = 20000 * Scale();
  std::vector<std::atomic<int>> winners(static_cast<std::size_t>(keys));
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64&) {
    for (int i = 0; i < keys; ++i) {
      if (engine.Put("k" + std::to_string(i), std::to_string(thread), kPutIfAbsent)) {
        ++winners[static_cast<std::size_t>(i)];
      }
    }
  });
  for (const std::atomic<int>& count : winners) EXPECT_EQ(count.load(), 1);
  TestEngine engine(region);
  EXPECT_EQ(engine->Size(), static_cast<std::uint32_t>(keys));
  ExpectSound(engine);
}

// Some keys are there from before to after; splits, cleanups and spills go on around them.
TEST(Stress, PresentKeysAreAlwaysFoundWhileSegmentsSplit) {
  const std::uint64_t seed = Seed();
  const int rounds = 3 * Scale();
  for (int round = 0; round < rounds; ++round) {
    TestRegion region(64 << 20);
    constexpr int kStable = 600;  // fills one segment so far that many keys live in neighbours and the stash
    {
      TestEngine engine(region);
      for (int i = 0; i < kStable; ++i) ASSERT_TRUE(engine.Put("stable" + std::to_string(i), "here"));
    }
    InParallel(region, seed + static_cast<std::uint64_t>(round),
               [&](int thread, TestEngine& engine, std::mt19937_64& random) {
                 for (int i = 0; i < 15000; ++i) {
                   if (thread < 2) {
                     const std::string key = std::to_string(thread) + "-" + std::to_string(i);
                     ASSERT_TRUE(engine.Put(key, "value"));
                     if (random() % 3 == 0) {
                       ASSERT_TRUE(engine.Remove(key));
                     }
                   } else {
                     const std::string key = "stable" + std::to_string(random() % kStable);
                     ASSERT_EQ(engine.Get(key), "here") << key;
                   }
                   if (thread == 3 && i % 1500 == 0) {
                     std::vector<std::string> keys = engine.Keys();
                     std::sort(keys.begin(), keys.end());
                     ASSERT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end()) << "a key twice";
                     for (int j = 0; j < kStable; ++j) {
                       ASSERT_TRUE(std::binary_search(keys.begin(), keys.end(), "stable" + std::to_string(j)))
                           << "stable" << j;
                     }
                   }
                 }
               });
    TestEngine engine(region);
    ExpectSound(engine);
  }
}

// Deleting all and clearing, at the same time as inserts: nothing may be left behind or counted twice.
TEST(Stress, ClearsAgainstInsertsKeepTheBooks) {
  const std::uint64_t seed = Seed();
  TestRegion region(16 << 20);
  InParallel(region, seed, [&](int thread, TestEngine& engine, std::mt19937_64& random) {
    for (int i = 0; i < 20000 * Scale(); ++i) {
      const std::string key = "k" + std::to_string(random() % 3000);
      if (thread == 0 && i % 200 == 0) {
        engine->Clear();
        ASSERT_EQ(engine.status(), Status::kDone);
      } else if (random() % 3 == 0) {
        engine.Remove(key);
      } else {
        ASSERT_TRUE(engine.Put(key, Whole(key, random)));
      }
    }
  });
  TestEngine engine(region);
  EXPECT_EQ(engine->Size(), engine.Keys().size());
  ExpectSound(engine);
  engine->Clear();
  EXPECT_EQ(engine->Size(), 0u);
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
