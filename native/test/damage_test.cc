// Deliberate damage, each kind with the fault it once caused; and a region that is overwritten while threads use it.
// The fuzz target native/fuzz/damage_fuzz.cc looks for further kinds.
#include <atomic>
#include <thread>

#include "index/directory.h"
#include "memory/heap.h"
#include "testing.h"
#include "threads/backoff.h"
#include "threads/takeover.h"
#include "threads/thread_record.h"

namespace mapsafe {
namespace {

class Damage : public ::testing::Test {
 protected:
  Damage() { WaitBudget::SetBound(std::chrono::milliseconds(0)); }
  ~Damage() override { WaitBudget::SetBound(std::chrono::seconds(2)); }

  Block Directory() { return region().Load(kHeaderDirectory); }
  Block Segment() { return region().Load(WordOf(Directory()) + kDirectoryEntries); }
  WordIndex BucketWord(std::uint32_t bucket) {
    return WordOf(Segment()) + kSegmentBuckets + std::size_t{bucket} * kBucketWords;
  }
  Region region() { return memory_.region(); }
  void Store(WordIndex at, Word value) { region().Store(at, value); }

  // Inserts until an insert does not succeed.
  Status InsertUntilRefused() {
    for (int i = 0; i < 100'000; ++i) {
      if (!engine_.Put("key " + std::to_string(i), "value")) return engine_.status();
    }
    return Status::kDone;
  }

  // Leaves the region as if the thread of engine_ died with `mutex`, and no takeover has followed yet.
  std::unique_ptr<TestRegion> AfterDeathWith(WordIndex mutex) {
    auto left = std::make_unique<TestRegion>(memory_.bytes());
    std::memcpy(left->base(), memory_.base(), memory_.bytes());
    Region words = left->region();
    words.Store(mutex, ThreadRecord::MarkOf(words, 0));
    words.Store(ThreadRecord::At(0) + kThreadState, kThreadAbandoned);
    return left;
  }

  TestRegion memory_{kMinRegionBytes};
  TestEngine engine_{memory_};
};

TEST_F(Damage, ASegmentDeeperThanTheDirectoryIsNotSplit) {
  Store(WordOf(Segment()) + kSegmentDepth, 5);  // the entries to assign would lie before the directory
  EXPECT_EQ(InsertUntilRefused(), Status::kCorrupt);
}

TEST_F(Damage, ADirectoryDeeperThanItsBlockIsNotEntered) {
  Store(WordOf(Directory()) + kDirectoryDepth, kMaxDepth);
  TestEngine other(memory_);
  EXPECT_FALSE(other.Put("key", "value"));
  EXPECT_EQ(other.status(), Status::kCorrupt);
  engine_.Put("key", "value");  // entered it before, and knows its size
  EXPECT_EQ(InsertUntilRefused(), Status::kCorrupt);
}

TEST_F(Damage, VerifyBelievesNoHeader) {
  Store(kHeaderPageTable, 0x3fffffff);
  Store(kHeaderPageCount, 0x7fffffff);
  Store(kHeaderHeap, 0xffffff00);
  EXPECT_FALSE(engine_->Verify().empty());
}

struct WrittenKey {
  std::vector<Word> words;
  std::uint32_t length;
  std::uint32_t kind;
  bool is_sound;
};

// The hash is that of these words, so nothing else is wrong with them.
TEST_F(Damage, VerifyKnowsHowKeysAreWritten) {
  const WrittenKey keys[] = {
      {{0x00300030}, 4, kKeyUtf16, false},  // Latin-1 would do
      {{0x0130}, 3, kKeyUtf16, false},
      {{0x0130}, 2, kKeyUtf16, true},
      {{0, 0x80000000}, 8, kKeyNumber, false},  // -0
      {{1, 0x7ff80000}, 8, kKeyNumber, false},  // NaN with a payload
      {{0, 0xfff80000}, 8, kKeyNumber, false},
      {{0, 0x7ff80000}, 8, kKeyNumber, true},
      {{0, 0xfff00000}, 8, kKeyNumber, true},
      {{0}, 4, kKeyNumber, false},
      {{1}, 4, kKeyBigint, false},  // -0n
      {{0, 7, 0}, 12, kKeyBigint, false},
      {{2, 7}, 8, kKeyBigint, false},
      {{0, 7}, 6, kKeyBigint, false},
      {{1, 7}, 8, kKeyBigint, true},
      {{0}, 4, kKeyBigint, true},
      {{2}, 1, kKeyBoolean, false},
      {{1}, 2, kKeyBoolean, false},
      {{1}, 1, kKeyBoolean, true},
      {{7}, 4, 7, false},  // no kind of key
      {{7}, 4, kKeyBytes, true},
  };
  for (const WrittenKey& row : keys) {
    Key key{row.words.data(), row.length, row.kind, 0};
    engine_->Hash(&key);
    engine_->Put(key, {nullptr, 0, kValueNull}, kPutAlways, 0);
    ASSERT_EQ(engine_.status(), Status::kDone);
    const std::vector<std::string> problems = engine_->Verify();
    const std::string what = "malformed key of kind " + std::to_string(row.kind);
    EXPECT_EQ(problems.size(), row.is_sound ? 0u : 1u) << what << ", first word " << row.words[0];
    for (const std::string& problem : problems) EXPECT_NE(problem.find(what), std::string::npos) << problem;
    engine_->Remove(key, kPutAlways, 0);
  }
}

TEST_F(Damage, VerifyKnowsHowValuesAreWritten) {
  const auto verdict = [this](WordIndex at, Word damaged) {
    const Word sound = region().Load(at);
    Store(at, damaged);
    std::string all;
    for (const std::string& problem : engine_->Verify()) all += problem + '\n';
    Store(at, sound);
    EXPECT_TRUE(engine_->Verify().empty());
    return all;
  };
  ASSERT_TRUE(engine_.Put("odd", "12345"));
  const WordIndex entry = WordOf(engine_.outcome().entry);
  const Word meta = region().Load(entry + kEntryMeta);
  const auto of_kind = [meta](Word kind) { return (meta & kKeyMetaMask) | kind << kValueKindShift; };
  EXPECT_NE(verdict(entry + kEntryMeta, of_kind(kValueUtf16)).find("malformed value of kind"), std::string::npos);
  EXPECT_NE(verdict(entry + kEntryMeta, of_kind(kValueNumber)).find("malformed value of kind"), std::string::npos);
  EXPECT_NE(verdict(entry + kEntryMeta, of_kind(kValueKindMask)).find("malformed value of kind"), std::string::npos);
  EXPECT_NE(verdict(entry + kEntryMeta, meta | kEntrySecondCell).find("second cell"), std::string::npos);
  EXPECT_NE(verdict(entry + kEntryMeta, meta | kEntryCounter).find("holds no number"), std::string::npos);
  EXPECT_NE(verdict(entry + kEntryData, region().Load(entry + kEntryData) | 1u << 24).find("key whose last word"),
            std::string::npos);
  EXPECT_NE(verdict(entry + kEntryData + 2, region().Load(entry + kEntryData + 2) | 1u << 8).find("value whose last"),
            std::string::npos);
}

TEST_F(Damage, ASpanThatEndsBehindTheRegionIsNotWalked) {
  const Heap heap(region());
  const Page last = heap.page_count() - 1;
  Store(kHeaderHeapTop, heap.page_count());
  const WordIndex at = heap.Descriptor(last);
  Store(at + kPageKind, kPageSpan | 0u << kPageClassShift);
  Store(at + kPageRun, 1);
  Store(at + kPageCarved, SpanCapacity(0));
  Store(at + kPageFreeHead, heap.BlockOf(last) + kPageBlocks);
  Store(at + kPageFreeCount, 2);
  EXPECT_FALSE(engine_->Verify().empty());
}

TEST_F(Damage, AFreeRunLongerThanTheHeapIsNotJoined) {
  const std::string large(100'000, 'v');
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(engine_.Put(key, large));
  ASSERT_TRUE(engine_.Remove("b"));
  ASSERT_TRUE(engine_.Remove("d"));
  const Heap heap(region());
  for (Page page = 0; page < heap.page_count(); ++page) {
    if (region().Load(heap.Descriptor(page) + kPageKind) == kPageFreeRun) {
      Store(heap.Descriptor(page) + kPageRun, 0x7fffffff);
    }
  }
  EXPECT_TRUE(engine_.Remove("a"));
  EXPECT_TRUE(engine_.Remove("c"));
  EXPECT_FALSE(engine_->Verify().empty());
}

TEST_F(Damage, AFreeListThatBitesItsTailEnds) {
  ASSERT_TRUE(engine_.Put("key", "value"));
  for (std::uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    const WordIndex record = ThreadRecord::At(0);
    const Block head = region().Load(record + kThreadFreeHeads + size_class);
    if (head == 0) continue;
    Store(WordOf(head), head);
    Store(record + kThreadFreeCounts + size_class, 0xffffffff);
  }
  engine_->Close();  // gives back as many blocks as are counted
}

TEST_F(Damage, ASnapshotTakesNoMoreMemoryThanTheRegion) {
  ASSERT_TRUE(engine_.Put("key", "value"));
  const Block entry = engine_.outcome().entry;
  const std::size_t words = region().word_count() - WordOf(entry) - kEntryData - 8;
  Store(WordOf(entry) + kEntryValueLength, static_cast<Word>(words * sizeof(Word)));
  for (std::uint32_t bucket = 0; bucket < kAllBuckets; ++bucket) {
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) Store(BucketWord(bucket) + kBucketSlots + slot, entry);
  }
  EXPECT_TRUE(engine_->Snapshot().empty());
  EXPECT_EQ(engine_.status(), Status::kCorrupt);
}

TEST_F(Damage, KeysCollectedTakeLittleMoreMemoryThanTheRegion) {
  ASSERT_TRUE(engine_.Put("key", "value"));
  const Block entry = engine_.outcome().entry;
  const std::size_t bytes = (region().word_count() - WordOf(entry) - kEntryData) * sizeof(Word);
  Store(WordOf(entry) + kEntryMeta, static_cast<Word>(bytes) | kKeyLatin1 << kKeyKindShift);
  for (std::uint32_t bucket = 0; bucket < kAllBuckets; ++bucket) {
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) Store(BucketWord(bucket) + kBucketSlots + slot, entry);
  }
  engine_->Collect(kAllHashes, ~0u);
  EXPECT_EQ(engine_.status(), Status::kCorrupt);
}

TEST_F(Damage, ANumberOfAnotherLengthIsRefused) {
  ASSERT_TRUE(engine_.Put("key", "a value of 25 characters."));
  const WordIndex meta = WordOf(engine_.outcome().entry) + kEntryMeta;
  Store(meta, (region().Load(meta) & kKeyMetaMask) | kValueNumber << kValueKindShift);
  EXPECT_FALSE(engine_.Get("key").has_value());
  EXPECT_EQ(engine_.status(), Status::kCorrupt);
}

TEST_F(Damage, ATakeoverBelievesNoDirectory) {
  const auto left = AfterDeathWith(kHeaderDirectoryMutex);
  left->region().Store(kHeaderDirectory, 0x3fffffff);
  TakeOverFromDead(left->region());
  EXPECT_EQ(left->region().LoadPair(ThreadRecord::At(0) + kThreadKernelId), 0u);
}

TEST_F(Damage, ATakeoverEndsWhereACachedListBitesItsTail) {
  Store(WordOf(Segment()), Segment());
  for (std::uint32_t i = 0; i < kSizeClasses; ++i) Store(ThreadRecord::At(0) + kThreadFreeHeads + i, Segment());
  const auto left = AfterDeathWith(kHeaderHeapMutex);
  TakeOverFromDead(left->region());
  for (std::uint32_t i = 0; i < kSizeClasses; ++i) {
    EXPECT_LE(left->region().Load(ThreadRecord::At(0) + kThreadFreeCounts + i), 1024u);
    Store(ThreadRecord::At(0) + kThreadFreeHeads + i, 0);
  }
}

// A fault of the past: the tombstones in the way of keys that moved home were lost.
TEST_F(Damage, ATakeoverLosesNoTombstone) {
  const auto key = [](int i) { return "key " + std::to_string(i); };
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(engine_.Put(key(i), "value"));
  for (int i = 0; i < 500; i += 3) ASSERT_TRUE(engine_.Remove(key(i)));
  const auto left = AfterDeathWith(WordOf(Segment()) + kSegmentMutex);
  TestEngine other(*left);
  const RepairReport report = other->Repair();
  EXPECT_EQ(other.status(), Status::kDone);
  EXPECT_EQ(report.segments_corrected, 0u);
  EXPECT_EQ(report.size_correction, 0);
  EXPECT_TRUE(report.has_looked_for_leaks);
  EXPECT_EQ(report.blocks_freed, 0u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(other.Has(key(i)), i % 3 != 0);
  ExpectSound(other);
}

TEST_F(Damage, ARepairBelievesNoSpan) {
  const Heap heap(region());
  const Word top = region().Load(kHeaderHeapTop);
  const Page last = heap.page_count() - 1;
  Store(kHeaderHeapTop, last + 1);
  Store(heap.Descriptor(top) + kPageRun, last - top);
  // Its blocks would lie outside the heap.
  Store(heap.Descriptor(last) + kPageKind, kPageSpan | (kSizeClasses - 1) << kPageClassShift);
  Store(heap.Descriptor(last) + kPageRun, 1);
  Store(heap.Descriptor(last) + kPageCarved, SpanCapacity(kSizeClasses - 1));
  const RepairReport report = engine_->Repair();
  EXPECT_EQ(engine_.status(), Status::kCorrupt);
  EXPECT_EQ(report.blocks_freed, 0u);
}

// A value that was read and checked once must be checked again when it is read again.
TEST_F(Damage, OverwritesDuringAnOperationDoNotMatter) {
  const std::uint64_t seed = Seed();
  for (int round = 0; round < 4 * Scale(); ++round) {
    TestRegion memory(kMinRegionBytes);
    TestEngine filler(memory);
    for (int i = 0; i < 900; ++i)
      filler.Put("key " + std::to_string(i), std::string(static_cast<std::size_t>(i % 300), 'v'));
    TestEngine engine(memory);
    std::atomic<bool> done = false;
    std::thread vandal([&] {
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(round));
      Region region = memory.region();
      while (!done) {
        const WordIndex at = random() % region.word_count();
        const Word before = region.Load(at);
        region.Store(at, random() % 4 == 0 ? static_cast<Word>(random()) : before ^ 1u << random() % 32);
        // Mostly repaired again, so that the run does not stop at damage only.
        for (int i = 0; i < 20; ++i) SpinPause();
        if (random() % 64 != 0) region.Store(at, before);
      }
    });
    for (int i = 0; i < 3000; ++i) {
      const std::string key = "key " + std::to_string(i % 1000);
      engine.Get(key);
      engine.Put(key, std::string(static_cast<std::size_t>(i % 700), 'w'));
      if (i % 3 == 0) engine.Remove(key);
      if (i % 5 == 0) engine.Increment(key);
      if (i % 100 == 0) engine->Snapshot();
      if (i % 100 == 50) engine->Collect(kAllHashes, ~0u);
      if (i % 500 == 0) engine->Verify();
      if (i % 700 == 0) engine->Clear();
    }
    done = true;
    vandal.join();
  }
}

}  // namespace
}  // namespace mapsafe
