#include "methods.h"

#include <array>
#include <cmath>
#include <cstring>
#include <string>

#include "check.h"
#include "engine_handle.h"

namespace mapsafe {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// The arguments of one call. Those that were not given are undefined.
template <std::size_t kArguments>
class Call {
 public:
  Call(napi_env env, napi_callback_info info) : env_(env) {
    std::size_t count = kArguments;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments_.data(), &object_, &data);
    handle_ = static_cast<EngineHandle*>(data);
  }

  // False with an exception pending after close: the facade prevents such calls, but memory must not depend on it.
  bool open() const {
    if (handle_->open()) [[likely]]
      return true;
    napi_throw_error(env_, "ERR_MAPSAFE_CLOSED", "this engine was closed");
    return false;
  }

  EngineHandle& handle() const { return *handle_; }
  napi_value object() const { return object_; }
  napi_value operator[](std::size_t i) const { return arguments_[i]; }

  // False with an exception pending if an argument is no number.
  bool Number(std::size_t i, double* number) const {
    return Check(env_, napi_get_value_double(env_, arguments_[i], number));
  }
  bool Number(std::size_t i, std::uint32_t* number) const {
    return Check(env_, napi_get_value_uint32(env_, arguments_[i], number));
  }

 private:
  napi_env env_;
  EngineHandle* handle_;
  napi_value object_ = nullptr;
  std::array<napi_value, kArguments> arguments_;
};

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

napi_value Put(napi_env env, napi_callback_info info) {
  const Call<7> call(env, info);
  const TextUse use(call.handle());
  Key key;
  Value value;
  std::uint32_t kind, mode;
  std::uint64_t version = 0;
  if (!call.open() || !call.Number(1, &kind) || !call.Number(3, &mode) || !ReadVersion(call, 4, mode, &version) ||
      !call.handle().ReadValue(env, kind, call[2], &value) || !call.handle().ReadKey(env, call[0], &key)) {
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

napi_value MakeNumber(napi_env env, double number) {
  napi_value value = nullptr;
  Check(env, napi_create_double(env, number, &value));
  return value;
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
  const Call<4> call(env, info);
  const TextUse use(call.handle());
  Key key;
  Value value;
  std::uint32_t kind;
  if (call.open() && call.Number(1, &kind) && call.handle().ReadValue(env, kind, call[2], &value) &&
      call.handle().ReadKey(env, call[0], &key)) {
    value.expires_at = ReadExpiry(env, call, 3);
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

// Words before a value's bytes in a record of getMany: index, kind and length.
constexpr std::size_t kRecordHeaderBytes = 3 * sizeof(Word);

constexpr std::size_t PaddedBytes(std::uint32_t bytes) {
  return std::size_t{WordsFor(bytes)} * sizeof(Word);
}

napi_value GetMany(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  std::uint32_t i, count;
  if (!call.open() || !call.Number(2, &i) || !Check(env, napi_get_array_length(env, call[0], &count))) return nullptr;
  EngineHandle& handle = call.handle();
  Outcome& outcome = handle.outcome();
  const std::uint32_t from = i;
  std::uint32_t records = 0;
  std::size_t used = 0;
  Status status = Status::kDone;
  for (; i < count && used + kRecordHeaderBytes <= handle.scratch().capacity; ++i) {
    handle.StartScratchAt(used + kRecordHeaderBytes);
    napi_value element;
    Key key;
    if (!Check(env, napi_get_element(env, call[0], i, &element))) break;
    if (handle.ReadKey(env, element, &key)) handle.engine().Get(key);
    status = outcome.status;
    if (status == Status::kFound) {
      napi_value value = handle.TakeValue(env, &status);
      if (value == nullptr && !Check(env, napi_get_undefined(env, &value))) break;
      if (status == Status::kFound && !Check(env, napi_set_element(env, call[1], i, value))) break;
    }
    if (status == Status::kEncoded) {
      const Word head[3] = {i, outcome.kind, outcome.length};
      std::memcpy(handle.scratch().data + used, head, sizeof head);
      used += kRecordHeaderBytes + PaddedBytes(outcome.length);
      ++records;
    } else if (status != Status::kFound && status != Status::kAbsent) {
      break;
    }
    status = Status::kDone;
  }
  handle.StartScratchAt(0);
  if (status == Status::kScratchTooSmall && i > from) status = Status::kDone;
  outcome.status = status;
  outcome.length =
      status == Status::kScratchTooSmall ? outcome.length + static_cast<Word>(kRecordHeaderBytes) : records;
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
    handle.engine().Put(key, value, kPutAlways, kNoVersion);
    if (outcome.status != Status::kDone) break;
    if (IsEncodedKind(kind)) used += PaddedBytes(value.length);
  }
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

napi_value Size(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  return call.open() ? MakeNumber(env, call.handle().engine().Size()) : nullptr;
}

napi_value Clear(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  if (call.open()) call.handle().engine().Clear();
  return nullptr;
}

napi_value Collect(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  double from, to;
  std::uint32_t limit;
  if (!call.open() || !call.Number(0, &from) || !call.Number(1, &to) || !call.Number(2, &limit)) return nullptr;
  const HashRange range{static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to)};
  return MakeNumber(env, static_cast<double>(call.handle().engine().Collect(range, limit)));
}

napi_value Now(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  return call.open() ? MakeNumber(env, call.handle().engine().Now()) : nullptr;
}

napi_value Sweep(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  double from;
  std::uint32_t budget;
  if (!call.open() || !call.Number(0, &from) || !call.Number(1, &budget)) return nullptr;
  return MakeNumber(env, static_cast<double>(call.handle().engine().Sweep(static_cast<std::uint64_t>(from), budget)));
}

napi_value TakeSnapshot(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  napi_value arrays;
  if (!call.open() || !Check(env, napi_create_array(env, &arrays))) return nullptr;
  std::uint32_t i = 0;
  for (SnapshotPiece& piece : call.handle().engine().Snapshot()) {
    napi_value buffer, array;
    void* data = nullptr;
    const std::size_t bytes = piece.used * sizeof(Word);
    if (bytes == 0) continue;
    if (!Check(env, napi_create_arraybuffer(env, bytes, &data, &buffer)) ||
        !Check(env, napi_create_typedarray(env, napi_int32_array, piece.used, buffer, 0, &array)) ||
        !Check(env, napi_set_element(env, arrays, i++, array))) {
      return nullptr;
    }
    std::memcpy(data, piece.words.get(), bytes);
    piece.words.reset();  // so that at most one piece exists twice
  }
  return arrays;
}

napi_value Verify(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  napi_value lines, line;
  if (!call.open() || !Check(env, napi_create_array(env, &lines))) return nullptr;
  std::uint32_t i = 0;
  for (const std::string& violation : call.handle().engine().Verify()) {
    if (!Check(env, napi_create_string_utf8(env, violation.data(), violation.size(), &line)) ||
        !Check(env, napi_set_element(env, lines, i++, line))) {
      return nullptr;
    }
  }
  return lines;
}

napi_value LifeOf(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t record;
  napi_value result;
  if (!call.open() || !call.Number(0, &record)) return nullptr;
  const Life life = record < kRegistryThreads ? call.handle().engine().LifeOf(record) : Life::kUnknown;
  return Check(env, napi_create_uint32(env, static_cast<std::uint32_t>(life), &result)) ? result : nullptr;
}

napi_value Repair(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  napi_value object, looked;
  if (!call.open() || !Check(env, napi_create_object(env, &object))) return nullptr;
  const RepairReport report = call.handle().engine().Repair();
  const struct {
    const char* name;
    double number;
  } numbers[] = {
      {"deadThreads", static_cast<double>(report.dead_threads)},
      {"sizeCorrection", static_cast<double>(report.size_correction)},
      {"segmentsCorrected", static_cast<double>(report.segments_corrected)},
      {"blocksFreed", static_cast<double>(report.blocks_freed)},
      {"bytesFreed", static_cast<double>(report.bytes_freed)},
  };
  for (const auto& [name, number] : numbers) {
    napi_value value = MakeNumber(env, number);
    if (value == nullptr || !Check(env, napi_set_named_property(env, object, name, value))) return nullptr;
  }
  if (!Check(env, napi_get_boolean(env, report.has_looked_for_leaks, &looked)) ||
      !Check(env, napi_set_named_property(env, object, "hasLookedForLeaks", looked))) {
    return nullptr;
  }
  return object;
}

napi_value GrowScratch(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t bytes;
  if (call.open() && call.Number(0, &bytes)) call.handle().GrowScratch(env, call.object(), bytes);
  return nullptr;
}

napi_value ShrinkScratch(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  call.handle().ShrinkScratch(env, call.object());
  return nullptr;
}

napi_value Close(napi_env env, napi_callback_info info) {
  Call<0>(env, info).handle().Close();
  return nullptr;
}

constexpr Method kAllMethods[] = {
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
    {"getMany", GetMany},
    {"putMany", PutMany},
    {"removeMany", RemoveMany},
    {"size", Size},
    {"clear", Clear},
    {"collect", Collect},
    {"now", Now},
    {"sweep", Sweep},
    {"snapshot", TakeSnapshot},
    {"lifeOf", LifeOf},
    {"verify", Verify},
    {"repair", Repair},
    {"growScratch", GrowScratch},
    {"shrinkScratch", ShrinkScratch},
    {"close", Close},
};

}  // namespace

const std::span<const Method> kMethods = kAllMethods;

}  // namespace mapsafe
