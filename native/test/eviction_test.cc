// Caches that evict: the bound on their entries, with several threads, and queues made anew.
#include <thread>

#include "eviction/area.h"
#include "eviction/queues.h"
#include "testing.h"

namespace mapsafe {
namespace {

constexpr int kThreads = 4;

std::string ValueOf(const std::string& key, std::uint64_t random) {
  return key + '=' + std::string(random % 300, 'v');
}

// Entries in the queues of all partitions.
Word NodesInUse(const TestRegion& region) {
  Word nodes = 0;
  for (const WordIndex at : PartitionsOf(region.region())) {
    nodes += region.region().Load(at + kPartitionCold + kQueueSize);
    nodes += region.region().Load(at + kPartitionMain + kQueueSize);
  }
  return nodes;
}

// Reads, writes and deletes random keys, and checks what it gets.
void UseCache(const TestRegion& region, std::uint64_t seed, int times, int keys, std::uint32_t max_entries) {
  TestEngine engine(region);
  std::mt19937_64 random(seed);
  for (int i = 0; i < times; ++i) {
    const std::string key = "key" + std::to_string(std::min(random() % keys, random() % keys));
    const std::uint64_t choice = random() % 100;
    if (choice < 3) {
      engine.Remove(key);
    } else if (const auto value = engine.Get(key)) {
      ASSERT_EQ(value->substr(0, key.size() + 1), key + '=');
      if (choice < 20) {
        ASSERT_TRUE(engine.Put(key, ValueOf(key, random())));
      }
    } else {
      ASSERT_TRUE(engine.Put(key, ValueOf(key, random()))) << static_cast<int>(engine.status());
    }
    // A thread that removed an entry may not have counted that yet.
    if (max_entries > 0 && i % 16 == 0) {
      ASSERT_LE(engine->Size(), max_entries + kThreads);
    }
  }
}

void UseCacheByAll(const TestRegion& region, int keys, std::uint32_t max_entries) {
  TestEngine keeper(region);
  const std::uint64_t seed = Seed();
  const int times = 3000 * Scale();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { UseCache(region, seed + static_cast<std::uint64_t>(i), times, keys, max_entries); });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectSound(keeper);
  EXPECT_EQ(NodesInUse(region), keeper->Size());
  if (max_entries > 0) {
    EXPECT_LE(keeper->Size(), max_entries);
  }
}

TEST(Eviction, KeepsABoundOnEntriesInOnePartition) {
  const TestRegion region(4 << 20, kFlagCache, 50);
  ASSERT_EQ(PartitionsOf(region.region()).size(), 1u);
  UseCacheByAll(region, 300, 50);
}

TEST(Eviction, KeepsABoundOnEntriesInSeveralPartitions) {
  const TestRegion region(32 << 20, kFlagCache, 4096);
  ASSERT_EQ(PartitionsOf(region.region()).size(), 4u);
  UseCacheByAll(region, 8000, 4096);
}

TEST(Eviction, MakesRoomWhereMemoryIsTheBound) {
  const TestRegion region(1 << 20, kFlagCache);
  UseCacheByAll(region, 6000, 0);
}

TEST(Eviction, KeepsWhatIsUsed) {
  const TestRegion region(4 << 20, kFlagCache, 64);
  TestEngine engine(region);
  ASSERT_TRUE(engine.Put("used", "value"));
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(engine.Put("scanned" + std::to_string(i), "value"));
    ASSERT_TRUE(engine.Get("used")) << i;
  }
  EXPECT_EQ(engine->Size(), 64u);
  ExpectSound(engine);
}

TEST(Eviction, RebuildsQueuesFromTheirNodes) {
  const TestRegion shared(4 << 20, kFlagCache, 64);
  Region region = shared.region();
  TestEngine engine(shared);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(engine.Put("key" + std::to_string(i), "value"));
  const WordIndex partition = PartitionsOf(region)[0];
  // Any links and counts, as a dead thread may have left them.
  std::mt19937_64 random(Seed());
  for (const WordIndex word :
       {kPartitionFreeNodes, kPartitionCold + kQueueOldest, kPartitionCold + kQueueNewest, kPartitionCold + kQueueSize,
        kPartitionMain + kQueueOldest, kPartitionNodes, kPartitionGhostCounts}) {
    region.Store(partition + word, static_cast<Word>(random()));
  }
  EvictionQueues queues(region, partition, nullptr);
  queues.VisitNodes([&](Block node) {
    region.Store(WordOf(node) + kNodeNext, static_cast<Word>(random()));
    region.Store(WordOf(node) + kNodePrevious, static_cast<Word>(random()));
  });
  queues.Rebuild();
  ExpectSound(engine);
  EXPECT_EQ(NodesInUse(shared), 64u);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(engine.Put("later" + std::to_string(i), "value"));
  EXPECT_EQ(engine->Size(), 64u);
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
