// Code that the C++ tests share: a region in anonymous memory that forked processes share too, and an engine with
// string keys.
#ifndef MAPSAFE_TEST_TESTING_H_
#define MAPSAFE_TEST_TESTING_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "../platform/record_locks.h"
#include "engine.h"
#include "format.h"
#include "threads/wait_budget.h"

namespace mapsafe {

// The seed of a randomised test: MAPSAFE_SEED, or a fresh one. Printed, so that every failure can be replayed.
inline std::uint64_t Seed() {
  const char* given = std::getenv("MAPSAFE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("MAPSAFE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

// A factor for the size of stress tests: MAPSAFE_SCALE, 1 by default.
inline int Scale() {
  const char* given = std::getenv("MAPSAFE_SCALE");
  return given != nullptr ? std::atoi(given) : 1;
}

// While it lives, waits are bounded by ten minutes: of many threads under a sanitizer, on a busy machine, one may lose
// every race for a contended mutex for longer than the usual 2 seconds. A deadlock shows all the same.
class LongWaits {
 public:
  LongWaits() { WaitBudget::SetBound(std::chrono::minutes{10}); }
  ~LongWaits() { WaitBudget::SetBound(std::chrono::seconds{2}); }
};

// The time, less the time for which this thread waited for a processor, where the kernel reports it. Bounds are
// measured by it, since a busy machine keeps a thread from its core for any length of time.
inline std::chrono::nanoseconds OwnTime() {
  long long ran = 0;
  long long waited = 0;
  if (std::FILE* times = std::fopen("/proc/thread-self/schedstat", "r")) {
    if (std::fscanf(times, "%lld %lld", &ran, &waited) != 2) waited = 0;
    std::fclose(times);
  }
  return std::chrono::steady_clock::now().time_since_epoch() - std::chrono::nanoseconds{waited};
}

class TestRegion {
 public:
  explicit TestRegion(std::size_t bytes, Word flags = 0, std::uint32_t max_entries = 0)
      : bytes_(bytes),
        base_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    FormatRegion(base_, bytes_, {0x01234567, 0x89abcdef}, flags, max_entries);
  }
  ~TestRegion() {
    munmap(base_, bytes_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  TestRegion(const TestRegion&) = delete;
  TestRegion& operator=(const TestRegion&) = delete;

  void* base() const { return base_; }
  std::size_t bytes() const { return bytes_; }
  RecordLocks* locks() const { return locks_.get(); }
  Region region() const { return {base_, bytes_, locks_.get()}; }

  // Gives the region the locks of a file, so that other threads see a death. Call it again once all engines were
  // closed, and in a forked process, which would otherwise share its parent's.
  void UseLocks() {
    if (path_.empty()) {
      char path[] = "/tmp/mapsafe-test-XXXXXX";
      close(mkstemp(path));
      path_ = path;
    }
    // The former locks are kept: destroying them in a forked process would drop the locks of its parent.
    if (locks_) earlier_locks_.push_back(std::move(locks_));
    locks_ = std::make_unique<RecordLocks>();
    const int descriptor = OpenFile();
    EXPECT_EQ(locks_->Open(descriptor), 0);
    close(descriptor);
  }

  // A descriptor of the file whose locks are used.
  int OpenFile() const { return open(path_.c_str(), O_RDWR | O_CLOEXEC); }

  // Moves the clock by which entries expire.
  void Advance(double milliseconds) {
    Region words = region();
    const double offset = std::bit_cast<double>(words.LoadPair(kHeaderClockOffset)) + milliseconds;
    words.StorePair(kHeaderClockOffset, std::bit_cast<std::uint64_t>(offset));
  }

 private:
  std::size_t bytes_;
  void* base_;
  std::string path_;
  std::unique_ptr<RecordLocks> locks_;
  std::vector<std::unique_ptr<RecordLocks>> earlier_locks_;
};

// An engine convenient for tests: string keys and values, answers as return values.
class TestEngine {
 public:
  explicit TestEngine(const TestRegion& region, std::size_t scratch_bytes = 1 << 20)
      : region_(region.region()), scratch_(scratch_bytes) {
    engine_ = Engine::Attach(region.base(), region.bytes(), {1, next_thread_++}, &outcome_, region.locks());
    engine_->SetScratch(scratch_.data(), scratch_.size());
  }

  std::optional<std::string> Get(const std::string& key) {
    engine_->Get(Encode(key));
    if (outcome_.status != Status::kFound) return std::nullopt;
    return Copied();
  }
  std::optional<std::string> GetForLoad(const std::string& key) {
    engine_->GetForLoad(Encode(key));
    if (outcome_.status != Status::kFound) return std::nullopt;
    return Copied();
  }
  Announced Announce(const std::string& key) { return engine_->Announce(Encode(key)); }
  bool Has(const std::string& key) {
    engine_->Peek(Encode(key));
    return outcome_.status == Status::kFound;
  }
  // Whether the condition held and the entry was written.
  bool Put(const std::string& key, const std::string& value, std::uint32_t mode = kPutAlways, std::uint64_t version = 0,
           std::uint32_t kind = kValueLatin1, double expires_at = kNever, double stale_until = kNever) {
    Value stored = ValueOf(value, expires_at, kind);
    stored.stale_until = stale_until;
    engine_->Put(Encode(key), stored, mode, version);
    return outcome_.status == Status::kDone;
  }
  bool Remove(const std::string& key, std::uint32_t mode = kPutAlways, std::uint64_t version = 0) {
    engine_->Remove(Encode(key), mode, version);
    return outcome_.status == Status::kDone;
  }
  double Increment(const std::string& key, double by = 1, double expires_at = kNever, std::uint32_t mode = kPutAlways) {
    return engine_->Increment(Encode(key), by, expires_at, mode);
  }

  bool Invalidate(const std::string& name, WordIndex own, WordIndex shared) {
    engine_->Invalidate(Encode(name), static_cast<std::uint32_t>(own), static_cast<std::uint32_t>(shared));
    return outcome_.status == Status::kDone;
  }

  // Whether the key is held now; its value, if it has one, is Copied().
  bool Hold(const std::string& key) {
    engine_->Hold(Encode(key));
    return outcome_.status == Status::kFound || outcome_.status == Status::kAbsent;
  }
  bool PutHeld(const std::string& key, const std::string& value, double expires_at = kNever) {
    engine_->PutHeld(Encode(key), ValueOf(value, expires_at));
    return outcome_.status == Status::kDone;
  }
  bool RemoveHeld(const std::string& key) {
    engine_->RemoveHeld(Encode(key));
    return outcome_.status == Status::kDone;
  }

  // All entries, by way of Snapshot.
  std::map<std::string, std::string> Snapshot() {
    std::map<std::string, std::string> entries;
    std::uint32_t count = 0;
    for (SnapshotPiece& piece : engine_->Snapshot()) {
      for (std::size_t at = 0; at < piece.used;) {
        const Word* entry = piece.words.get() + at;
        const EntryHeader header = ReadCopiedHeader(entry);
        const char* key = reinterpret_cast<const char*>(entry + kEntryData);
        const char* value = reinterpret_cast<const char*>(entry + header.value_offset());
        at += header.words();
        if (header.key_kind() == 0) continue;
        ++count;
        entries.emplace(std::string(key, header.key_length()), std::string(value, header.value_length));
      }
    }
    EXPECT_EQ(outcome_.status, Status::kDone);
    EXPECT_EQ(outcome_.length, count);
    EXPECT_EQ(entries.size(), count);
    return entries;
  }

  // All keys, by way of Collect.
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    for (HashRange range = kAllHashes; range.from < range.to;) {
      range.from = engine_->Collect(range, ~0u);
      EXPECT_EQ(outcome_.status, Status::kDone);
      if (outcome_.status != Status::kDone) break;
      const std::byte* at = scratch_.data();
      for (std::uint32_t i = 0; i < outcome_.length; ++i) {
        Word head[2];
        std::memcpy(head, at, sizeof head);
        keys.emplace_back(reinterpret_cast<const char*>(at + sizeof head), head[1]);
        at += sizeof head + WordsFor(head[1]) * sizeof(Word);
      }
    }
    return keys;
  }

  std::string Copied() const { return {reinterpret_cast<const char*>(scratch_.data()), outcome_.length}; }
  std::uint64_t version() const {
    return outcome_.version_low | static_cast<std::uint64_t>(outcome_.version_high) << 32;
  }
  Status status() const { return outcome_.status; }
  const Outcome& outcome() const { return outcome_; }
  Outcome& outcome() { return outcome_; }
  Engine* operator->() { return engine_.get(); }
  Region region() const { return region_; }

 private:
  static Value ValueOf(const std::string& value, double expires_at, std::uint32_t kind = kValueLatin1) {
    const auto length = static_cast<std::uint32_t>(value.size());
    return {reinterpret_cast<const std::byte*>(value.data()), length, kind, expires_at};
  }

  Key Encode(const std::string& key) {
    encoded_.assign(WordsFor(static_cast<std::uint32_t>(key.size())), 0);
    if (!key.empty()) std::memcpy(encoded_.data(), key.data(), key.size());
    Key result{encoded_.data(), static_cast<std::uint32_t>(key.size()), kKeyLatin1, 0};
    engine_->Hash(&result);
    return result;
  }

  static inline std::atomic<std::uint32_t> next_thread_{0};

  Region region_;
  Outcome outcome_{};
  std::vector<std::byte> scratch_;
  std::vector<Word> encoded_;
  std::unique_ptr<Engine> engine_;
};

// Fails the test with every problem that Verify finds.
inline void ExpectSound(TestEngine& engine) {
  for (const std::string& problem : engine->Verify()) ADD_FAILURE() << problem;
}

}  // namespace mapsafe

#endif  // MAPSAFE_TEST_TESTING_H_
