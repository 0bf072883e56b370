#include "clock_functions.h"

#include "../core/base/monotonic.h"
#include "../platform/clocks.h"

namespace mapsafe {

namespace {

// Most readings of the clocks. They are read one after the other, so a thread that loses its processor in between has
// to read them again; the best reading is used.
constexpr int kTries = 8;
constexpr double kCloseEnough = 0.01;  // milliseconds

}  // namespace

Napi::Value ReadClocksFunction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      info[0].As<Napi::TypedArray>().ElementLength() < 3) {
    Napi::TypeError::New(env, "clocks must be a Float64Array of three numbers").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  double* clocks = info[0].As<Napi::Float64Array>().Data();
  double closest = 0;
  for (int i = 0; i < kTries; ++i) {
    const double before = MonotonicMilliseconds();
    const double wall = WallMilliseconds();
    const double boot = BootMilliseconds();
    const double taken = MonotonicMilliseconds() - before;
    if (i > 0 && taken >= closest) continue;
    closest = taken;
    clocks[0] = before + taken / 2;
    clocks[1] = wall;
    clocks[2] = boot;
    if (taken < kCloseEnough) break;
  }
  return env.Undefined();
}

Napi::Value BootNameFunction(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), BootName());
}

}  // namespace mapsafe
