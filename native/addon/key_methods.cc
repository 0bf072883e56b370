#include <cmath>
#include <cstring>

#include "call.h"
#include "key_batch.h"
#include "methods.h"

namespace mapsafe {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// Gives the memory of a long string that was read as a value back when the method ends.
class TextUse {
 public:
  explicit TextUse(EngineHandle& handle) : handle_(handle) {}
  ~TextUse() { handle_.ReleaseText(); }
  TextUse(const TextUse&) = delete;
  TextUse& operator=(const TextUse&) = delete;

 private:
  EngineHandle& handle_;
};

// The entry version argument; present only if the mode needs it.
template <std::size_t kArguments>
bool ReadVersion(const Call<kArguments>& call, std::size_t i, std::uint32_t mode, std::uint64_t* version) {
  if ((mode & kPutConditionMask) != kPutIfVersion) return true;
  double number;
  if (!call.Number(i, &number)) return false;
  // No entry has version 2^64 - 1, so a value that is not a version matches none.
  const bool is_version = number >= 0 && number <= kMaxSafeInteger && number == std::floor(number);
  *version = is_version ? static_cast<std::uint64_t>(number) : ~std::uint64_t{0};
  return true;
}

// The expiry argument; kNever if it was not given.
template <std::size_t kArguments>
double ReadExpiry(napi_env env, const Call<kArguments>& call, std::size_t i) {
  double expires_at = kNever;
  return napi_get_value_double(env, call[i], &expires_at) == napi_ok ? expires_at : kNever;
}

napi_value TakePrevious(napi_env env, EngineHandle& handle) {
  Outcome& outcome = handle.outcome();
  return outcome.previous == Status::kFound ? handle.TakeValue(env, &outcome.previous) : nullptr;
}

napi_value Get(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (!call.open() || !call.handle().ReadKey(env, call[0], &key)) return nullptr;
  call.handle().engine().Get(key);
  Outcome& outcome = call.handle().outcome();
  return outcome.status == Status::kFound ? call.handle().TakeValue(env, &outcome.status) : nullptr;
}

napi_value GetPassing(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (!call.open() || !call.handle().ReadKey(env, call[0], &key)) return nullptr;
  call.handle().engine().GetPassing(key);
  Outcome& outcome = call.handle().outcome();
  return outcome.status == Status::kFound ? call.handle().TakeValue(env, &outcome.status) : nullptr;
}

napi_value GetForLoad(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (!call.open() || !call.handle().ReadKey(env, call[0], &key)) return nullptr;
  call.handle().engine().GetForLoad(key);
  Outcome& outcome = call.handle().outcome();
  return outcome.status == Status::kFound ? call.handle().TakeValue(env, &outcome.status) : nullptr;
}

napi_value GetIfChanged(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  Key key;
  std::uint64_t known = kNoVersion;
  if (!call.open() || !ReadVersion(call, 1, kPutIfVersion, &known) || !call.handle().ReadKey(env, call[0], &key)) {
    return nullptr;
  }
  call.handle().engine().Get(key, known);
  Outcome& outcome = call.handle().outcome();
  return outcome.status == Status::kFound ? call.handle().TakeValue(env, &outcome.status) : nullptr;
}

napi_value Peek(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (call.open() && call.handle().ReadKey(env, call[0], &key)) call.handle().engine().Peek(key);
  return nullptr;
}

napi_value Invalidate(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  Key name;
  std::uint32_t own, shared;
  if (!call.open() || !call.Number(1, &own) || !call.Number(2, &shared)) return nullptr;
  if (call.handle().ReadKey(env, call[0], &name)) call.handle().engine().Invalidate(name, own, shared);
  return nullptr;
}

napi_value Announce(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (!call.open() || !call.handle().ReadKey(env, call[0], &key)) return nullptr;
  const Announced announced = call.handle().engine().Announce(key);
  call.handle().outcome().version_low = announced.value;
  return MakeNumber(env, static_cast<double>(announced.at));
}

napi_value Put(napi_env env, napi_callback_info info) {
  const Call<7> call(env, info);
  const TextUse use(call.handle());
  Key key;
  Value value;
  std::uint32_t kind, mode;
  std::uint64_t version = 0;
  if (!call.open() || !call.Number(1, &kind) || !call.Number(3, &mode) || !ReadVersion(call, 4, mode, &version) ||
      !call.handle().ReadValue(env, kind, call[2], &value, (mode & kPutNarrow) != 0) ||
      !call.handle().ReadKey(env, call[0], &key)) {
    return nullptr;
  }
  value.expires_at = ReadExpiry(env, call, 5);
  value.stale_until = ReadExpiry(env, call, 6);
  call.handle().engine().Put(key, value, mode, version);
  return (mode & kReturnPrevious) != 0 ? TakePrevious(env, call.handle()) : nullptr;
}

napi_value Remove(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  Key key;
  std::uint32_t mode;
  std::uint64_t version = 0;
  if (!call.open() || !call.Number(1, &mode) || !ReadVersion(call, 2, mode, &version) ||
      !call.handle().ReadKey(env, call[0], &key)) {
    return nullptr;
  }
  call.handle().engine().Remove(key, mode, version);
  return (mode & kReturnPrevious) != 0 ? TakePrevious(env, call.handle()) : nullptr;
}

napi_value Increment(napi_env env, napi_callback_info info) {
  const Call<4> call(env, info);
  Key key;
  double by;
  std::uint32_t mode;
  if (!call.open() || !call.Number(1, &by)) return nullptr;
  if (napi_get_value_uint32(env, call[3], &mode) != napi_ok) mode = kPutAlways;
  if (!call.handle().ReadKey(env, call[0], &key)) return MakeNumber(env, 0);
  return MakeNumber(env, call.handle().engine().Increment(key, by, ReadExpiry(env, call, 2), mode));
}

napi_value Hold(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (!call.open() || !call.handle().ReadKey(env, call[0], &key)) return nullptr;
  call.handle().engine().Hold(key);
  Outcome& outcome = call.handle().outcome();
  return outcome.status == Status::kFound ? call.handle().TakeValue(env, &outcome.status) : nullptr;
}

napi_value PutHeld(napi_env env, napi_callback_info info) {
  const Call<5> call(env, info);
  const TextUse use(call.handle());
  Key key;
  Value value;
  std::uint32_t kind;
  if (call.open() && call.Number(1, &kind) && call.handle().ReadValue(env, kind, call[2], &value) &&
      call.handle().ReadKey(env, call[0], &key)) {
    value.expires_at = ReadExpiry(env, call, 3);
    value.stale_until = ReadExpiry(env, call, 4);
    call.handle().engine().PutHeld(key, value);
  }
  return nullptr;
}

napi_value RemoveHeld(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  Key key;
  if (call.open() && call.handle().ReadKey(env, call[0], &key)) call.handle().engine().RemoveHeld(key);
  return nullptr;
}

napi_value LetGo(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  if (call.open()) call.handle().engine().LetGo();
  return nullptr;
}

constexpr std::size_t kHeadBytes = kValueRecordWords * sizeof(Word);

constexpr std::size_t PaddedBytes(std::uint32_t bytes) {
  return std::size_t{WordsFor(bytes)} * sizeof(Word);
}

// Reads of the keys of one call, whose values go into an array, and into records in the scratch buffer.
class ManyReads {
 public:
  ManyReads(napi_env env, EngineHandle& handle, napi_value values) : env_(env), handle_(handle), values_(values) {}

  // Whether there is room for another record.
  bool has_room() const { return used_ + kHeadBytes <= handle_.scratch().capacity; }
  std::uint32_t records() const { return records_; }

  // Reads the key of index `i`. kDone; or why the reads end before it. False with an exception pending.
  bool Read(const Key& key, std::uint32_t i, Status* status) {
    Outcome& outcome = handle_.outcome();
    handle_.StartScratchAt(used_ + kHeadBytes);
    handle_.engine().Get(key);
    *status = outcome.status;
    if (*status == Status::kFound) {
      napi_value value = handle_.TakeValue(env_, status);
      if (value == nullptr && !Check(env_, napi_get_undefined(env_, &value))) return false;
      if (*status == Status::kFound && !Check(env_, napi_set_element(env_, values_, i, value))) return false;
    }
    if (*status == Status::kEncoded) {
      const Word head[kValueRecordWords] = {i, outcome.kind, outcome.length};
      std::memcpy(handle_.scratch().data + used_, head, sizeof head);
      used_ += kHeadBytes + PaddedBytes(outcome.length);
      ++records_;
    }
    const bool is_read = *status == Status::kFound || *status == Status::kEncoded || *status == Status::kAbsent;
    if (is_read) *status = Status::kDone;
    return true;
  }

 private:
  napi_env env_;
  EngineHandle& handle_;
  napi_value values_;
  std::uint32_t records_ = 0;
  std::size_t used_ = 0;  // bytes of the scratch buffer
};

napi_value GetMany(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  std::uint32_t i, count;
  if (!call.open() || !call.Number(2, &i) || !Check(env, napi_get_array_length(env, call[0], &count))) return nullptr;
  EngineHandle& handle = call.handle();
  Outcome& outcome = handle.outcome();
  const std::uint32_t from = i;
  ManyReads reads(env, handle, call[1]);
  KeyBatch keys;
  Status status = Status::kDone;
  for (bool goes_on = true; goes_on && i < count && reads.has_room();) {
    goes_on = keys.Read(env, handle, call[0], i, count);
    handle.engine().AskAhead(keys.keys());
    for (const Key& key : keys.keys()) {
      if (!reads.has_room()) break;
      if (!reads.Read(key, i, &status)) {
        handle.StartScratchAt(0);
        return nullptr;
      }
      if (status != Status::kDone) break;
      ++i;
    }
    if (status != Status::kDone) break;
    if (!goes_on) status = keys.refusal();
  }
  handle.StartScratchAt(0);
  if (status == Status::kScratchTooSmall && i > from) status = Status::kDone;
  outcome.status = status;
  outcome.length =
      status == Status::kScratchTooSmall ? outcome.length + static_cast<Word>(kHeadBytes) : reads.records();
  return MakeNumber(env, i);
}

napi_value PutMany(napi_env env, napi_callback_info info) {
  const Call<6> call(env, info);
  const TextUse use(call.handle());
  std::uint32_t i, to;
  if (!call.open() || !call.Number(3, &i) || !call.Number(4, &to)) return nullptr;
  const double expires_at = ReadExpiry(env, call, 5);
  EngineHandle& handle = call.handle();
  Outcome& outcome = handle.outcome();
  const std::uint32_t labels = outcome.given_labels;  // of all entries
  std::size_t used = 0;
  outcome.status = Status::kDone;
  for (; i < to; ++i) {
    napi_value key_element, kind_element, operand;
    std::uint32_t kind;
    Key key;
    Value value;
    handle.StartScratchAt(used);
    if (!Check(env, napi_get_element(env, call[0], i, &key_element)) ||
        !Check(env, napi_get_element(env, call[1], i, &kind_element)) ||
        !Check(env, napi_get_element(env, call[2], i, &operand)) ||
        !Check(env, napi_get_value_uint32(env, kind_element, &kind)) || !handle.ReadValue(env, kind, operand, &value) ||
        !handle.ReadKey(env, key_element, &key)) {
      break;
    }
    value.expires_at = expires_at;
    outcome.given_labels = labels;
    handle.engine().Put(key, value, kPutAlways | kPutGiven, kNoVersion);
    if (outcome.status != Status::kDone) break;
    if (IsEncodedKind(kind)) used += PaddedBytes(value.length);
  }
  outcome.given_labels = 0;
  handle.StartScratchAt(0);
  return MakeNumber(env, i);
}

napi_value RemoveMany(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t i = 0;
  std::uint32_t count;
  if (!call.open() || !Check(env, napi_get_array_length(env, call[0], &count))) return nullptr;
  Outcome& outcome = call.handle().outcome();
  std::uint32_t removed = 0;
  outcome.status = Status::kDone;
  for (; i < count; ++i) {
    napi_value element;
    Key key;
    if (!Check(env, napi_get_element(env, call[0], i, &element)) || !call.handle().ReadKey(env, element, &key)) break;
    call.handle().engine().Remove(key, kPutAlways, kNoVersion);
    if (outcome.status != Status::kDone && outcome.status != Status::kNotDone) break;
    if (outcome.status == Status::kDone) ++removed;
    outcome.status = Status::kDone;
  }
  outcome.length = removed;
  return MakeNumber(env, i);
}

constexpr Method kAllOfKeys[] = {
    {"get", Get},
    {"getIfChanged", GetIfChanged},
    {"getPassing", GetPassing},
    {"getForLoad", GetForLoad},
    {"peek", Peek},
    {"put", Put},
    {"remove", Remove},
    {"increment", Increment},
    {"hold", Hold},
    {"putHeld", PutHeld},
    {"removeHeld", RemoveHeld},
    {"letGo", LetGo},
    {"invalidate", Invalidate},
    {"announce", Announce},
    {"getMany", GetMany},
    {"putMany", PutMany},
    {"removeMany", RemoveMany},
};

}  // namespace

const std::span<const Method> kKeyMethods = kAllOfKeys;

}  // namespace mapsafe
