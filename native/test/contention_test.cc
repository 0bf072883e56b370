// Hot segments: contention is made by holding a bucket while another thread writes to it, so that every test ends the
// same way.
#include <atomic>
#include <thread>

#include "testing.h"
#include "threads/thread_record.h"

namespace mapsafe {
namespace {

constexpr Word kWindow = 256;
constexpr Word kHotShare = 32;

class HotSegment {
 public:
  explicit HotSegment(std::size_t bytes) : memory_(bytes), region_(memory_.region()), engine_(memory_) {}

  TestEngine& engine() { return engine_; }
  Region& region() { return region_; }

  Word segments() const { return region_.Load(kHeaderSegmentCount); }

  Word depth() const { return region_.Load(WordOf(region_.Load(kHeaderDirectory)) + kDirectoryDepth); }

  // The segment that the last lookup or write came to.
  WordIndex segment() const {
    const Block home = engine_.outcome().home;
    const Block directory = region_.Load(kHeaderDirectory);
    for (std::size_t i = 0; i < std::size_t{1} << depth(); ++i) {
      const Block segment = region_.Load(WordOf(directory) + kDirectoryEntries + i);
      if (segment < home && WordOf(home) < WordOf(segment) + kSegmentWords) return WordOf(segment);
    }
    return 0;
  }

  // Lets one write of `key` meet its bucket taken, as the last contention of a window with `operations` writes. Returns
  // the status of that write.
  Status EndWindow(const std::string& key, Word operations) {
    engine_.Has(key);
    const WordIndex at = segment();
    const Word counted = region_.Load(at + kSegmentContention);
    const Word last = counted / kWindow * kWindow + kWindow - 1;
    region_.Store(at + kSegmentContention, last);
    region_.Store(at + kSegmentOperations, region_.Load(at + kSegmentWindow) + operations);

    Bucket home(region_, WordOf(engine_.outcome().home));
    EXPECT_TRUE(home.TryHold(home.LoadVersion()));
    Status status = Status::kCorrupt;
    std::uint64_t version = 0;
    std::thread writer([&] {
      TestEngine other(memory_);
      other.Put(key, "written");
      status = other.status();
      version = other.version();
    });
    while (region_.Load(at + kSegmentContention) == last) std::this_thread::yield();
    home.Release();
    writer.join();
    EXPECT_EQ(engine_.Get(key), "written");
    EXPECT_EQ(engine_.version(), version);
    return status;
  }

 private:
  TestRegion memory_;
  Region region_;
  TestEngine engine_;
};

std::string Name(int i) {
  return "k" + std::to_string(i);
}

TEST(Contention, AHotSegmentIsSplitBeforeItIsFull) {
  HotSegment hot(16 << 20);
  for (int i = 0; i < 20; ++i) hot.engine().Put(Name(i), "x");
  const Word before = hot.segments();
  EXPECT_EQ(hot.EndWindow("k0", 100), Status::kDone);
  EXPECT_EQ(hot.segments(), before + 1);
  for (int i = 1; i < 20; ++i) EXPECT_EQ(hot.engine().Get(Name(i)), "x");
  ExpectSound(hot.engine());
}

TEST(Contention, ASegmentIsNotHotIfFewOfItsWritesCollide) {
  HotSegment hot(16 << 20);
  for (int i = 0; i < 20; ++i) hot.engine().Put(Name(i), "x");
  const Word before = hot.segments();
  EXPECT_EQ(hot.EndWindow("k0", kWindow * kHotShare), Status::kDone);
  EXPECT_EQ(hot.segments(), before);
  // Only the writes of the same window count.
  EXPECT_EQ(hot.EndWindow("k0", kWindow * kHotShare - 16), Status::kDone);
  EXPECT_EQ(hot.segments(), before + 1);
}

TEST(Contention, AWaitForTheMutexCounts) {
  TestRegion memory(kMinRegionBytes);
  Region region = memory.region();
  TestEngine engine(memory);
  // So many that some are not in their home bucket: writers of those take the segment's mutex.
  for (int i = 0; i < 450; ++i) engine.Put(Name(i), "x");
  ASSERT_EQ(region.Load(kHeaderSegmentCount), 1u);
  const WordIndex segment = WordOf(region.Load(WordOf(region.Load(kHeaderDirectory)) + kDirectoryEntries));
  const Word before = region.Load(segment + kSegmentContention);
  ASSERT_EQ(region.Load(segment + kSegmentMutex), 0u);
  region.Store(segment + kSegmentMutex, ThreadRecord::MarkOf(region, 0));
  LongWaits long_waits;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    TestEngine other(memory);
    for (; written < 450; ++written) ASSERT_TRUE(other.Put(Name(written), "y"));
  });
  while (region.Load(segment + kSegmentContention) == before && written < 450) std::this_thread::yield();
  EXPECT_LT(written, 450) << "no key needed the mutex";
  EXPECT_EQ(region.Load(segment + kSegmentContention), before + 1);
  region.StoreRelease(segment + kSegmentMutex, 0);
  writer.join();
  for (int i = 0; i < 450; ++i) EXPECT_EQ(engine.Get(Name(i)), "y");
  ExpectSound(engine);
}

TEST(Contention, ALoneKeyIsNotParted) {
  HotSegment hot(16 << 20);
  hot.engine().Put("k0", "x");
  const Word before = hot.segments();
  EXPECT_EQ(hot.EndWindow("k0", 0), Status::kDone);
  EXPECT_EQ(hot.segments(), before);
}

TEST(Contention, ReliefIsBoundedBySkewAndByMemory) {
  HotSegment hot(kMinRegionBytes);
  for (int i = 0; i < 300; ++i) hot.engine().Put(Name(i), "x");
  // One key again and again: the directory's skew, or the key alone in its segment, ends it.
  for (int i = 0; i < 40; ++i) EXPECT_EQ(hot.EndWindow("k0", 0), Status::kDone);
  EXPECT_LE(Word{1} << hot.depth(), 16 * hot.segments() + 64);
  const Word after_one = hot.segments();
  EXPECT_LE(after_one, 12u);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(hot.EndWindow(Name(i), 0), Status::kDone);
  EXPECT_GT(hot.segments(), after_one);
  EXPECT_LE((hot.segments() - 1) * kSegmentBytes, kMinRegionBytes / 16);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(hot.engine().Get(Name(i)), "written");
  ExpectSound(hot.engine());
}

TEST(Contention, WritesAreCountedSixteenAtATime) {
  HotSegment hot(kMinRegionBytes);
  for (int i = 0; i < 100; ++i) hot.engine().Increment("counter");
  EXPECT_EQ(hot.region().Load(hot.segment() + kSegmentOperations), 96u);
}

// Nothing is staged: threads get in each other's way on few keys, until a split has helped or none can.
TEST(Contention, CountersStayRightWhileTheirSegmentsAreParted) {
  constexpr int kThreads = 4;
  constexpr int kKeys = 6;
  const int rounds = 20000 * Scale();
  TestRegion region(kMinRegionBytes);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&region, rounds] {
      TestEngine engine(region);
      for (int i = 0; i < rounds; ++i) {
        engine.Increment(Name(i % kKeys));
        ASSERT_EQ(engine.status(), Status::kDone);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  TestEngine engine(region);
  double sum = 0;
  for (int i = 0; i < kKeys; ++i) sum += engine.Increment(Name(i), 0);
  EXPECT_EQ(sum, static_cast<double>(kThreads) * rounds);
  // Each thread may have passed the test of the bound once, just before the others split.
  EXPECT_LE(region.region().Load(kHeaderSegmentCount), kMinRegionBytes / 16 / kSegmentBytes + kThreads);
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
