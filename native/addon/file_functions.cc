#include "file_functions.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "../platform/copy_lock.h"
#include "../platform/mapped_file.h"
#include "../platform/record_locks.h"
#include "check.h"
#include "mapping.h"

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

void OnBufferFreed(napi_env, void*, void* hint) {
  delete static_cast<std::shared_ptr<Mapping>*>(hint);
}

void OnReadBufferFreed(napi_env, void* base, void* hint) {
  const std::unique_ptr<std::size_t> length(static_cast<std::size_t*>(hint));
  UnmapFile(base, *length);
}

}  // namespace

Napi::Value OpenAnonymousFileFunction(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) {
    Napi::TypeError::New(info.Env(), "directory must be a string").ThrowAsJavaScriptException();
    return {};
  }
  int descriptor = -1;
  const int error = OpenAnonymousFile(info[0].As<Napi::String>().Utf8Value().c_str(), &descriptor);
  return Napi::Number::New(info.Env(), error == 0 ? descriptor : -error);
}

Napi::Value CloseAnonymousFileFunction(const Napi::CallbackInfo& info) {
  if (AreNumbers(info, 1)) CloseAnonymousFile(Descriptor(info));
  return {};
}

Napi::Value NameFileFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 1) || !info[1].IsString()) return {};
  return Napi::Number::New(info.Env(), NameFile(Descriptor(info), info[1].As<Napi::String>().Utf8Value().c_str()));
}

Napi::Value RenameNewFunction(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsString()) {
    Napi::TypeError::New(info.Env(), "paths must be strings").ThrowAsJavaScriptException();
    return {};
  }
  const std::string from = info[0].As<Napi::String>().Utf8Value();
  return Napi::Number::New(info.Env(), RenameNew(from.c_str(), info[1].As<Napi::String>().Utf8Value().c_str()));
}

Napi::Value AllocateFileFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 2)) return {};
  return Napi::Number::New(info.Env(), AllocateFile(Descriptor(info), Bytes(info)));
}

Napi::Value LockCopyFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 1)) return {};
  return Napi::Number::New(info.Env(), LockCopy(Descriptor(info)));
}

Napi::Value UnlockCopyFunction(const Napi::CallbackInfo& info) {
  if (AreNumbers(info, 1)) UnlockCopy(Descriptor(info));
  return {};
}

Napi::Value MapFileForReadingFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 2)) return {};
  const Napi::Env env = info.Env();
  void* base = nullptr;
  const std::size_t bytes = Bytes(info);
  const int error = MapFileForReading(Descriptor(info), bytes, &base);
  if (error != 0) return Napi::Number::New(env, error);
  auto* const length = new std::size_t(bytes);
  napi_value buffer;
  const napi_status status = napi_create_external_arraybuffer(env, base, bytes, OnReadBufferFreed, length, &buffer);
  if (Check(env, status)) return {env, buffer};
  OnReadBufferFreed(env, base, length);
  return {};
}

Napi::Value LookAtRecordLockFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 2)) return {};
  const std::uint32_t record = info[1].As<Napi::Number>().Uint32Value();
  return Napi::Number::New(info.Env(), RecordLocks::Look(Descriptor(info), record));
}

Napi::Value MapFileFunction(const Napi::CallbackInfo& info) {
  if (!AreNumbers(info, 2)) return {};
  const Napi::Env env = info.Env();
  const std::size_t bytes = Bytes(info);
  int error = 0;
  const std::shared_ptr<Mapping> mapping = Mapping::Create(Descriptor(info), bytes, &error);
  if (!mapping) return Napi::Number::New(env, error);
  auto* const share = new std::shared_ptr(mapping);
  napi_value buffer;
  const napi_status status =
      napi_create_external_arraybuffer(env, mapping->base(), bytes, OnBufferFreed, share, &buffer);
  if (Check(env, status)) return {env, buffer};
  // If Node.js found the buffer too long, it would already have freed it; but the caller has ruled that out.
  delete share;
  return {};
}

}  // namespace mapsafe
