#include "thread_functions.h"

#include <memory>
#include <utility>

#include "../core/threads/thread_record.h"
#include "check.h"
#include "mapping.h"
#include "wake_ups.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(_WIN32)
#include <windows.h>
#endif

namespace mapsafe {

namespace {

std::uint32_t Number(const Napi::CallbackInfo& info) {
  return info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : ~0u;
}

// `act` is given the locks and the first argument, and what it returns is the result.
template <typename Act>
void AddMethod(Napi::Object object, const char* name, std::weak_ptr<Mapping> mapping, Act act) {
  const auto call = [mapping = std::move(mapping), act](const Napi::CallbackInfo& info) -> Napi::Value {
    const std::shared_ptr<Mapping> held = mapping.lock();
    return held ? Napi::Value::From(info.Env(), act(held->locks(), Number(info))) : info.Env().Undefined();
  };
  object.Set(name, Napi::Function::New(object.Env(), call, name));
}

// Runs for a thread after its last step in JavaScript. It cannot close a worker's engine: the worker may have been
// ended in the middle of an operation.
class ExitNote {
 public:
  ExitNote(napi_env env, napi_ref words, Region region, KernelId name)
      : env_(env), words_(words), region_(region), name_(name) {
    napi_add_env_cleanup_hook(env_, OnExit, this);
  }
  ~ExitNote() { Cancel(); }
  ExitNote(const ExitNote&) = delete;
  ExitNote& operator=(const ExitNote&) = delete;

  void Note(std::uint32_t record) { record_ = record; }

  void Cancel() {
    if (words_ == nullptr) return;
    napi_remove_env_cleanup_hook(env_, OnExit, this);
    napi_delete_reference(env_, words_);
    words_ = nullptr;
  }

 private:
  // The reference still holds the region.
  static void OnExit(void* data) {
    auto* const mark = static_cast<ExitNote*>(data);
    mark->Mark();
    mark->Cancel();
  }

  // Release: a thread that sees the mark sees all that the ended thread did.
  void Mark() {
    if (record_ < kRegistryThreads) {
      const WordIndex at = ThreadRecord::At(record_);
      if (region_.LoadPair(at + kThreadKernelId) == name_) region_.StoreRelease(at + kThreadState, kThreadAbandoned);
    }
    if (region_.LoadPair(kHeaderTakeover) == name_) region_.StorePairRelease(kHeaderTakeover, 0);
    WakeListeners(region_.AddressOf(0));
  }

  const napi_env env_;
  napi_ref words_;
  Region region_;
  const KernelId name_;
  std::uint32_t record_ = kRegistryThreads;
};

}  // namespace

Napi::Value OwnThreadIdFunction(const Napi::CallbackInfo& info) {
#if defined(__linux__)
  return Napi::Number::New(info.Env(), static_cast<double>(syscall(SYS_gettid)));
#elif defined(_WIN32)
  return Napi::Number::New(info.Env(), static_cast<double>(GetCurrentThreadId()));
#else
  return Napi::Number::New(info.Env(), 0);
#endif
}

Napi::Value OpenRecordLocksFunction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsArrayBuffer()) return env.Null();
  const std::shared_ptr<Mapping> mapping = Mapping::Find(info[0].As<Napi::ArrayBuffer>().Data());
  if (!mapping) return env.Null();
  const Napi::Object object = Napi::Object::New(env);
  AddMethod(object, "open", mapping,
            [](RecordLocks& locks, std::uint32_t descriptor) { return locks.Open(static_cast<int>(descriptor)); });
  AddMethod(object, "areSupported", mapping, [](RecordLocks& locks, std::uint32_t) { return locks.are_supported(); });
  AddMethod(object, "tryLock", mapping, [](RecordLocks& locks, std::uint32_t record) { return locks.TryLock(record); });
  AddMethod(object, "isLocked", mapping,
            [](RecordLocks& locks, std::uint32_t record) { return locks.IsLocked(record); });
  AddMethod(object, "unlock", mapping, [](RecordLocks& locks, std::uint32_t record) {
    locks.Unlock(record);
    return true;
  });
  AddMethod(object, "unlockAndClose", mapping, [](RecordLocks& locks, std::uint32_t record) {
    locks.UnlockAndClose(record);
    return true;
  });
  AddMethod(object, "tryLockTakeover", mapping,
            [](RecordLocks& locks, std::uint32_t) { return locks.TryLockTakeover(); });
  AddMethod(object, "unlockTakeover", mapping, [](RecordLocks& locks, std::uint32_t) {
    locks.UnlockTakeover();
    return true;
  });
  return object;
}

Napi::Value MarkAtExitFunction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  napi_typedarray_type type;
  std::size_t length = 0;
  void* base = nullptr;
  napi_ref reference = nullptr;
  bool is_whole = false;
  std::uint64_t name = 0;
  if (napi_get_typedarray_info(env, info[0], &type, &length, &base, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || napi_get_value_bigint_uint64(env, info[1], &name, &is_whole) != napi_ok) {
    Napi::TypeError::New(env, "region must be a Uint8Array, name a bigint").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (!Check(env, napi_create_reference(env, info[0], 1, &reference))) return env.Undefined();
  const auto mark = std::make_shared<ExitNote>(env, reference, Region(base, length), name);
  const Napi::Object object = Napi::Object::New(env);
  object.Set("note", Napi::Function::New(env, [mark](const Napi::CallbackInfo& info) { mark->Note(Number(info)); }));
  object.Set("cancel", Napi::Function::New(env, [mark](const Napi::CallbackInfo&) { mark->Cancel(); }));
  return object;
}

}  // namespace mapsafe
