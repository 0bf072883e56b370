#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "call.h"
#include "methods.h"

namespace mapsafe {
namespace {

napi_value Size(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  return call.open() ? MakeNumber(env, call.handle().engine().Size()) : nullptr;
}

napi_value Watch(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  if (call.open()) call.handle().engine().Watch();
  return nullptr;
}

napi_value Unwatch(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  if (call.open()) call.handle().engine().Unwatch();
  return nullptr;
}

napi_value Clear(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  double from;
  std::uint32_t segments;
  if (!call.open() || !call.Number(0, &from) || !call.Number(1, &segments)) return nullptr;
  return MakeNumber(env, static_cast<double>(call.handle().engine().Clear(static_cast<std::uint64_t>(from), segments)));
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

// Copies a piece into memory of JavaScript, and frees it: so that at most one exists twice.
bool MakePiece(napi_env env, SnapshotPiece* piece, napi_value* array) {
  napi_value buffer;
  void* data = nullptr;
  const std::size_t bytes = piece->used * sizeof(Word);
  if (!Check(env, napi_create_arraybuffer(env, bytes, &data, &buffer)) ||
      !Check(env, napi_create_typedarray(env, napi_int32_array, piece->used, buffer, 0, array))) {
    return false;
  }
  if (bytes > 0) std::memcpy(data, piece->words.get(), bytes);
  piece->words.reset();
  return true;
}

napi_value TakeSnapshot(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  napi_value arrays, array;
  if (!call.open() || !Check(env, napi_create_array(env, &arrays))) return nullptr;
  std::uint32_t i = 0;
  for (SnapshotPiece& piece : call.handle().engine().Snapshot()) {
    if (piece.used == 0) continue;
    if (!MakePiece(env, &piece, &array) || !Check(env, napi_set_element(env, arrays, i++, array))) return nullptr;
  }
  return arrays;
}

napi_value BeginSnapshot(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  return call.open() ? MakeNumber(env, call.handle().engine().BeginSnapshot()) : nullptr;
}

napi_value CopyAhead(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  std::uint32_t job, segments;
  napi_value is_over;
  if (!call.open() || !call.Number(0, &job) || !call.Number(1, &segments)) return nullptr;
  return Check(env, napi_get_boolean(env, call.handle().engine().CopyAhead(job, segments), &is_over)) ? is_over
                                                                                                      : nullptr;
}

napi_value FinishSnapshot(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t job;
  if (call.open() && call.Number(0, &job)) call.handle().engine().FinishSnapshot(job);
  return nullptr;
}

// Undefined once there is none left.
napi_value NextPiece(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t job;
  napi_value array;
  if (!call.open() || !call.Number(0, &job)) return nullptr;
  std::vector<SnapshotPiece>* pieces = call.handle().engine().PiecesOf(job);
  if (pieces == nullptr || pieces->empty()) return nullptr;
  SnapshotPiece piece = std::move(pieces->back());
  pieces->pop_back();
  return MakePiece(env, &piece, &array) ? array : nullptr;
}

napi_value DropSnapshot(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t job;
  if (call.open() && call.Number(0, &job)) call.handle().engine().DropSnapshot(job);
  return nullptr;
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

napi_value MakeLabelTable(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t level;
  if (call.open() && call.Number(0, &level)) call.handle().engine().MakeLabelTable(level);
  return nullptr;
}

constexpr Method kAllOfMap[] = {
    {"makeLabelTable", MakeLabelTable},
    {"size", Size},
    {"watch", Watch},
    {"unwatch", Unwatch},
    {"clear", Clear},
    {"collect", Collect},
    {"now", Now},
    {"sweep", Sweep},
    {"snapshot", TakeSnapshot},
    {"beginSnapshot", BeginSnapshot},
    {"copyAhead", CopyAhead},
    {"finishSnapshot", FinishSnapshot},
    {"nextPiece", NextPiece},
    {"dropSnapshot", DropSnapshot},
    {"lifeOf", LifeOf},
    {"verify", Verify},
    {"repair", Repair},
    {"growScratch", GrowScratch},
    {"shrinkScratch", ShrinkScratch},
    {"close", Close},
};

}  // namespace

const std::span<const Method> kMapMethods = kAllOfMap;

}  // namespace mapsafe
