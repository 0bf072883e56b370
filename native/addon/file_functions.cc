#include "file_functions.h"

#ifndef _WIN32

#include <cstddef>
#include <cstdint>

#include "../core/mapped_file.h"
#include "check.h"

namespace mapsafe {

namespace {

int Descriptor(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::Number>().Int32Value();
}

std::size_t Bytes(const Napi::CallbackInfo& info) {
  return static_cast<std::size_t>(info[1].As<Napi::Number>().Int64Value());
}

// False with an exception pending unless the first `count` arguments are numbers.
bool AreNumbers(const Napi::CallbackInfo& info, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (info[i].IsNumber()) continue;
    Napi::TypeError::New(info.Env(), "descriptor and bytes must be numbers").ThrowAsJavaScriptException();
    return false;
  }
  return true;
}

void Unmap(napi_env, void* base, void* hint) {
  UnmapFile(base, reinterpret_cast<std::uintptr_t>(hint));
}

}  // namespace

Napi::Value LockFileFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 1)) return {};
  return Napi::Number::New(info.Env(), LockFile(Descriptor(info)));
}

Napi::Value AllocateFileFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 2)) return {};
  return Napi::Number::New(info.Env(), AllocateFile(Descriptor(info), Bytes(info)));
}

Napi::Value MapFileFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 2)) return {};
  const Napi::Env env = info.Env();
  const std::size_t bytes = Bytes(info);
  void* base = nullptr;
  if (const int error = MapFile(Descriptor(info), bytes, &base); error != 0) return Napi::Number::New(env, error);
  // Node.js runs the finalizer on the thread that owns the buffer, when it ends at the latest: after the engines on
  // the buffer, whose clean-up hooks are younger, were closed.
  // (Node.js would also run it if it found the buffer too long, which the caller has ruled out.)
  napi_value buffer;
  const napi_status status =
      napi_create_external_arraybuffer(env, base, bytes, Unmap, reinterpret_cast<void*>(bytes), &buffer);
  if (Check(env, status)) return {env, buffer};
  UnmapFile(base, bytes);
  return {};
}

}  // namespace mapsafe

#endif  // _WIN32
