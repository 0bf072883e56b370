// The module's exports: createEngine(words: Int32Array, pid: number, threadId: number, isOutOfReach?: Function, wake?:
// Function): Engine | null, and those of clock_functions.h, file_functions.h, thread_functions.h, ticking_clock.h and
// wake_ups.h.
// src/platform/addon.ts declares them.
//
// There is no state outside the engines but a clock and the list of who listens, which are for all threads, so any
// number of threads may load the module. What runs once an engine is written with node-addon-api; what runs for every
// operation (key_methods.cc, map_methods.cc) calls Node-API itself, which saves its wrappers' checks.
#include <napi.h>

#include "clock_functions.h"
#include "engine_handle.h"
#include "file_functions.h"
#include "thread_functions.h"
#include "ticking_clock.h"
#include "wake_ups.h"

namespace {

Napi::Value CreateEngine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsNumber() || !info[2].IsNumber()) {
    Napi::TypeError::New(env, "pid and threadId must be numbers").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const mapsafe::Identity identity{info[1].As<Napi::Number>().Uint32Value(), info[2].As<Napi::Number>().Uint32Value()};
  return {env, mapsafe::EngineHandle::Create(env, info[0], identity, info[3], info[4])};
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("createEngine", Napi::Function::New<CreateEngine>(env, "createEngine"));
  exports.Set("openClock", Napi::Function::New<mapsafe::OpenClockFunction>(env, "openClock"));
  exports.Set("readClocks", Napi::Function::New<mapsafe::ReadClocksFunction>(env, "readClocks"));
  exports.Set("bootName", Napi::Function::New<mapsafe::BootNameFunction>(env, "bootName"));
  exports.Set("openAnonymousFile", Napi::Function::New<mapsafe::OpenAnonymousFileFunction>(env, "openAnonymousFile"));
  exports.Set("closeAnonymousFile",
              Napi::Function::New<mapsafe::CloseAnonymousFileFunction>(env, "closeAnonymousFile"));
  exports.Set("nameFile", Napi::Function::New<mapsafe::NameFileFunction>(env, "nameFile"));
  exports.Set("renameNew", Napi::Function::New<mapsafe::RenameNewFunction>(env, "renameNew"));
  exports.Set("allocateFile", Napi::Function::New<mapsafe::AllocateFileFunction>(env, "allocateFile"));
  exports.Set("lockCopy", Napi::Function::New<mapsafe::LockCopyFunction>(env, "lockCopy"));
  exports.Set("unlockCopy", Napi::Function::New<mapsafe::UnlockCopyFunction>(env, "unlockCopy"));
  exports.Set("mapFile", Napi::Function::New<mapsafe::MapFileFunction>(env, "mapFile"));
  exports.Set("mapFileForReading", Napi::Function::New<mapsafe::MapFileForReadingFunction>(env, "mapFileForReading"));
  exports.Set("lookAtRecordLock", Napi::Function::New<mapsafe::LookAtRecordLockFunction>(env, "lookAtRecordLock"));
  exports.Set("ownThreadId", Napi::Function::New<mapsafe::OwnThreadIdFunction>(env, "ownThreadId"));
  exports.Set("openRecordLocks", Napi::Function::New<mapsafe::OpenRecordLocksFunction>(env, "openRecordLocks"));
  exports.Set("noteExit", Napi::Function::New<mapsafe::MarkAtExitFunction>(env, "noteExit"));
  exports.Set("listen", Napi::Function::New<mapsafe::ListenFunction>(env, "listen"));
  exports.Set("ringBell", Napi::Function::New<mapsafe::RingBellFunction>(env, "ringBell"));
  return exports;
}

}  // namespace

NODE_API_MODULE(mapsafe, Initialize)
