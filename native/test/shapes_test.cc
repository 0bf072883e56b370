// The table of shapes under many threads, and damaged.
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "shapes/shape_table.h"
#include "testing.h"
#include "threads/mutex.h"

namespace mapsafe {
namespace {

ShapeName NameOf(std::uint32_t number) {
  ShapeName name{};
  name.bytes = 4 + number % 9;
  name.kind = kKeyLatin1;
  name.words[0] = number;
  return name;
}

// The table as a list of parents and names; fails the test where a shape is missing.
void ExpectDenseAndUnique(const Region& region) {
  const ShapeTable table(region);
  std::set<std::pair<ShapeId, Word>> seen;
  for (ShapeId id = 1; id <= table.Count(); ++id) {
    const std::optional<Shape> shape = table.Read(id);
    ASSERT_TRUE(shape) << id;
    EXPECT_LT(shape->parent, id);
    EXPECT_TRUE(seen.emplace(shape->parent, shape->name.words[0]).second) << id;
  }
}

TEST(Shapes, AllThreadsAddTheSameShapesOnce) {
  const LongWaits long_waits;
  constexpr int kThreads = 4;
  constexpr std::uint32_t kShapes = 2000;
  TestRegion region(32 << 20);
  std::atomic<int> ready{0};
  std::array<std::vector<ShapeId>, kThreads> ids;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestEngine engine(region);
      for (++ready; ready < kThreads;) std::this_thread::yield();
      std::vector<ShapeId>& own = ids[t];
      for (std::uint32_t i = 0; i < kShapes; ++i) {
        // A tree in which every shape has up to ten children; each thread comes to the names of one parent in its
        // order.
        const std::uint32_t at = i / 10 * 10 + (i + static_cast<std::uint32_t>(t) * 3) % 10;
        const ShapeId parent = at < 10 ? 0 : own[at / 10 - 1];
        ShapeId id = 0;
        if (own.size() <= at) own.resize(i / 10 * 10 + 10);
        ASSERT_EQ(engine->AddShape(parent, NameOf(at), &id), Status::kDone);
        // What this thread knows the name and parent of can be read at once.
        const std::optional<Shape> shape = engine->ReadShape(id);
        ASSERT_TRUE(shape && shape->parent == parent && shape->name == NameOf(at));
        own[at] = id;
      }
    });
  }
  // Meanwhile, whatever is counted can be read.
  const ShapeTable table(region.region());
  for (ShapeId seen = 0; seen < kShapes;) {
    while (seen < table.Count()) {
      const std::optional<Shape> shape = table.Read(++seen);
      ASSERT_TRUE(shape) << seen;
      ASSERT_LT(shape->parent, seen);
    }
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<ShapeId>& own : ids) EXPECT_EQ(own, ids[0]);
  EXPECT_EQ(table.Count(), kShapes);
  ExpectDenseAndUnique(region.region());
  TestEngine engine(region);
  ExpectSound(engine);
}

// A thread looks for a shape, finds none, and waits for the mutex, whose holder adds just that shape.
TEST(Shapes, WhoWaitedForTheMutexLooksAgain) {
  const LongWaits long_waits;
  constexpr std::uint32_t kRounds = 32;  // one chunk has room for all
  TestRegion region(1 << 20);
  TestEngine keeper(region);
  Region words = region.region();
  ShapeTable table(words);
  ShapeId parent = 0;
  ASSERT_EQ(keeper->AddShape(0, NameOf(kRounds), &parent), Status::kDone);  // and the first chunk is there
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    words.Store(kHeaderShapeMutex, keeper->owner_mark());
    std::atomic<bool> begun{false};
    ShapeId added = 0;
    std::thread other([&] {
      TestEngine engine(region);
      begun = true;
      const Status status = engine->AddShape(parent, NameOf(round), &added);
      // It has little patience: on a busy machine it may give up, and then has added nothing.
      EXPECT_TRUE(status == Status::kDone || status == Status::kNotDone);
      if (status == Status::kNotDone) added = 0;
    });
    while (!begun) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // by then it has mostly looked
    ShapeId id = 0;
    Word chunk = 0;
    EXPECT_EQ(table.Append(parent, NameOf(round), &id, &chunk), ShapeTable::Appended::kDone);
    UnlockMutex(words, kHeaderShapeMutex);
    other.join();
    if (added != 0) {
      EXPECT_EQ(added, id);
    }
    parent = id;
  }
  EXPECT_EQ(table.Count(), kRounds + 1);
  ExpectDenseAndUnique(words);
  ExpectSound(keeper);
}

// Adds `count` shapes in a chain from the root on.
void AddChain(TestEngine& engine, std::uint32_t count) {
  ShapeId parent = 0;
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(engine->AddShape(parent, NameOf(i), &parent), Status::kDone);
}

TEST(Shapes, NoShapeHasMoreChildrenThanAllowed) {
  TestRegion region(1 << 20);
  TestEngine engine(region);
  const Word allowed = region.region().Load(kHeaderShapeChildren);
  ShapeId id = 0;
  for (Word i = 0; i < allowed; ++i) ASSERT_EQ(engine->AddShape(0, NameOf(i), &id), Status::kDone);
  EXPECT_EQ(engine->AddShape(0, NameOf(allowed), &id), Status::kFull);
  EXPECT_EQ(engine->AddShape(0, NameOf(3), &id), Status::kDone);
  EXPECT_EQ(id, 4u);
  EXPECT_EQ(engine->AddShape(4, NameOf(allowed), &id), Status::kDone);
  EXPECT_EQ(id, allowed + 1);
  ExpectSound(engine);
}

TEST(Shapes, ADamagedTableIsToldAndHurtsNoWrite) {
  std::mt19937_64 random(Seed());
  for (int round = 0; round < 2000 * Scale(); ++round) {
    TestRegion region(1 << 20);
    TestEngine engine(region);
    AddChain(engine, 100);
    Region words = region.region();
    const WordIndex chunk = WordOf(words.Load(kHeaderShapeChunks));
    const WordIndex places[] = {kHeaderShapeCount + random() % 15, chunk + random() % 512};
    const WordIndex place = places[random() % 2];
    if (place == kHeaderShapeMutex || place == kHeaderShapeRefusals) continue;
    const Word before = words.Load(place);
    const Word values[] = {0, ~Word{0}, static_cast<Word>(random()), before ^ 1u << random() % 32, before + 1};
    words.Store(place, values[random() % 5]);
    for (ShapeId id = 0; id < 200; ++id) {
      const std::optional<Shape> shape = engine->ReadShape(id);
      ASSERT_TRUE(!shape || shape->parent < id);
    }
    ShapeId parent = 0;
    for (std::uint32_t i = 0; i < 110; ++i) {
      ShapeId id = 0;
      if (engine->AddShape(parent, NameOf(i), &id) == Status::kDone) parent = id;
    }
    ASSERT_TRUE(engine.Put("key", "value"));
    engine->Verify();
    engine->Repair();
  }
}

TEST(Shapes, VerifyTellsWhatIsWrong) {
  TestRegion region(1 << 20);
  TestEngine engine(region);
  AddChain(engine, 70);
  ShapeId sibling;
  ASSERT_EQ(engine->AddShape(0, NameOf(1000), &sibling), Status::kDone);
  ExpectSound(engine);
  Region words = region.region();
  const WordIndex chunk = WordOf(words.Load(kHeaderShapeChunks));
  const WordIndex last = WordOf(words.Load(kHeaderShapeChunks + 1)) + (sibling - 1 - kFirstChunkShapes) * kShapeWords;
  const WordIndex third = chunk + 2 * kShapeWords;
  const std::pair<WordIndex, Word> damages[] = {
      {kHeaderShapeCount, 72},
      {kHeaderShapeCount, 70},
      {kHeaderShapeCount, 1000},
      {kHeaderShapeNewest, 1},
      {kHeaderShapeLimit, 255},
      {kHeaderShapeChildren, 33},
      {kHeaderShapeMutex, 1},
      {kHeaderShapeChunks, 0},
      {kHeaderShapeChunks + 1, 0},
      {kHeaderShapeChunks + 4, words.Load(kHeaderShapeChunks)},
      {third + kShapeParent, 3},
      {third + kShapeParent, 1},
      {third + kShapeSibling, 1},
      {third + kShapeNewest, 0},
      {third + kShapeNewest, 5},
      {third + kShapeName, words.Load(third + kShapeName) + 1},
      {third + kShapeName, words.Load(third + kShapeName) & ~(3u << kNameKindShift)},
      {last + kShapeSibling, 0},
      {last + kShapeName, words.Load(chunk + kShapeName)},
  };
  for (std::size_t i = 0; i < std::size(damages); ++i) {
    const auto [place, value] = damages[i];
    const Word before = words.Load(place);
    words.Store(place, value);
    EXPECT_FALSE(engine->Verify().empty()) << i;
    words.Store(place, before);
  }
  ExpectSound(engine);
}

TEST(Shapes, RepairKeepsTheTable) {
  TestRegion region(1 << 20);
  TestEngine engine(region);
  AddChain(engine, 200);
  const RepairReport report = engine->Repair();
  EXPECT_TRUE(report.has_looked_for_leaks);
  EXPECT_EQ(report.blocks_freed, 0u);
  for (int i = 0; i < 500; ++i) engine.Put("key" + std::to_string(i), std::string(1000, 'v'));
  ExpectDenseAndUnique(region.region());
  ExpectSound(engine);
}

}  // namespace
}  // namespace mapsafe
