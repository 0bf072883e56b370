// The module's one export: createEngine(words: Int32Array, pid: number, threadId: number): Engine | null.
//
// There is no state outside the engines, so any number of threads may load the module.
#include <node_api.h>

#include "check.h"
#include "engine_handle.h"

namespace {

napi_value CreateEngine(napi_env env, napi_callback_info info) {
  std::size_t count = 3;
  napi_value arguments[3];
  mapsafe::Identity identity;
  if (!mapsafe::Check(env, napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr)) ||
      !mapsafe::Check(env, napi_get_value_uint32(env, arguments[1], &identity.pid)) ||
      !mapsafe::Check(env, napi_get_value_uint32(env, arguments[2], &identity.thread))) {
    return nullptr;
  }
  return mapsafe::EngineHandle::Create(env, arguments[0], identity);
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  if (!mapsafe::Check(env,
                      napi_create_function(env, "createEngine", NAPI_AUTO_LENGTH, CreateEngine, nullptr, &function)) ||
      !mapsafe::Check(env, napi_set_named_property(env, exports, "createEngine", function))) {
    return nullptr;
  }
  return exports;
}
