#include "engine_handle.h"

#include <bit>
#include <cstring>
#include <iterator>
#include <new>
#include <vector>

#include "check.h"
#include "methods.h"
#include "wake_ups.h"

namespace mapsafe {
namespace {

constexpr std::size_t kInitialScratchBytes = 64 * 1024;
// As KEPT_BYTES of src/base/kept.ts.
constexpr std::size_t kKeptBytes = 1024 * 1024;

// A zeroed ArrayBuffer and a view of `type` over all of it.
bool MakeArray(napi_env env, napi_typedarray_type type, std::size_t length, std::size_t bytes, napi_value* array,
               void** data) {
  napi_value buffer;
  return Check(env, napi_create_arraybuffer(env, bytes, data, &buffer)) &&
         Check(env, napi_create_typedarray(env, type, length, buffer, 0, array));
}

void Forget(napi_env env, napi_ref* reference) {
  if (*reference) napi_delete_reference(env, *reference);
  *reference = nullptr;
}

}  // namespace

napi_value EngineHandle::Create(napi_env env, napi_value words, Identity identity, napi_value is_out_of_reach,
                                napi_value wake) {
  napi_typedarray_type type;
  std::size_t length = 0;
  void* base = nullptr;
  if (napi_get_typedarray_info(env, words, &type, &length, &base, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || reinterpret_cast<std::uintptr_t>(base) % sizeof(std::uint64_t) != 0) {
    napi_throw_type_error(env, nullptr, "words must be an Int32Array aligned to 8 bytes");
    return nullptr;
  }
  napi_value object, kind, result, mark;
  void* result_data = nullptr;
  if (!Check(env, napi_create_object(env, &object)) ||
      !Check(env, napi_create_string_utf8(env, "native", NAPI_AUTO_LENGTH, &kind)) ||
      !MakeArray(env, napi_int32_array, sizeof(Outcome) / sizeof(std::int32_t), sizeof(Outcome), &result,
                 &result_data)) {
    return nullptr;
  }
  napi_valuetype judge_type, wake_type;
  if (!Check(env, napi_typeof(env, is_out_of_reach, &judge_type)) || !Check(env, napi_typeof(env, wake, &wake_type))) {
    return nullptr;
  }
  auto* handle = new EngineHandle(env, new (result_data) Outcome{});
  handle->mapping_ = Mapping::Find(base);
  RecordLocks* const locks = handle->mapping_ ? &handle->mapping_->locks() : nullptr;
  handle->engine_ = Engine::Attach(base, length * sizeof(std::int32_t), identity, handle->outcome_, locks);
  if (!handle->engine_) {
    delete handle;
    napi_value null;
    return Check(env, napi_get_null(env, &null)) ? null : nullptr;
  }
  handle->base_ = base;
  handle->engine_->SetWaker({OnWake, handle});
  napi_create_int32(env, static_cast<std::int32_t>(handle->engine_->owner_mark()), &mark);
  // Runs when the thread ends without a close: its thread record goes back, while the references still hold the region.
  napi_add_env_cleanup_hook(env, OnEnvironmentExit, handle);
  const napi_property_descriptor properties[] = {
      {"kind", nullptr, nullptr, nullptr, nullptr, kind, napi_enumerable, nullptr},
      {"mark", nullptr, nullptr, nullptr, nullptr, mark, napi_enumerable, nullptr},
      {"words", nullptr, nullptr, nullptr, nullptr, words, napi_enumerable, nullptr},
      {"result", nullptr, nullptr, nullptr, nullptr, result, napi_enumerable, nullptr},
  };
  if (!Check(env, napi_create_reference(env, words, 1, &handle->words_ref_)) ||
      !Check(env, napi_create_reference(env, result, 1, &handle->result_ref_)) ||
      (judge_type == napi_function &&
       !Check(env, napi_create_reference(env, is_out_of_reach, 1, &handle->is_out_of_reach_ref_))) ||
      (wake_type == napi_function && !Check(env, napi_create_reference(env, wake, 1, &handle->wake_ref_))) ||
      !Check(env, napi_define_properties(env, object, std::size(properties), properties)) ||
      !handle->GrowScratch(env, object, kInitialScratchBytes) || !handle->DefineMethods(env, object)) {
    handle->Close();
    if (handle->functions_ == 0) delete handle;
    return nullptr;
  }
  return object;
}

// All properties at once, not assigned one by one: an object with many assigned properties becomes a hash table, in
// which V8 looks every method up anew at each call.
bool EngineHandle::DefineMethods(napi_env env, napi_value object) {
  std::vector<napi_property_descriptor> properties;
  for (const std::span<const Method> methods : {kKeyMethods, kShapeMethods, kMapMethods}) {
    for (const Method& method : methods) {
      napi_value function;
      if (!Check(env, napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.callback, this, &function)) ||
          !Check(env, napi_add_finalizer(env, function, this, OnFunctionCollected, nullptr, nullptr))) {
        return false;
      }
      ++functions_;
      properties.push_back(
          {method.name, nullptr, nullptr, nullptr, nullptr, function, napi_default_jsproperty, nullptr});
    }
  }
  return Check(env, napi_define_properties(env, object, properties.size(), properties.data()));
}

void EngineHandle::OnFunctionCollected(napi_env, void* data, void*) {
  auto* handle = static_cast<EngineHandle*>(data);
  if (--handle->functions_ == 0) delete handle;
}

void EngineHandle::OnEnvironmentExit(void* data) {
  auto* const handle = static_cast<EngineHandle*>(data);
  handle->exiting_ = true;
  handle->Close();
}

// Called in the middle of an operation. What it calls is no user's code: src/engine/open.ts passes it.
void EngineHandle::OnWake(void* data, WordIndex at) {
  auto* const handle = static_cast<EngineHandle*>(data);
  const napi_env env = handle->env_;
  if (handle->exiting_) return WakeListeners(handle->base_);
  napi_value wake, undefined, index;
  if (!handle->wake_ref_ || napi_get_reference_value(env, handle->wake_ref_, &wake) != napi_ok ||
      napi_get_undefined(env, &undefined) != napi_ok ||
      napi_create_uint32(env, static_cast<std::uint32_t>(at), &index) != napi_ok) {
    return;
  }
  napi_call_function(env, undefined, wake, 1, &index, nullptr);
}

void EngineHandle::Close() {
  if (!engine_) return;
  engine_.reset();
  mapping_.reset();
  keys_.reset();
  value_text_.reset();
  scratch_ = kept_scratch_ = {nullptr, 0};
  // Node.js allows this inside the hook itself, too.
  napi_remove_env_cleanup_hook(env_, OnEnvironmentExit, this);
  Forget(env_, &words_ref_);
  Forget(env_, &result_ref_);
  Forget(env_, &scratch_ref_);
  Forget(env_, &kept_scratch_ref_);
  Forget(env_, &is_out_of_reach_ref_);
  Forget(env_, &wake_ref_);
}

bool EngineHandle::GrowScratch(napi_env env, napi_value object, std::size_t bytes) {
  if (scratch_ref_ && bytes <= scratch_.capacity) return true;
  // A large one is no longer than needed: there may be no 256 MiB for a value of 150. Whole doubles, for the padding.
  const std::size_t capacity = bytes <= kKeptBytes ? std::bit_ceil(bytes) : (bytes + 7) & ~std::size_t{7};
  napi_value array;
  void* data = nullptr;
  napi_ref reference = nullptr;
  if (!MakeArray(env, napi_uint8_array, capacity, capacity, &array, &data) ||
      !Check(env, napi_create_reference(env, array, 1, &reference))) {
    return false;
  }
  if (!Check(env, napi_set_named_property(env, object, "scratch", array))) {
    napi_delete_reference(env, reference);
    return false;
  }
  if (capacity > kKeptBytes && !kept_scratch_ref_) {
    kept_scratch_ref_ = std::exchange(scratch_ref_, nullptr);
    kept_scratch_ = scratch_;
  }
  Forget(env, &scratch_ref_);
  scratch_ref_ = reference;
  scratch_ = {static_cast<std::byte*>(data), capacity};
  engine_->SetScratch(scratch_.data, scratch_.capacity);
  return true;
}

void EngineHandle::ShrinkScratch(napi_env env, napi_value object) {
  napi_value array;
  if (!open() || !kept_scratch_ref_ || !Check(env, napi_get_reference_value(env, kept_scratch_ref_, &array)) ||
      !Check(env, napi_set_named_property(env, object, "scratch", array))) {
    return;
  }
  Forget(env, &scratch_ref_);
  scratch_ref_ = std::exchange(kept_scratch_ref_, nullptr);
  scratch_ = kept_scratch_;
  engine_->SetScratch(scratch_.data, scratch_.capacity);
}

void EngineHandle::StartScratchAt(std::size_t offset) {
  scratch_start_ = offset;
  engine_->SetScratch(scratch_.data + offset, scratch_.capacity - offset);
}

bool EngineHandle::ReadKey(napi_env env, napi_value value, Key* key) {
  const Status status = keys_->Read(env, value, key);
  if (status != Status::kFound) {
    outcome_->status = status;
    return false;
  }
  if (key->length == 0 && key->kind == kKeyBytes && IsOutOfReach(env, value)) [[unlikely]] {
    outcome_->status = Status::kKeyType;
    return false;
  }
  engine_->Hash(key);
  return true;
}

// V8 tells Node-API the length 0 for an array whose buffer was detached or shrunk.
bool EngineHandle::IsOutOfReach(napi_env env, napi_value key) {
  napi_value judge, undefined, answer;
  bool is_out_of_reach = false;
  return is_out_of_reach_ref_ && napi_get_reference_value(env, is_out_of_reach_ref_, &judge) == napi_ok &&
         napi_get_undefined(env, &undefined) == napi_ok &&
         napi_call_function(env, undefined, judge, 1, &key, &answer) == napi_ok &&
         napi_get_value_bool(env, answer, &is_out_of_reach) == napi_ok && is_out_of_reach;
}

bool EngineHandle::ReadValue(napi_env env, std::uint32_t kind, napi_value value, Value* result, bool is_narrow) {
  switch (kind) {
    case kValueUndefined:
    case kValueNull:
    case kValueFalse:
    case kValueTrue:
      *result = {nullptr, 0, kind};
      return true;
    case kValueNumber:
      if (napi_get_value_double(env, value, &value_number_) != napi_ok) break;
      *result = {reinterpret_cast<const std::byte*>(&value_number_), sizeof value_number_, kind};
      return true;
    case kValueLatin1: {
      Text text;
      if (!(is_narrow ? value_text_->ReadNarrow(env, value, &text) : value_text_->Read(env, value, &text))) break;
      *result = {reinterpret_cast<const std::byte*>(text.words), static_cast<std::uint32_t>(text.bytes),
                 text.latin1 ? kValueLatin1 : kValueUtf16};
      return true;
    }
    case kValueBigint:
    case kValueBytes:
    case kValuePlain:
    case kValueClone:
    case kValueLease: {
      std::uint32_t length = 0;
      if (napi_get_value_uint32(env, value, &length) != napi_ok || length > scratch_.capacity - scratch_start_) {
        break;
      }
      *result = {scratch_.data + scratch_start_, length, kind};
      return true;
    }
    default:
      break;
  }
  napi_throw_type_error(env, nullptr, "the value does not fit its kind");
  return false;
}

bool EngineHandle::ReadText(napi_env env, napi_value value, Text* text) {
  if (value_text_->Read(env, value, text)) return true;
  napi_throw_type_error(env, nullptr, "expected a string");
  return false;
}

napi_value EngineHandle::TakeValue(napi_env env, Status* status) {
  const char* bytes = reinterpret_cast<const char*>(scratch_.data + scratch_start_);
  const std::uint32_t length = outcome_->length;
  napi_value value = nullptr;  // undefined
  switch (outcome_->kind) {
    case kValueUndefined:
      return nullptr;
    case kValueNull:
      napi_get_null(env, &value);
      return value;
    case kValueFalse:
    case kValueTrue:
      napi_get_boolean(env, outcome_->kind == kValueTrue, &value);
      return value;
    case kValueNumber: {
      double number;
      std::memcpy(&number, bytes, sizeof number);
      napi_create_double(env, number, &value);
      return value;
    }
    case kValueLatin1:
      // Fails only for more units than a string can have; so many were never written.
      if (napi_create_string_latin1(env, bytes, length, &value) != napi_ok) *status = Status::kCorrupt;
      return value;
    case kValueUtf16:
      if (napi_create_string_utf16(env, reinterpret_cast<const char16_t*>(bytes), length / sizeof(char16_t), &value) !=
          napi_ok) {
        *status = Status::kCorrupt;
      }
      return value;
    default:
      *status = Status::kEncoded;
      return nullptr;
  }
}

}  // namespace mapsafe
