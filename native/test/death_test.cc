// Sudden death: a child process is killed before each store of each kind of operation, and its parent goes on. Built
// with a core that can do that (steps.h).
// Before all that stores.
// clang-format off
#include "steps.h"
// clang-format on

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <functional>
#include <thread>

#include "eviction/area.h"
#include "testing.h"
#include "threads/takeover.h"
#include "watcher.h"

namespace mapsafe {
namespace {

using Duration = std::chrono::nanoseconds;
using Entries = std::map<std::string, std::string>;

// Time from a death to the end of every write that waited for it; the median must be within the bound.
constexpr std::chrono::milliseconds kBound{100};

// Room for the largest value here. There are thousands of engines, and making one writes all of this room.
constexpr std::size_t kScratchBytes = 1 << 16;

// The longest call after each death.
std::vector<Duration> stalls;

void ExpectShortStalls() {
  ASSERT_FALSE(stalls.empty());
  std::sort(stalls.begin(), stalls.end());
  const auto milliseconds = [](Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  const Duration median = stalls[stalls.size() / 2];
  std::printf("stalls: median %.1f ms, nine in ten within %.1f ms, longest %.1f ms\n", milliseconds(median),
              milliseconds(stalls[stalls.size() * 9 / 10]), milliseconds(stalls.back()));
  EXPECT_LE(median, kBound);
  stalls.clear();
}

// For a victim that waits in vain: some twenty sleeps, and a question to the kernel.
constexpr std::chrono::milliseconds kShortBound{12};

// Kills in each scenario, spread over its stores: all of them in the small ones.
constexpr long kKills = 150;

// Blocks that a write may have in hand: the new entry, the old one, and a tombstone's.
constexpr std::uint32_t kMostLost = 3;
// In addition: all entries of a segment, its twin and a directory array; in a cache, two tables or chunks instead.
constexpr std::uint32_t kMostLostWithSegment = kAllBuckets * kSlotsPerBucket + kMostLost + 2;

// Reports from a child to its parent, in shared memory.
struct Report {
  std::atomic<int> done;  // operations that returned
  std::atomic<long> stores;
  std::atomic<std::uint64_t> counter_version;  // after the last increment that returned
};

class SharedReport {
 public:
  SharedReport()
      : report_(new (mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Report) {
  }
  ~SharedReport() { munmap(report_, sizeof(Report)); }
  Report* operator->() { return report_; }

 private:
  Report* report_;
};

// One operation of a victim, and its effect on the entries.
struct Operation {
  std::function<void(TestEngine&)> run;
  std::function<void(Entries&)> effect;
  std::string counter{};  // the key, if it is an increment
};

Operation Putting(const std::string& key, const std::string& value) {
  return {[=](TestEngine& engine) { engine.Put(key, value); }, [=](Entries& entries) { entries[key] = value; }};
}

Operation Removing(const std::string& key) {
  return {[=](TestEngine& engine) { engine.Remove(key); }, [=](Entries& entries) { entries.erase(key); }};
}

Operation Holding(const std::string& key, const std::string& value) {
  return {[=](TestEngine& engine) {
            engine.Hold(key);
            engine.PutHeld(key, value);
          },
          [=](Entries& entries) { entries[key] = value; }};
}

// Adds `by`, so that the counter comes to `sum`.
Operation Counting(const std::string& key, double by, double sum, std::uint32_t mode = kPutAlways) {
  return {[=](TestEngine& engine) { engine.Increment(key, by, kNever, mode); },
          [=](Entries& entries) { entries[key] = std::string(reinterpret_cast<const char*>(&sum), sizeof sum); }, key};
}

// An operation that changes no entry.
Operation Doing(std::function<void(TestEngine&)> run) {
  return {std::move(run), [](Entries&) {}};
}

std::string KeyOf(int i) {
  return "key" + std::to_string(i);
}

void SweepAll(TestEngine& engine) {
  for (std::uint64_t hash = 0; hash < std::uint64_t{1} << 32;) {
    hash = engine->Sweep(hash, 1'000'000);
    if (engine.status() != Status::kDone) return;
  }
}

struct Scenario {
  std::size_t region_bytes = 1 << 20;
  int entries = 20;
  std::function<void(TestEngine&, Entries&)> prepare = [](TestEngine&, Entries&) {};
  std::vector<Operation> operations;
  bool is_cache = false;
  std::uint32_t max_entries = 0;        // of a cache; 0 for as many as fit
  bool whole = true;                    // every operation changes one entry, at once; no entry goes by itself
  double advance = 0;                   // milliseconds on the clock after the preparation
  bool watched = false;                 // the keeper watches, and learns of every change, or that it missed some
  bool attaching = false;               // the victim may also die while it attaches
  std::uint32_t most_lost = kMostLost;  // blocks, until a repair
  bool keeper_leaves = false;           // so that the victim is alone
  // How the keeper gets in the victim's way, and how it ends that after the death.
  std::function<void(TestEngine&, Region)> obstruct{};
  std::function<void(TestEngine&, Region)> clear_the_way{};
  // A thread that dies before the victim, before that store; the victim then comes to take over from it.
  std::vector<Operation> predecessor;
  long predecessor_store = 0;
};

// Runs `body` in a child that is killed before its store number `store`, or else at the end.
void RunAndKill(TestRegion& region, long store, const std::function<void()>& body) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    region.UseLocks();
    body();
    raise(SIGKILL);
  }
  static_cast<void>(store);
  // Not reaped yet: a zombie counts as dead, just like a process that is gone.
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  ASSERT_EQ(info.si_code, CLD_KILLED);
  ASSERT_EQ(info.si_status, SIGKILL);
  if (store % 2 == 0) waitpid(child, nullptr, 0);
}

void ReapChildren() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

class Death {
 public:
  Death(const Scenario& scenario, long store)
      : scenario_(scenario),
        store_(store),
        region_(scenario.region_bytes, scenario.is_cache ? kFlagCache : 0, scenario.max_entries) {}

  // The number of stores that the victim reached.
  long Run() {
    region_.UseLocks();
    keeper_.emplace(region_, kScratchBytes);
    for (int i = 0; i < scenario_.entries; ++i) Fill(KeyOf(i), "value of " + KeyOf(i));
    scenario_.prepare(*keeper_, entries_);
    region_.Advance(scenario_.advance);
    if (scenario_.obstruct) scenario_.obstruct(*keeper_, region_.region());
    if (scenario_.watched) {
      (*keeper_)->Watch();
      watcher_.emplace(region_);
      before_ = entries_;
    }
    if (scenario_.keeper_leaves) keeper_.reset();
    if (!scenario_.predecessor.empty()) {
      RunAndKill(region_, scenario_.predecessor_store, [this] {
        TestEngine predecessor(region_, kScratchBytes);
        steps::remaining = scenario_.predecessor_store;
        for (const Operation& operation : scenario_.predecessor) operation.run(predecessor);
      });
    }
    RunAndKill(region_, store_, [this] { Live(); });
    if (scenario_.keeper_leaves) {
      region_.UseLocks();
      keeper_.emplace(region_, kScratchBytes);
    }
    if (scenario_.clear_the_way) scenario_.clear_the_way(*keeper_, region_.region());
    if (scenario_.watched) CheckTold();
    CheckEntries();
    CheckWrites();
    CheckRepair();
    ReapChildren();
    return report_->stores;
  }

  void Fill(const std::string& key, const std::string& value) {
    ASSERT_TRUE(keeper_->Put(key, value));
    entries_[key] = value;
  }

 private:
  void Live() {
    if (scenario_.obstruct) WaitBudget::SetBound(kShortBound);
    steps::remaining = scenario_.attaching ? store_ : -1;
    TestEngine victim(region_, kScratchBytes);
    if (!scenario_.attaching) steps::remaining = store_;
    for (const Operation& operation : scenario_.operations) {
      operation.run(victim);
      if (!operation.counter.empty()) report_->counter_version = victim.version();
      ++report_->done;
    }
    report_->stores = store_ - steps::remaining;
    steps::remaining = -1;
  }

  // Each key that has another value than before was told, or the watcher knows that it may have missed some. Who did
  // not die while it held something leaves no doubt.
  void CheckTold() {
    TakeOverFromDead(region_.region());
    Entries keys = before_;
    for (const Operation& operation : scenario_.operations) operation.effect(keys);
    keys.insert(before_.begin(), before_.end());
    std::map<std::string, Word> told;
    for (const Seen& seen : watcher_->Read()) told[seen.key] = seen.cause;
    if (report_->stores > 0) {
      ASSERT_FALSE(watcher_->missed);
    }
    for (const auto& [key, ignored] : keys) {
      const std::optional<std::string> value = keeper_->Get(key);
      ASSERT_TRUE(value == Find(before_, key) || told.count(key) != 0 || watcher_->missed) << key;
      if (told.count(key) != 0 && !watcher_->missed) {
        ASSERT_EQ(value.has_value(), told[key] == kCauseSet) << key;
      }
    }
  }

  // Operations that the victim knew were done are done; the one it was doing is either done or not.
  void CheckEntries() {
    const auto done = static_cast<std::size_t>(report_->done.load());
    for (std::size_t i = 0; i < done; ++i) scenario_.operations[i].effect(entries_);
    after_ = entries_;
    if (done < scenario_.operations.size()) scenario_.operations[done].effect(after_);
    for (const Operation& operation : scenario_.predecessor) operation.effect(after_);
    Entries keys = entries_;
    keys.insert(after_.begin(), after_.end());
    for (const auto& [key, ignored] : keys) {
      const std::optional<std::string> value = keeper_->Get(key);
      ASSERT_GE(static_cast<int>(keeper_->status()), 0) << key;
      const bool may_be_evicted = scenario_.is_cache && !scenario_.whole && !value;
      ASSERT_TRUE(may_be_evicted || value == Find(entries_, key) || value == Find(after_, key))
          << key << ": " << value.value_or("absent");
    }
    if (done < scenario_.operations.size()) CheckCounter(scenario_.operations[done].counter);
  }

  // An increment that was cut off leaves the sum and version both old or both new.
  void CheckCounter(const std::string& key) {
    const std::uint64_t before = report_->counter_version;
    if (key.empty() || before == 0) return;
    const bool is_old = keeper_->Get(key) == Find(entries_, key);
    ASSERT_EQ(keeper_->version() == before, is_old) << key;
  }

  static std::optional<std::string> Find(const Entries& entries, const std::string& key) {
    const auto found = entries.find(key);
    return found == entries.end() ? std::nullopt : std::optional(found->second);
  }

  // Writes all over the region; no write waits for long, and no version comes back.
  void CheckWrites() {
    Duration longest{};
    std::vector<std::string> keys;
    for (const auto& [key, ignored] : after_) keys.push_back(key);
    for (int i = 0; i < 200; ++i) keys.push_back("more" + std::to_string(i));
    for (const std::string& key : keys) {
      const std::uint64_t version = keeper_->Has(key) ? keeper_->version() : 0;
      const auto start = OwnTime();
      ASSERT_TRUE(keeper_->Put(key, "later")) << key << " status " << static_cast<int>(keeper_->status());
      longest = std::max(longest, OwnTime() - start);
      ASSERT_GT(keeper_->version(), version) << key;
      entries_[key] = after_[key] = "later";
    }
    if (scenario_.is_cache) {  // whose snapshot has what has expired, too, at this level
      TestEngine sweeper(region_, kScratchBytes);
      SweepAll(sweeper);
    }
    const auto start = OwnTime();
    const Entries snapshot = keeper_->Snapshot();
    ASSERT_EQ(keeper_->status(), Status::kDone);
    stalls.push_back(std::max(longest, OwnTime() - start));
    for (const auto& [key, value] : snapshot) {
      ASSERT_TRUE(value == Find(entries_, key) || value == Find(after_, key)) << key << ": " << value;
    }
    if (scenario_.max_entries > 0) {
      ASSERT_LE(snapshot.size(), scenario_.max_entries);
    }
    if (scenario_.whole) {
      ASSERT_TRUE(snapshot == entries_ || snapshot == after_);
    }
    TestEngine newcomer(region_, kScratchBytes);  // A death in no thread's way is noticed, too, when a thread attaches.
    ASSERT_EQ(IsWatched(region_.region()), scenario_.watched);  // Nobody tells a dead watcher for ever.
    ASSERT_EQ((*keeper_)->Size(), snapshot.size());
  }

  void CheckRepair() {
    const RepairReport report = (*keeper_)->Repair();
    ASSERT_EQ(keeper_->status(), Status::kDone);
    ASSERT_TRUE(report.has_looked_for_leaks);
    ASSERT_LE(report.blocks_freed, scenario_.most_lost * (scenario_.predecessor.empty() ? 1 : 2));
    ExpectSound(*keeper_);
    // Every node in use belongs to an entry: those that the dead threads took are free again.
    Word nodes = 0;
    for (const WordIndex at : PartitionsOf(region_.region())) nodes += NodesInUse(at);
    if (scenario_.is_cache) {
      ASSERT_EQ(nodes, (*keeper_)->Size());
    }
  }

  Word NodesInUse(WordIndex partition) const {
    const Region region = region_.region();
    return region.Load(partition + kPartitionCold + kQueueSize) + region.Load(partition + kPartitionMain + kQueueSize);
  }

  const Scenario& scenario_;
  const long store_;
  TestRegion region_;
  SharedReport report_;
  std::optional<TestEngine> keeper_;
  Entries entries_;
  Entries after_;
  Entries before_;
  std::optional<Watcher> watcher_;
};

void KillEverywhere(const Scenario& scenario, long most_kills = kKills) {
  std::mt19937_64 random(Seed());
  const long stores = Death(scenario, LONG_MAX).Run();
  ASSERT_GT(stores, 0);
  const long kills = std::min(stores, most_kills * Scale());
  for (long i = 0; i < kills && !testing::Test::HasFatalFailure() && !testing::Test::HasNonfatalFailure(); ++i) {
    // One store in each of this many stretches: all stores, if there are so few.
    const long from = stores * i / kills;
    const long width = stores * (i + 1) / kills - from;
    const long store = from + static_cast<long>(random() % static_cast<std::uint64_t>(width));
    SCOPED_TRACE("store " + std::to_string(store) + " of " + std::to_string(stores));
    Death(scenario, store).Run();
  }
  std::printf("killed %ld times in %ld stores\n", kills, stores);
  ExpectShortStalls();
}

// The number of entries at which the next insert of KeyOf splits a segment, with or without doubling the directory.
int EntriesBeforeSplit(bool doubling, int from = 0) {
  TestRegion region(8 << 20);
  TestEngine engine(region);
  for (int i = 0;; ++i) {
    const Word segments = region.region().Load(kHeaderSegmentCount);
    const Word directory = region.region().Load(kHeaderDirectory);
    engine.Put(KeyOf(i), "value of " + KeyOf(i));
    const bool has_split = region.region().Load(kHeaderSegmentCount) != segments;
    const bool has_doubled = region.region().Load(kHeaderDirectory) != directory;
    if (i >= from && has_split && has_doubled == doubling) return i;
  }
}

TEST(Death, InWritesOfOneBucket) {
  Scenario scenario;
  const std::string large(700, 'l');
  const std::string huge(40000, 'h');
  scenario.operations = {Putting("new", "1"), Putting("new", "2"),        Removing("new"),
                         Putting("new", "3"), Putting(KeyOf(3), "other"), Removing(KeyOf(4)),
                         Putting("l", large), Putting("l", large + "2"),  Removing("l"),
                         Putting("h", huge),  Putting("h", "small"),      Putting("h", huge),
                         Removing("h"),       Removing(KeyOf(5)),         Removing("absent")};
  // Both words of the number change, so that half a sum equals none of the sums.
  constexpr double kBy = 1e15 / 3 - 1.0 / 3;
  for (int i = 1; i <= 3; ++i) scenario.operations.push_back(Counting("sum", kBy, i * kBy));
  scenario.operations.push_back(Counting("sum", kBy, 4 * kBy, kRenewExpiry));
  scenario.operations.push_back(Counting("sum", kBy, 5 * kBy, kPutIfPresent));
  scenario.operations.push_back(Putting("sum", "no number"));
  KillEverywhere(scenario);
}

TEST(Death, InWritesThatAreWatched) {
  Scenario scenario;
  scenario.watched = true;
  scenario.operations = {Putting("new", "1"),
                         Putting("new", "2"),
                         Removing("new"),
                         Putting(KeyOf(3), "other"),
                         Removing(KeyOf(4)),
                         Counting("sum", 1, 1),
                         Counting("sum", 1, 2),
                         Holding("held", "1"),
                         Putting("l", std::string(700, 'l')),
                         Putting(std::string(100, 'k'), "value")};
  KillEverywhere(scenario);
}

TEST(Death, InAClearThatIsWatched) {
  Scenario scenario;
  scenario.watched = true;
  scenario.entries = 200;
  scenario.most_lost = kMostLostWithSegment;
  scenario.operations = {{[](TestEngine& engine) { engine->Clear(); }, [](Entries& entries) { entries.clear(); }}};
  scenario.whole = false;
  KillEverywhere(scenario);
}

TEST(Death, WhileItBeginsAndEndsToWatch) {
  Scenario scenario;
  scenario.operations = {Doing([](TestEngine& engine) { engine->Watch(); }), Putting("new", "1"),
                         Doing([](TestEngine& engine) { engine->Unwatch(); }),
                         Doing([](TestEngine& engine) { engine->Watch(); })};
  KillEverywhere(scenario);
}

TEST(Death, InWritesOfACrowdedSegment) {
  Scenario scenario;
  scenario.most_lost = kMostLostWithSegment;
  scenario.entries = EntriesBeforeSplit(true) - 20;
  for (int i = 0; i < 12; ++i) scenario.operations.push_back(Putting("new" + std::to_string(i), "new"));
  for (int i = 0; i < 200; i += 20) scenario.operations.push_back(Putting(KeyOf(i), "other"));
  for (int i = 5; i < 200; i += 20) scenario.operations.push_back(Removing(KeyOf(i)));
  KillEverywhere(scenario);
}

TEST(Death, InASplitThatDoublesTheDirectory) {
  Scenario scenario;
  scenario.most_lost = kMostLostWithSegment;
  scenario.entries = EntriesBeforeSplit(true);
  scenario.operations = {Putting(KeyOf(scenario.entries), "split")};
  KillEverywhere(scenario);
}

TEST(Death, InASplitWithinTheDirectory) {
  Scenario scenario;
  scenario.most_lost = kMostLostWithSegment;
  scenario.region_bytes = 4 << 20;
  scenario.entries = EntriesBeforeSplit(false);
  scenario.operations = {Putting(KeyOf(scenario.entries), "split")};
  KillEverywhere(scenario);
}

TEST(Death, InACleanup) {
  Scenario scenario;
  scenario.most_lost = kMostLostWithSegment;
  scenario.entries = 600;
  scenario.prepare = [](TestEngine& engine, Entries& entries) {
    for (int i = 0; i < 224; ++i) {
      ASSERT_TRUE(engine.Remove(KeyOf(i)));
      entries.erase(KeyOf(i));
    }
  };
  scenario.operations = {Removing(KeyOf(300))};
  KillEverywhere(scenario);
}

// A name that takes two words.
ShapeName NameOf(int i) {
  ShapeName name{};
  name.bytes = 8;
  name.kind = kKeyLatin1;
  name.words[0] = 0x656d616e;
  name.words[1] = 0x30303030 + static_cast<Word>(i);
  return name;
}

// Adds the shape `i` under every third one before it.
Operation AddingShape(int i) {
  return Doing([i](TestEngine& engine) {
    ShapeId id = 0;
    ASSERT_EQ(engine->AddShape(static_cast<ShapeId>(i / 3), NameOf(i), &id), Status::kDone);
    ASSERT_EQ(id, static_cast<ShapeId>(i + 1));
  });
}

// Whoever comes after can add the same shapes, which have the same ids, and more.
TEST(Death, InAppendsOfShapes) {
  constexpr int kBefore = 60;
  constexpr int kAdded = 8;  // beyond the first chunk
  Scenario scenario;
  scenario.prepare = [](TestEngine& engine, Entries&) {
    for (int i = 0; i < kBefore; ++i) AddingShape(i).run(engine);
  };
  for (int i = kBefore; i < kBefore + kAdded; ++i) scenario.operations.push_back(AddingShape(i));
  scenario.clear_the_way = [](TestEngine& engine, Region) {
    for (int i = 0; i < 2 * kBefore; ++i) AddingShape(i).run(engine);
    for (int i = 0; i < 2 * kBefore; ++i) {
      const std::optional<Shape> shape = engine->ReadShape(static_cast<ShapeId>(i + 1));
      ASSERT_TRUE(shape && shape->name == NameOf(i) && shape->parent == static_cast<ShapeId>(i / 3)) << i;
    }
  };
  KillEverywhere(scenario);
}

TEST(Death, InTheFirstAppendOfAShape) {
  Scenario scenario;
  scenario.operations = {AddingShape(0)};
  scenario.clear_the_way = [](TestEngine& engine, Region) {
    for (int i = 0; i < 3; ++i) AddingShape(i).run(engine);
  };
  KillEverywhere(scenario);
}

TEST(Death, InClear) {
  Scenario scenario;
  scenario.most_lost = kMostLostWithSegment;
  scenario.region_bytes = 4 << 20;
  scenario.entries = 900;
  // Not at once: each entry goes or stays.
  scenario.operations = {{[](TestEngine& engine) { engine->Clear(); }, [](Entries& entries) { entries.clear(); }}};
  scenario.whole = false;
  KillEverywhere(scenario);
}

// Fills the map, and deletes most of it here and there. Entries of this size stay as no tombstones.
void Scatter(TestEngine& engine, Entries& entries, int kept_of) {
  const std::string value(600, 'v');
  for (int i = 0; engine.Put("scattered" + std::to_string(i), value + std::to_string(i)); ++i) {
    entries["scattered" + std::to_string(i)] = value + std::to_string(i);
  }
  const Entries all = entries;
  int i = 0;
  for (const auto& [key, ignored] : all) {
    if (key[0] == 's' && i++ % kept_of != 0 && engine.Remove(key)) entries.erase(key);
  }
}

TEST(Death, WhileEntriesAreMoved) {
  Scenario scenario;
  scenario.prepare = [](TestEngine& engine, Entries& entries) {
    Scatter(engine, entries, 10);
    engine.Increment("counter", 5);
    engine.Increment("counter", 6);
    const double sum = 11;
    entries["counter"] = std::string(reinterpret_cast<const char*>(&sum), sizeof sum);
  };
  scenario.operations = {Putting("large", std::string(60'000, 'l')), Putting("second", std::string(60'000, 'm')),
                         Putting("third", std::string(30'000, 'n'))};
  KillEverywhere(scenario, 2 * kKills);
}

// Most of what a map held is deleted, so that a sweep joins its segments.
Scenario Joining() {
  Scenario scenario;
  scenario.region_bytes = 4 << 20;
  scenario.entries = 20;
  // Of two segments, and those that a thread was giving back.
  scenario.most_lost = 2 * kMostLostWithSegment;
  scenario.prepare = [](TestEngine& engine, Entries&) {
    for (int i = 0; i < 1500; ++i) ASSERT_TRUE(engine.Put("passing" + std::to_string(i), "value"));
    for (int i = 0; i < 1500; ++i) ASSERT_TRUE(engine.Remove("passing" + std::to_string(i)));
  };
  return scenario;
}

TEST(Death, WhileSegmentsAreJoined) {
  Scenario scenario = Joining();
  scenario.operations = {Doing(SweepAll)};
  KillEverywhere(scenario, 4 * kKills);
}

// Nobody else has to begin an operation before what vanished is given back.
TEST(Death, WhileVanishedSegmentsAreGivenBack) {
  Scenario scenario = Joining();
  scenario.keeper_leaves = true;
  scenario.operations = {Doing(SweepAll), Doing(SweepAll)};
  KillEverywhere(scenario, 2 * kKills);
}

TEST(Death, WhileTakingOverFromWhoJoined) {
  std::mt19937_64 random(Seed());
  Scenario scenario = Joining();
  scenario.attaching = true;
  scenario.predecessor = {Doing(SweepAll)};
  scenario.operations = {Doing([](TestEngine&) {})};
  for (int i = 0; i < 8; ++i) {
    scenario.predecessor_store = static_cast<long>(random() % 5000);
    SCOPED_TRACE("predecessor's store " + std::to_string(scenario.predecessor_store));
    KillEverywhere(scenario, kKills / 5);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(Death, InASnapshot) {
  Scenario scenario;
  scenario.region_bytes = 4 << 20;
  scenario.entries = 900;
  scenario.operations = {Doing([](TestEngine& engine) { engine.Snapshot(); })};
  KillEverywhere(scenario);
}

TEST(Death, WithAKeyHeld) {
  Scenario scenario;
  scenario.operations = {Holding("new", "1"), Holding(KeyOf(3), "other"), Doing([](TestEngine& engine) {
                           engine.Hold(KeyOf(4));
                           engine->LetGo();
                         })};
  KillEverywhere(scenario);
}

TEST(Death, WhileAttachingAndClosing) {
  Scenario scenario;
  scenario.attaching = true;
  scenario.operations = {Putting("new", "1"), Doing([](TestEngine& engine) { engine->Close(); })};
  KillEverywhere(scenario);
}

// A thread may die in the middle of a takeover; another thread then takes over from both.
TEST(Death, WhileTakingOver) {
  std::mt19937_64 random(Seed());
  Scenario scenario;
  scenario.most_lost = kMostLostWithSegment;
  scenario.entries = EntriesBeforeSplit(true);
  scenario.attaching = true;
  scenario.predecessor = {Putting(KeyOf(scenario.entries), "split")};
  scenario.operations = {Doing([](TestEngine&) {})};
  for (int i = 0; i < 10; ++i) {
    scenario.predecessor_store = static_cast<long>(random() % 4500);
    SCOPED_TRACE("predecessor's store " + std::to_string(scenario.predecessor_store));
    KillEverywhere(scenario, kKills / 5);
    if (testing::Test::HasFailure()) break;
  }
}

Scenario Evicting() {
  Scenario scenario;
  scenario.is_cache = true;
  scenario.whole = false;  // entries go that no thread deleted
  return scenario;
}

// The number of entries at which the next insert adds a second chunk of nodes.
int EntriesBeforeMoreNodes() {
  const Scenario scenario = Evicting();
  TestRegion region(scenario.region_bytes, kFlagCache);
  TestEngine engine(region);
  const WordIndex nodes = PartitionsOf(region.region())[0] + kPartitionNodes;
  engine.Put(KeyOf(0), "value");
  const Word first = region.region().Load(nodes);
  for (int i = 1;; ++i) {
    engine.Put(KeyOf(i), "value");
    if (region.region().Load(nodes) != first) return i;
  }
}

TEST(Death, InInsertsThatEvict) {
  Scenario scenario = Evicting();
  scenario.max_entries = 24;
  scenario.entries = 40;
  // Some are used, and move on in their queue.
  scenario.prepare = [](TestEngine& engine, Entries&) {
    for (int i = 20; i < 40; i += 2) engine.Get(KeyOf(i));
  };
  for (int i = 0; i < 8; ++i) scenario.operations.push_back(Putting("new" + std::to_string(i), "new"));
  scenario.operations.insert(scenario.operations.end(),
                             {Putting("new7", "other"), Removing("new6"), Putting(KeyOf(0), "returns"),
                              Putting(KeyOf(1), "returns"), Putting("new6", "again")});
  KillEverywhere(scenario);
}

TEST(Death, WhileTakingOverInACache) {
  std::mt19937_64 random(Seed());
  Scenario scenario = Evicting();
  scenario.max_entries = 24;
  scenario.entries = 40;
  scenario.attaching = true;
  for (int i = 0; i < 8; ++i) scenario.predecessor.push_back(Putting("new" + std::to_string(i), "new"));
  scenario.operations = {Doing([](TestEngine&) {})};
  for (int i = 0; i < 10 && !testing::Test::HasFailure(); ++i) {
    scenario.predecessor_store = static_cast<long>(random() % 1000);
    SCOPED_TRACE("predecessor's store " + std::to_string(scenario.predecessor_store));
    KillEverywhere(scenario, kKills / 5);
  }
}

TEST(Death, WhileRoomIsMadeInACache) {
  Scenario scenario = Evicting();
  scenario.most_lost = kMostLostWithSegment;
  const std::string large(4000, 'l');
  const std::string huge(40000, 'h');
  scenario.prepare = [=](TestEngine& engine, Entries& entries) {
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(engine.Put("large" + std::to_string(i), large));
      entries["large" + std::to_string(i)] = large;
    }
  };
  scenario.operations = {Putting("a", large), Putting("b", huge), Putting("c", large), Removing("b")};
  KillEverywhere(scenario);
}

TEST(Death, WhileACacheGetsNodes) {
  Scenario scenario = Evicting();
  scenario.most_lost = kMostLostWithSegment;
  scenario.entries = EntriesBeforeMoreNodes() - 2;
  for (int i = 0; i < 6; ++i) scenario.operations.push_back(Putting("new" + std::to_string(i), "new"));
  KillEverywhere(scenario);
}

TEST(Death, InClearOfACache) {
  Scenario scenario = Evicting();
  scenario.most_lost = kMostLostWithSegment;
  scenario.entries = 100;
  scenario.operations = {{[](TestEngine& engine) { engine->Clear(); }, [](Entries& entries) { entries.clear(); }}};
  KillEverywhere(scenario);
}

// As a read does that renews an entry: the same value is stored on condition of its version, with a later end.
Operation Renewing(const std::string& key, double ttl) {
  return Doing([=](TestEngine& engine) {
    const std::optional<std::string> value = engine.Get(key);
    ASSERT_TRUE(value.has_value());
    const std::uint64_t version = engine.version();
    ASSERT_TRUE(engine.Put(key, *value, kPutIfVersion, version, kValueLatin1, engine->Now() + ttl, -ttl));
  });
}

TEST(Death, WhileReadsRenewEntries) {
  constexpr double kTtl = 1e8;
  Scenario scenario;
  scenario.is_cache = true;
  scenario.prepare = [](TestEngine& engine, Entries& entries) {
    for (const int length : {5, 700, 40000, 0}) {
      const std::string key = "sliding" + std::to_string(length);
      const std::string value(static_cast<std::size_t>(length), 's');
      ASSERT_TRUE(engine.Put(key, value, kPutAlways, 0, kValueLatin1, engine->Now() + kTtl, -kTtl));
      entries[key] = value;
    }
  };
  scenario.advance = kTtl / 2;
  for (int round = 0; round < 2; ++round) {
    for (const int length : {5, 700, 40000, 0}) {
      scenario.operations.push_back(Renewing("sliding" + std::to_string(length), kTtl));
    }
  }
  KillEverywhere(scenario);
}

TEST(Death, WhileExpiredEntriesAreSwept) {
  Scenario scenario = Evicting();
  scenario.most_lost = kMostLostWithSegment;
  scenario.prepare = [](TestEngine& engine, Entries&) {
    const double soon = engine->Now() + 1000;
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(engine.Put("short" + std::to_string(i), "value", kPutAlways, 0, kValueLatin1, soon));
    }
  };
  scenario.advance = 10'000;
  scenario.operations = {Doing(SweepAll)};
  KillEverywhere(scenario);
}

// The slots of a table are filled by TypeScript: test/death has that.
TEST(Death, WhileEntriesHaveLabels) {
  Scenario scenario = Evicting();
  scenario.entries = 20;
  const auto labelled = [](const std::string& key, std::uint32_t label) {
    return Operation{[=](TestEngine& engine) {
                       const WordIndex table = WordOf(engine.region().Load(kHeaderLabelTables + 1));
                       const WordIndex generation = table + WordIndex{label} * kLabelSlotWords;
                       engine.outcome().labels[0] = static_cast<std::uint32_t>(generation);
                       engine.outcome().labels[1] = engine.region().Load(generation);
                       engine.outcome().given_labels = 1;
                       engine.Put(key, "labelled");
                     },
                     [=](Entries& entries) { entries[key] = "labelled"; }};
  };
  const auto invalidating = [](std::uint32_t label, std::vector<std::string> keys) {
    return Operation{[=](TestEngine& engine) {
                       Region region = engine.region();
                       const WordIndex table = WordOf(region.Load(kHeaderLabelTables + 1));
                       region.Add(kHeaderInvalidations, 2);
                       region.Add(table + WordIndex{label} * kLabelSlotWords, 1);
                       region.Add(kHeaderInvalidations, 2);
                     },
                     [=](Entries& entries) {
                       for (const std::string& key : keys) entries.erase(key);
                     }};
  };
  scenario.operations = {Doing([](TestEngine& engine) { engine->MakeLabelTable(1); }),
                         labelled("new", 1),
                         labelled(KeyOf(3), 1),
                         labelled(KeyOf(4), 2),
                         invalidating(1, {"new", KeyOf(3)}),
                         labelled(KeyOf(3), 1),
                         Doing(SweepAll),
                         Doing([](TestEngine& engine) { engine->MakeLabelTable(0); })};
  KillEverywhere(scenario);
}

TEST(Death, WhileWaitingForAKeyHeld) {
  Scenario scenario;
  scenario.obstruct = [](TestEngine& keeper, Region) { ASSERT_TRUE(keeper.Hold(KeyOf(3))); };
  scenario.clear_the_way = [](TestEngine& keeper, Region) { keeper->LetGo(); };
  scenario.operations = {Doing([](TestEngine& engine) { ASSERT_FALSE(engine.Put(KeyOf(3), "late")); }),
                         Doing([](TestEngine& engine) { ASSERT_FALSE(engine.Remove(KeyOf(3))); })};
  KillEverywhere(scenario, kKills / 3);  // which wait, all of them
}

// A living thread has the heap mutex, so that the victim owes the blocks that it frees; then the mutex is released, and
// the debt is settled.
TEST(Death, WithBlocksOwed) {
  Scenario scenario;
  const std::string huge(40000, 'h');
  scenario.prepare = [=](TestEngine& engine, Entries& entries) {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(engine.Put("huge" + std::to_string(i), huge));
      entries["huge" + std::to_string(i)] = huge;
    }
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(engine.Put("more" + std::to_string(i), "value"));
      entries["more" + std::to_string(i)] = "value";
    }
  };
  scenario.obstruct = [](TestEngine& keeper, Region region) { region.Store(kHeaderHeapMutex, keeper->owner_mark()); };
  scenario.clear_the_way = [](TestEngine&, Region region) {
    // Unless a thread that died after the release has it.
    region.CompareAndSwap(kHeaderHeapMutex, ThreadRecord::MarkOf(region, 0), 0);
  };
  for (int i = 0; i < 4; ++i) scenario.operations.push_back(Removing("huge" + std::to_string(i)));
  for (int i = 0; i < 100; ++i) scenario.operations.push_back(Removing("more" + std::to_string(i)));
  scenario.operations.push_back(Doing([](TestEngine& engine) {
    Region region = engine.region();
    region.Store(kHeaderHeapMutex, 0);
  }));
  scenario.operations.push_back(Putting("new", huge));
  scenario.operations.push_back(Putting("new", "small"));
  KillEverywhere(scenario, kKills / 3);  // which wait, all of them
}

// Somebody who ended long ago could not give back its lists and a run of pages.
TEST(Death, WhileLeftoversAreGivenBack) {
  Scenario scenario;
  scenario.prepare = [](TestEngine& engine, Entries&) {
    Region region = engine.region();
    ASSERT_TRUE(engine.Put("huge", std::string(40000, 'h')));
    region.Store(kHeaderHeapMutex, engine->owner_mark());
    ASSERT_TRUE(engine.Remove("huge"));
    region.Store(kHeaderHeapMutex, 0);
    const WordIndex from = ThreadRecord::At(0);
    const WordIndex to = ThreadRecord::At(5);
    const auto move = [&](WordIndex word) {
      region.Store(to + word, region.Load(from + word));
      region.Store(from + word, 0);
    };
    ASSERT_NE(region.Load(from + kThreadOwed), 0u);
    move(kThreadOwed);
    for (std::uint32_t i = 0; i < kSizeClasses; ++i) {
      move(kThreadFreeHeads + i);
      move(kThreadFreeCounts + i);
    }
    region.Store(to + kThreadHasExcess, 1);
  };
  scenario.operations = {Doing(SweepAll), Putting("new", std::string(40000, 'n')), Doing(SweepAll)};
  KillEverywhere(scenario);
}

// A thread that has finished a takeover lets others do the next one, although it runs on itself.
TEST(Death, IsTakenOverByOneAfterTheOther) {
  TestRegion region(1 << 20);
  region.UseLocks();
  TestEngine keeper(region, kScratchBytes);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(keeper.Put(KeyOf(i), "value"));
  const auto leave_held = [&region] {
    RunAndKill(region, 0, [&region] {
      TestEngine victim(region, kScratchBytes);
      victim.Hold(KeyOf(3));
      raise(SIGKILL);  // before the engine is closed
    });
  };
  leave_held();
  ASSERT_TRUE(keeper.Put(KeyOf(3), "after the first"));
  leave_held();
  const pid_t other = fork();
  ASSERT_GE(other, 0);
  if (other == 0) {
    region.UseLocks();
    TestEngine newcomer(region, kScratchBytes);
    _exit(newcomer.Put(KeyOf(3), "after the second") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  ReapChildren();
}

// What another process, with its own description of the file, sees before each store of a life.
struct Onlooker {
  const TestRegion* region = nullptr;
  RecordLocks locks;
  long looks = 0;
  long unlocked = 0;  // records that were taken while no thread had the lock
};
Onlooker* onlooker = nullptr;

TEST(Death, IsShownByNoRecordOfTheLiving) {
  TestRegion region(1 << 20);
  region.UseLocks();
  Onlooker one;
  one.region = &region;
  const int descriptor = region.OpenFile();
  ASSERT_EQ(one.locks.Open(descriptor), 0);
  close(descriptor);
  if (!one.locks.are_supported()) GTEST_SKIP() << "this system has no locks of records";
  onlooker = &one;
  steps::observer = [] {
    ++onlooker->looks;
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      const bool is_taken = onlooker->region->region().LoadPair(ThreadRecord::At(i) + kThreadKernelId) != 0;
      if (is_taken && !onlooker->locks.IsLocked(i)) ++onlooker->unlocked;
    }
  };
  {
    TestEngine first(region, kScratchBytes);
    {
      TestEngine second(region, kScratchBytes);
      second.Put("key", "value");
    }
    TestEngine third(region, kScratchBytes);
    third.Put("key", "other");
  }
  steps::observer = nullptr;
  onlooker = nullptr;
  EXPECT_GT(one.looks, 30);
  EXPECT_EQ(one.unlocked, 0);
}

// The time of an entry passes before a chosen store of a write, and a reader sees that before the home is held.
struct Expiry {
  TestRegion* region;
  TestEngine* reader;
  WordIndex home;  // first word of the bucket that the write has yet to hold
  Word version;    // of that bucket, before the write
  long until;      // stores until then
  bool was_seen = false;
};
Expiry* expiry = nullptr;

TEST(Expiry, NoWriteRenewsWhatAReaderSawExpired) {
  constexpr double kMinute = 60'000;
  struct Write {
    const char* name;
    // Whether it took the entry for one that is there.
    bool (*made_of)(TestEngine& writer, std::uint64_t version, double expires_at);
  };
  const Write writes[] = {
      {"by version",
       [](TestEngine& writer, std::uint64_t version, double later) {
         return writer.Put("key", "two", kPutIfVersion, version, kValueLatin1, later);
       }},
      {"if present", [](TestEngine& writer, std::uint64_t,
                        double later) { return writer.Put("key", "two", kPutIfPresent, 0, kValueLatin1, later); }},
      {"returns the previous value",
       [](TestEngine& writer, std::uint64_t, double later) {
         EXPECT_TRUE(writer.Put("key", "two", kPutAlways | kReturnPrevious, 0, kValueLatin1, later));
         return writer.outcome().previous == Status::kFound;
       }},
      {"counts on", [](TestEngine& writer, std::uint64_t, double) { return writer.Increment("counter") > 1; }},
  };
  for (const Write& write : writes) {
    SCOPED_TRACE(write.name);
    int seen = 0;
    for (long store = 0, end = 1; store < end; ++store) {
      TestRegion region(kMinRegionBytes, kFlagCache);
      TestEngine writer(region, kScratchBytes);
      TestEngine reader(region, kScratchBytes);
      const double expires_at = writer->Now() + kMinute;
      // The counter last: the writer remembers where it is.
      ASSERT_TRUE(writer.Put("key", "one", kPutAlways, 0, kValueLatin1, expires_at));
      const std::uint64_t version = writer.version();
      const bool counts = std::string_view(write.name) == "counts on";
      if (counts) writer.Increment("counter", 1, expires_at);
      if (counts) writer.Increment("counter", 0);
      static const char* key;
      key = counts ? "counter" : "key";
      const WordIndex home = WordOf(writer.outcome().home) + kBucketVersion;
      Expiry at{&region, &reader, home, region.region().Load(home), store};
      expiry = &at;
      steps::observer = [] {
        if (expiry->until-- != 0 || expiry->region->region().Load(expiry->home) != expiry->version) return;
        steps::observer = nullptr;
        expiry->region->Advance(2 * kMinute);
        expiry->was_seen = !expiry->reader->Has(key);
      };
      const bool made = write.made_of(writer, version, expires_at + 2 * kMinute);
      const bool was_under_way = at.until < 0;
      steps::observer = nullptr;
      expiry = nullptr;
      if (was_under_way) end = store + 2;
      seen += at.was_seen ? 1 : 0;
      EXPECT_FALSE(at.was_seen && made) << "before store " << store;
      ExpectSound(reader);
    }
    EXPECT_GT(seen, 0);
  }
}

// The same where a write holds the home and has yet to get the bucket beside it: readers look into the home that is
// held.
TEST(Expiry, NoWriteThatWaitsForAnotherBucketRenewsWhatAReaderSawExpired) {
  constexpr double kMinute = 60'000;
  int seen = 0;
  for (long store = 0, end = 1; store < end; ++store) {
    TestRegion region(kMinRegionBytes, kFlagCache);
    TestEngine writer(region, kScratchBytes);
    TestEngine reader(region, kScratchBytes);
    writer.Has("key");
    const Block home = writer.outcome().home;
    const double expires_at = writer->Now() + kMinute;
    // Others fill the home, so that the key lies in the next bucket or the stash.
    Region words = region.region();
    const Bucket bucket(words, WordOf(home));
    for (int i = 0; bucket.FindRoom() < kSlotsPerBucket; ++i) {
      const std::string other = "other" + std::to_string(i);
      writer.Has(other);
      if (writer.outcome().home == home) {
        ASSERT_TRUE(writer.Put(other, "1"));
      }
    }
    ASSERT_TRUE(writer.Put("key", "one", kPutAlways, 0, kValueLatin1, expires_at));
    ASSERT_EQ(writer.outcome().home, home);
    const std::uint64_t version = writer.version();
    const Word hash = words.Load(WordOf(writer.outcome().entry) + kEntryHash);
    const Block any = 0;
    const WordIndex beside = WordOf(home) + BucketIn(any, NeighbourOf(HomeOf(hash))) - BucketIn(any, HomeOf(hash));
    Expiry at{&region, &reader, beside + kBucketVersion, 0, store};
    expiry = &at;
    steps::observer = [] {
      // Once it has all that it needs, the write looks at the clock for the last time.
      if (expiry->until-- != 0 || (expiry->region->region().Load(expiry->home) & 1) != 0) return;
      steps::observer = nullptr;
      expiry->region->Advance(2 * kMinute);
      expiry->was_seen = !expiry->reader->Has("key");
    };
    const bool made = writer.Put("key", "two", kPutIfVersion, version, kValueLatin1, expires_at + 2 * kMinute);
    steps::observer = nullptr;
    expiry = nullptr;
    if (at.until < 0) end = store + 2;
    seen += at.was_seen ? 1 : 0;
    EXPECT_FALSE(at.was_seen && made) << "before store " << store;
    ExpectSound(reader);
  }
  EXPECT_GT(seen, 0);
}

// What a hold read may expire before the write that ends it.
TEST(Expiry, NoHeldWriteRenewsWhatHasExpired) {
  TestRegion region(kMinRegionBytes, kFlagCache);
  TestEngine writer(region, kScratchBytes);
  TestEngine reader(region, kScratchBytes);
  ASSERT_TRUE(writer.Put("key", "one", kPutAlways, 0, kValueLatin1, writer->Now() + 1000));
  ASSERT_TRUE(writer.Hold("key"));
  region.Advance(1000);
  // A reader that finds the holder at work looks again for a while, and then says what it sees.
  const double start = reader->Now();
  EXPECT_FALSE(reader.Has("key"));
  EXPECT_GT(reader->Now() - start, 5);
  EXPECT_FALSE(writer.PutHeld("key", "two", writer->Now() + 1000));
  EXPECT_EQ(writer.status(), Status::kNotDone);
  EXPECT_FALSE(reader.Has("key"));
  // It holds nothing any more.
  EXPECT_TRUE(reader.Put("key", "three"));
  ExpectSound(reader);
}

// A thread about which nothing can be known may be alive.
TEST(Death, IsNotAssumedOfWhoCannotBeAskedAbout) {
  TestRegion region(1 << 20);
  TestEngine keeper(region, kScratchBytes);
  Region words = region.region();
  const WordIndex at = ThreadRecord::At(0) + kThreadKernelId;
  const KernelId name = words.LoadPair(at) & ~(KernelId{3} << 22);
  ASSERT_EQ(ProofOf(name), Proof::kNone);
  words.StorePair(at, name);
  TestEngine newcomer(region, kScratchBytes);
  EXPECT_EQ(words.LoadPair(at), name);
}

// During a takeover another thread dies, and a third comes: it leaves that death to the first.
TEST(Death, IsTakenOverByOneAtATime) {
  TestRegion region(1 << 20);
  region.UseLocks();
  TestEngine keeper(region, kScratchBytes);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(keeper.Put(KeyOf(i), "value"));
  static TestRegion* shared;
  static bool has_come, has_taken_over;
  shared = &region;
  has_come = has_taken_over = false;
  const auto leave_held = [](int key) {
    RunAndKill(*shared, 0, [key] {
      TestEngine victim(*shared, kScratchBytes);
      victim.Hold(KeyOf(key));
      raise(SIGKILL);  // before the engine is closed
    });
  };
  leave_held(3);
  steps::observer = [] {
    steps::observer = nullptr;
    has_come = true;
    RunAndKill(*shared, 0, [] {
      TestEngine victim(*shared, kScratchBytes);
      raise(SIGKILL);
    });
    RecordLocks locks;
    const int descriptor = shared->OpenFile();
    ASSERT_EQ(locks.Open(descriptor), 0);
    close(descriptor);
    has_taken_over = TakeOverFromDead({shared->base(), shared->bytes(), &locks});
  };
  ASSERT_TRUE(TakeOverFromDead(region.region()));
  EXPECT_TRUE(has_come);
  EXPECT_FALSE(has_taken_over);
  ASSERT_TRUE(TakeOverFromDead(region.region()));
  ASSERT_TRUE(keeper.Put(KeyOf(3), "later"));
  ExpectSound(keeper);
  ReapChildren();
}

TEST(Death, InARepair) {
  Scenario scenario;
  scenario.entries = 300;
  scenario.keeper_leaves = true;
  scenario.prepare = [](TestEngine& engine, Entries&) {
    engine.Remove(KeyOf(1));
    engine.Put(KeyOf(1), "value of " + KeyOf(1));
    // Leaks, and counts that are off.
  };
  scenario.operations = {Doing([](TestEngine& engine) { engine->Repair(); })};
  KillEverywhere(scenario);
}

}  // namespace
}  // namespace mapsafe
