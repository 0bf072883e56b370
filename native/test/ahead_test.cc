// What reads of many keys ask for ahead: the entries that they will find, nothing outside the region, and without any
// trace in it.
#include "index/ahead.h"

#include "index/directory.h"
#include "testing.h"

namespace mapsafe {
namespace {

// Keys `from` to `to` - 1, encoded, in an array of words that stays.
class Keys {
 public:
  Keys(TestEngine& engine, int from, int to) {
    for (int n = from; n < to; ++n) texts_.push_back(Name(n));
    for (const std::string& text : texts_) {
      auto& words = words_.emplace_back(WordsFor(static_cast<std::uint32_t>(text.size())), Word{0});
      std::memcpy(words.data(), text.data(), text.size());
      Key key{words.data(), static_cast<std::uint32_t>(text.size()), kKeyLatin1, 0};
      engine->Hash(&key);
      keys_.push_back(key);
    }
  }

  static std::string Name(int n) { return "key " + std::to_string(n); }

  const std::vector<Key>& all() const { return keys_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::vector<Word>> words_;
  std::vector<Key> keys_;
};

TEST(Ahead, AsksForTheEntriesOfKeysThatAreThere) {
  TestRegion region(4 * kMinRegionBytes);
  TestEngine engine(region);
  constexpr int kCount = 5'000;
  for (int n = 0; n < kCount; ++n) ASSERT_TRUE(engine.Put(Keys::Name(n), std::string(100, 'v')));
  const Keys there(engine, 0, kCount);
  const Keys absent(engine, kCount, 2 * kCount);
  const std::size_t found = engine->AskAhead(there.all());
  // Some keys lie in other buckets than their own. A tag has eight bits, and a bucket eleven slots.
  EXPECT_GT(found, static_cast<std::size_t>(kCount) * 9 / 10);
  EXPECT_LT(engine->AskAhead(absent.all()), static_cast<std::size_t>(kCount) / 10);
  EXPECT_EQ(engine->AskAhead({}), 0u);
}

TEST(Ahead, LeavesTheRegionAndTheOutcomeAsTheyAre) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine engine(region);
  for (int n = 0; n < 100; ++n) ASSERT_TRUE(engine.Put(Keys::Name(n), "value"));
  const Keys keys(engine, 0, 200);
  const std::vector<char> before(static_cast<const char*>(region.base()),
                                 static_cast<const char*>(region.base()) + region.bytes());
  const Outcome outcome = engine.outcome();
  EXPECT_GT(engine->AskAhead(keys.all()), 0u);
  EXPECT_EQ(std::memcmp(before.data(), region.base(), before.size()), 0);
  EXPECT_EQ(engine.status(), outcome.status);
  EXPECT_EQ(engine.outcome().version_low, outcome.version_low);
}

TEST(Ahead, AsksForNothingOutsideADamagedRegion) {
  TestRegion memory(kMinRegionBytes);
  TestEngine engine(memory);
  const Keys keys(engine, 0, 100);
  for (int n = 0; n < 100; ++n) ASSERT_TRUE(engine.Put(Keys::Name(n), "value"));
  Region region = memory.region();
  const Directory directory = Directory::Current(region);
  const Block segment = region.Load(directory.entries());
  for (std::uint32_t bucket = 0; bucket < kAllBuckets; ++bucket) {
    const WordIndex at = WordOf(segment) + kSegmentBuckets + std::size_t{bucket} * kBucketWords;
    for (std::uint32_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      region.Store(at + kBucketSlots + slot, 0x7ffffff0u - slot);  // far beyond the end
    }
  }
  EXPECT_EQ(engine->AskAhead(keys.all()), 0u);
  region.Store(directory.entries(), 0x7ffffff0u);
  EXPECT_EQ(engine->AskAhead(keys.all()), 0u);
  region.Store(kHeaderDirectory, 0x7ffffff0u);
  EXPECT_EQ(engine->AskAhead(keys.all()), 0u);
}

}  // namespace
}  // namespace mapsafe
