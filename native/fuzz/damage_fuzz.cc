// A libFuzzer target: programs of operations on a region, with damage to its bytes in between. Whatever the damage,
// every operation must end, with a status that the facade knows, and without an access outside the region. See
// docs/reliability.md, "Hostile bytes".
//
// An input is a list of steps of 8 bytes. Other bytes than libFuzzer's are run by replay.cc.
#include <sys/mman.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "format.h"
#include "memory/heap.h"
#include "threads/liveness.h"
#include "threads/wait_budget.h"

namespace mapsafe {
namespace {

constexpr std::size_t kBytes = kMinRegionBytes;
constexpr std::size_t kWords = kBytes / sizeof(Word);
// Every block number leads to within this distance of the region's start.
constexpr std::size_t kReach = std::size_t{1} << 36;
constexpr std::size_t kMaxSteps = 64;
constexpr std::uint32_t kKeys = 900;
constexpr std::size_t kInitialScratch = 4096;
constexpr std::uint32_t kMaxCollects = 4096;

[[noreturn]] void Fault(const char* what) {
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

// The region, with nothing mapped for as far around it as a reference may lead: each access outside is a fault at once.
Word* MapRegion() {
  void* space = mmap(nullptr, 2 * kReach, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED) Fault("no address space");
  std::byte* base = static_cast<std::byte*>(space) + kReach;
  if (mprotect(base, kBytes, PROT_READ | PROT_WRITE) != 0) Fault("no memory");
  return reinterpret_cast<Word*>(base);
}

struct Step {
  std::uint8_t what;
  std::uint8_t where;
  std::uint16_t number;
  std::uint32_t operand;
};
static_assert(sizeof(Step) == 8);

// Values that have a meaning somewhere in the format.
constexpr Word kTellingValues[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    10,
    11,
    23,
    24,
    25,
    31,
    32,
    33,
    63,
    64,
    68,
    79,
    80,
    127,
    128,
    255,
    256,
    257,
    511,
    2047,
    2048,
    2049,
    4095,
    4096,
    0x7fff,
    0x8000,
    0xffff,
    0x10000,
    0xfffff,
    0x100000,
    0x7fffffff,
    1u << 31,
    0xfffffffe,
    0xffffffff,
    0x40000000,
    0x3fffffff,
    0x80000001,
    kMagic,
    kByteOrderMark,
    kBytes,
    kBytes / kBlockBytes,
    kBytes / kBlockBytes - 1,
    kBytes / kBlockBytes + 1,
    kBytes / kPageBytes,
    kPageSpan | 287u << kPageClassShift,
};

class World {
 public:
  World() : words_(MapRegion()) {
    WaitBudget::SetBound(std::chrono::milliseconds(0));
    MakeImage(0, 0);
    MakeImage(60, kFlagCache, 80);
    MakeImage(kKeys, 0);
    MakeImage(kKeys, kFlagCache);
  }

  void Run(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return;
    const std::uint8_t start = data[0];
    std::memcpy(words_, images_[start % images_.size()].data(), kBytes);
    is_damaged_ = false;
    held_ = -1;
    clock_ = 0;
    scratch_ = std::make_unique<std::byte[]>(scratch_bytes_ = kInitialScratch);
    Attach();
    ++data, --size;
    for (std::size_t i = 0; i < kMaxSteps && size >= sizeof(Step); ++i, data += sizeof(Step), size -= sizeof(Step)) {
      Step step;
      std::memcpy(&step, data, sizeof step);
      Take(step);
    }
    Finish(start >> 6);
  }

 private:
  // A region with `keys` keys, a third of them deleted, some blocks cached and a large entry; in a cache some of the
  // keys expire.
  void MakeImage(std::uint32_t keys, Word flags, std::uint32_t max_entries = 0) {
    std::memset(words_, 0, kBytes);
    FormatRegion(words_, kBytes, {0x01234567, 0x89abcdef}, flags, max_entries);
    scratch_ = std::make_unique<std::byte[]>(scratch_bytes_ = kInitialScratch);
    is_damaged_ = false;
    Attach();
    for (std::uint32_t i = 0; i < keys; ++i) Put(i, i % 7 == 0 ? kValueNumber : kValueLatin1, i * 13 % 400, kPutAlways);
    for (std::uint32_t i = 0; i < keys; i += 3) Remove(i, kPutAlways);
    Put(kKeys, kValueBytes, 50000, kPutAlways);
    engine_.reset();
    images_.emplace_back(words_, words_ + kWords);
  }

  void Attach() {
    engine_.reset();
    if (!CheckRegion(words_, kBytes)) {
      if (!is_damaged_) Fault("a sound region is refused");
      return;
    }
    engine_ = Engine::Attach(words_, kBytes, {1, 1}, &outcome_);
    if (engine_) engine_->SetScratch(scratch_.get(), scratch_bytes_);
  }

  void Take(const Step& step) {
    constexpr std::uint8_t kDamages = 5;
    constexpr std::uint8_t kOperations = 21;
    const std::uint8_t what = step.what % (kDamages + kOperations);
    if (what < kDamages) return Damage(what, step);
    if (engine_) Operate(what - kDamages, step);
  }

  // ---- Damage

  void Damage(std::uint8_t how, const Step& step) {
    const std::size_t at = Aim(step);
    if (at >= kWords) return;
    const Word before = words_[at];
    Word after = before;
    switch (how) {
      case 0:
        after = before ^ 1u << step.operand % 32;
        break;
      case 1:
        after = step.operand;
        break;
      case 2:
        after = before + step.operand % 17 - 8;
        break;
      case 3:
        after = kTellingValues[step.operand % std::size(kTellingValues)];
        break;
      default:
        after = BlockOf(step.operand);
    }
    if (after == before) return;
    words_[at] = after;
    is_damaged_ = true;
  }

  // A word of the structure that the step names.
  std::size_t Aim(const Step& step) {
    const std::uint32_t n = step.number;
    const std::size_t record = ThreadRecord::At(0);
    switch (step.where % 10) {
      case 0:
        return (std::size_t{n} << 4 | step.where >> 4) % kWords;
      case 1:
        return n % 300;
      case 2:
        return record + n % kThreadWords;
      case 3:
        return WordOf(words_[kHeaderPageTable]) + n % (256 * kPageEntryWords);
      case 4:
        return WordOf(words_[kHeaderDirectory]) + n % 24;
      case 5:
        return WordOf(Segment(n)) + std::array<std::size_t, 8>{0, 32, 33, 34, 48, 49, 50, 52}[n >> 8 & 7];
      case 6:
        return WordOf(Segment(n >> 12)) + kSegmentBuckets + n % (kAllBuckets * kBucketWords);
      case 7:
        return WordOf(Entry(n)) + (step.where >> 4);
      case 8:
        if (n >= 1u << 15 && words_[kHeaderEviction] != 0)
          return WordOf(words_[kHeaderEviction]) + n % 512;  // eviction
        return WordOf(At(record + kThreadFreeHeads + n % kSizeClasses));
      default:
        return WordOf(At(WordOf(words_[kHeaderPageTable]) + n % 256 * kPageEntryWords + kPageFreeHead));
    }
  }

  // A number that leads somewhere: to a structure, to within one, or just outside the region.
  Word BlockOf(std::uint32_t operand) {
    const std::uint32_t n = operand >> 4;
    switch (operand % 12) {
      case 0:
        return Segment(n);
      case 1:
        return Segment(n) + 1 + n % 100;
      case 2:
        return words_[kHeaderDirectory];
      case 3:
        return Entry(n);
      case 4:
        return Entry(n) | kTombstone;
      case 5:
        return At(ThreadRecord::At(0) + kThreadFreeHeads + n % kSizeClasses);
      case 6:
        return kBytes / kBlockBytes - 1 - n % 300;
      case 7:
        return n % 257;  // a page, plus one
      case 8:
        return words_[kHeaderHeap] + n % 300;
      case 9:
        return n % (kBytes / kBlockBytes);
      case 10:
        return 0u - n % 300;
      default:
        return kRegistryBlock + n % 300;
    }
  }

  Word At(std::size_t word) const { return word < kWords ? words_[word] : 0; }

  Block Segment(std::uint32_t n) const { return At(WordOf(words_[kHeaderDirectory]) + kDirectoryEntries + n % 8); }

  // The entry in the first slot that is not empty, from slot `n` of all on.
  Block Entry(std::uint32_t n) const {
    const std::size_t buckets = WordOf(Segment(n >> 12)) + kSegmentBuckets;
    for (std::uint32_t i = 0; i < kAllBuckets * kSlotsPerBucket; ++i) {
      const std::uint32_t slot = (n + i) % (kAllBuckets * kSlotsPerBucket);
      const Word reference =
          At(buckets + slot / kSlotsPerBucket * kBucketWords + kBucketSlots + slot % kSlotsPerBucket);
      if (reference != 0) return reference & ~kTombstone;
    }
    return 0;
  }

  // ---- Operations

  void Operate(int operation, const Step& step) {
    const std::uint32_t key = step.number % (kKeys + 1);
    const std::uint32_t mode = step.where % 8;
    const std::uint64_t version = step.operand >> 8;
    const std::uint32_t length = LengthOf(step.operand);
    // The holder of a key may only read, or die.
    if (held_ >= 0 && operation >= 6 && operation != 19) {
      engine_->LetGo();
      held_ = -1;
    }
    switch (operation) {
      case 0:
      case 1:
        return Get(key, version);
      case 2: {
        const Key asked = KeyOf(key);
        engine_->AskAhead({&asked, 1});
        engine_->Peek(asked);
        return Check({Status::kFound, Status::kAbsent});
      }
      case 3:
        return HoldOrEnd(key, step);
      case 4:
        return CollectFrom(step.operand, step.number | 1u);
      case 5:
        static_cast<void>(engine_->Size());
        return Verify();
      case 6:
      case 7:
      case 8:
        return Put(key, step.where % 3 == 0 ? kValueNumber : kValueLatin1, length, mode, version);
      case 9:
        // As many inserts at once as make a segment split.
        for (std::uint32_t i = 0; i < step.operand % 250; ++i) Put(key + i, kValueLatin1, step.where % 40, kPutAlways);
        return;
      case 10:
        return Remove(key, (mode & 1) != 0 ? mode | kPutIfVersion : mode & kReturnPrevious, version);
      case 11:
        for (std::uint32_t i = 0; i < step.operand % 250; ++i) Remove(key + i, kPutAlways);
        return;
      case 12:
        engine_->Increment(KeyOf(key), step.operand, is_cache() ? Expiry(step.operand) : kNever);
        return Check({Status::kDone, Status::kNotACounter, Status::kCounterRange});
      case 13:
        engine_->Clear();
        return Check({Status::kDone});
      case 14:
        return Snapshot();
      case 15:
        return Sweep(step.operand);
      case 16:
        // Lets time pass.
        clock_ += step.number;
        std::memcpy(words_ + kHeaderClockOffset, &clock_, sizeof clock_);
        return;
      case 17:
        return Load(key);
      case 18:
        return Repair();
      case 19:
        return Die(step);
      default:
        return Attach();
    }
  }

  bool is_cache() const { return (words_[kHeaderFlags] & kFlagCache) != 0; }

  // Never, or within a few minutes; the clock is ahead by then.
  double Expiry(std::uint32_t number) const { return number % 3 == 0 ? kNever : engine_->Now() + number % 100'000; }

  static std::uint32_t LengthOf(std::uint32_t operand) {
    constexpr std::uint32_t kLengths[] = {0, 8, 30, 300, 600, 5000, 33000, 200000};
    return kLengths[operand % std::size(kLengths)] + operand / 8 % 16;
  }

  void Get(std::uint32_t key, std::uint64_t known) {
    engine_->Get(KeyOf(key), known % 2 == 0 ? known : kNoVersion);
    if (outcome_.status == Status::kScratchTooSmall) {
      Grow();
      engine_->Get(KeyOf(key));
    }
    if (outcome_.status == Status::kFound && outcome_.length > scratch_bytes_) Fault("more than fits was copied");
    Check({Status::kFound, Status::kAbsent, Status::kUnchanged});
  }

  void Put(std::uint32_t key, std::uint32_t kind, std::uint32_t length, std::uint32_t mode, std::uint64_t version = 0) {
    const Value value = ValueOf(kind, length);
    engine_->Put(KeyOf(key), value, mode, version);
    if (outcome_.status == Status::kScratchTooSmall) {
      Grow();
      engine_->Put(KeyOf(key), value, mode, version);
    }
    Check({Status::kDone, Status::kNotDone, Status::kEntryTooLarge});
  }

  // Acts as a loader: a lease, then the value.
  void Load(std::uint32_t key) {
    engine_->GetForLoad(KeyOf(key));
    if (outcome_.status == Status::kScratchTooSmall) Grow();
    Put(key, kValueLease, 8, kPutIfAbsent);
    if (outcome_.status != Status::kDone) return;
    const std::uint64_t version = outcome_.version_low | std::uint64_t{outcome_.version_high} << 32;
    if (key % 2 == 0) Put(key, kValueLatin1, 30, kPutIfVersion, version);
  }

  void Sweep(std::uint32_t hash) {
    if (engine_->Sweep(hash, 1000) < hash) Fault("a sweep goes backwards");
    Check({Status::kDone});
  }

  void Repair() {
    const RepairReport report = engine_->Repair();
    const bool is_sound = report.size_correction == 0 && report.segments_corrected == 0 && report.blocks_freed == 0;
    if (!is_damaged_ && !(is_sound && report.has_looked_for_leaks)) Fault("a repair of what is sound");
    Check({Status::kDone});
  }

  // All attached threads die: with the key that is held, perhaps with a mutex, perhaps with a write announced by
  // damage. The next one that comes takes over what they leave.
  void Die(const Step& step) {
    const std::vector<Word> last(words_, words_ + kWords);
    engine_.reset();
    std::memcpy(words_, last.data(), kBytes);
    held_ = -1;
    const WordIndex mutexes[] = {kHeaderHeapMutex, kHeaderDirectoryMutex, WordOf(Segment(step.number)) + kSegmentMutex};
    const WordIndex mutex = mutexes[step.where % std::size(mutexes)];
    if (step.where % 5 != 0 && mutex < kWords && words_[mutex] == 0) {
      words_[mutex] = ThreadRecord::MarkOf(Region(words_, kBytes), 0);
    }
    for (std::uint32_t i = 0; i < kRegistryThreads; ++i) {
      Word* record = words_ + ThreadRecord::At(i);
      if (record[kThreadKernelId] == 0 && record[kThreadKernelId + 1] == 0) continue;
      std::memcpy(record + kThreadKernelId, &name_, sizeof name_);
      record[kThreadState] = kThreadAbandoned;
    }
    Attach();
  }

  void Remove(std::uint32_t key, std::uint32_t mode, std::uint64_t version = 0) {
    engine_->Remove(KeyOf(key), mode, version);
    if (outcome_.status == Status::kScratchTooSmall) {
      Grow();
      engine_->Remove(KeyOf(key), mode, version);
    }
    Check({Status::kDone, Status::kNotDone});
  }

  void HoldOrEnd(std::uint32_t key, const Step& step) {
    if (held_ < 0) {
      engine_->Hold(KeyOf(key));
      if (outcome_.status == Status::kScratchTooSmall) {
        Grow();
        engine_->Hold(KeyOf(key));
      }
      if (outcome_.status == Status::kFound || outcome_.status == Status::kAbsent) held_ = static_cast<int>(key);
      return Check({Status::kFound, Status::kAbsent});
    }
    const auto held = static_cast<std::uint32_t>(held_);
    held_ = -1;
    switch (step.where % 3) {
      case 0:
        engine_->PutHeld(KeyOf(held), ValueOf(kValueLatin1, LengthOf(step.operand)));
        return Check({Status::kDone, Status::kEntryTooLarge});
      case 1:
        engine_->RemoveHeld(KeyOf(held));
        return Check({Status::kDone, Status::kNotDone});
      default:
        engine_->LetGo();
    }
  }

  void CollectFrom(std::uint32_t hash, std::uint32_t limit) {
    HashRange range{hash, kAllHashes.to};
    for (std::uint32_t i = 0; range.from < range.to; ++i) {
      if (i == kMaxCollects) Fault("an iteration does not end");
      const std::uint64_t next = engine_->Collect(range, limit);
      if (outcome_.status == Status::kScratchTooSmall) {
        Grow();
        continue;
      }
      Check({Status::kDone});
      if (outcome_.status != Status::kDone) return;
      if (next <= range.from) Fault("an iteration stands still");
      CheckRecords();
      range.from = next;
    }
  }

  // Whether the keys that were collected lie in the scratch buffer.
  void CheckRecords() {
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < outcome_.length; ++i) {
      if (at + 2 * sizeof(Word) > scratch_bytes_) Fault("a collected key lies outside the buffer");
      Word length;
      std::memcpy(&length, scratch_.get() + at + sizeof(Word), sizeof length);
      at += (2 + std::size_t{WordsFor(length)}) * sizeof(Word);
    }
    if (at > scratch_bytes_) Fault("a collected key lies outside the buffer");
  }

  void Snapshot() {
    std::uint32_t count = 0;
    for (const SnapshotPiece& piece : engine_->Snapshot()) {
      std::size_t at = 0;
      while (at < piece.used) {
        if (piece.used - at < kEntryData) Fault("a snapshot ends within an entry");
        const Word* entry = piece.words.get() + at;
        const EntryHeader header = ReadCopiedHeader(entry);
        at += header.words();
        if (header.key_kind() != 0) ++count;
      }
      if (at != piece.used) Fault("a snapshot ends within an entry");
    }
    if (outcome_.status == Status::kDone && count != outcome_.length && !is_damaged_) Fault("a snapshot is miscounted");
    Check({Status::kDone});
  }

  void Verify() {
    const std::vector<std::string> problems = engine_->Verify();
    if (!is_damaged_ && held_ < 0 && !problems.empty()) Fault(problems.front().c_str());
  }

  // Statuses that an operation may end with. Damage adds kCorrupt, kUnknownKind and kTimeout; any operation may meet
  // fullness.
  void Check(std::initializer_list<Status> expected) {
    if (outcome_.status == Status::kFull) return;
    if (is_damaged_ && (outcome_.status == Status::kCorrupt || outcome_.status == Status::kTimeout)) return;
    if (is_damaged_ && outcome_.status == Status::kUnknownKind) return;
    if (is_damaged_ && outcome_.status == Status::kScratchTooSmall) return;
    for (const Status status : expected) {
      if (outcome_.status == status) return;
    }
    std::fprintf(stderr, "status %d\n", static_cast<int>(outcome_.status));
    Fault("an operation ended with a status it must not have");
  }

  void Grow() {
    if (outcome_.length > kBytes) Fault("more bytes are asked for than the region has");
    scratch_ = std::make_unique<std::byte[]>(scratch_bytes_ = outcome_.length);
    engine_->SetScratch(scratch_.get(), scratch_bytes_);
  }

  // The steps after every program: some of every operation, or closing and examining what is left.
  void Finish(int how) {
    if (engine_ && held_ >= 0) engine_->LetGo();
    held_ = -1;
    if (engine_ && how != 0) {
      Get(1, kNoVersion);
      Put(2, kValueLatin1, 50, kPutAlways);
      Remove(4, kReturnPrevious);
      if (how == 1) CollectFrom(0, ~0u);
      if (how == 2) Snapshot();
      if (how == 3) engine_->Clear();
    }
    Attach();
    if (engine_ && how % 2 == 0) Verify();
    engine_.reset();
  }

  Key KeyOf(std::uint32_t number) {
    const int length = std::snprintf(reinterpret_cast<char*>(key_.data()), sizeof key_, "key %u", number);
    std::memset(reinterpret_cast<char*>(key_.data()) + length, 0, sizeof key_ - static_cast<std::size_t>(length));
    Key key{key_.data(), static_cast<std::uint32_t>(length), kKeyLatin1, 0};
    engine_->Hash(&key);
    return key;
  }

  Value ValueOf(std::uint32_t kind, std::uint32_t length) {
    if (kind == kValueNumber) length = sizeof(double);
    value_ = std::make_unique<std::byte[]>(length);
    return {value_.get(), length, kind, is_cache() && kind != kValueLease ? Expiry(length) : kNever};
  }

  const KernelId name_ = OwnKernelId(Region(nullptr, kBytes));

  Word* words_;
  std::vector<std::vector<Word>> images_;
  Outcome outcome_{};
  std::unique_ptr<std::byte[]> scratch_;
  std::size_t scratch_bytes_ = 0;
  std::unique_ptr<std::byte[]> value_;
  std::array<Word, 16> key_;
  std::unique_ptr<Engine> engine_;
  bool is_damaged_ = false;
  double clock_ = 0;  // milliseconds that the region's clock is ahead
  int held_ = -1;     // the number of the key that is held, or -1
};

}  // namespace
}  // namespace mapsafe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static mapsafe::World world;
  world.Run(data, size);
  return 0;
}
