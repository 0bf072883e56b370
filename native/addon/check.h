// Error handling for Node-API calls that fail only when memory runs out or the environment is shutting down.
#ifndef MAPSAFE_ADDON_CHECK_H_
#define MAPSAFE_ADDON_CHECK_H_

#include <node_api.h>

namespace mapsafe {

// Whether a call succeeded; if not, makes sure that an exception is pending.
inline bool Check(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) {
    const napi_extended_error_info* info = nullptr;
    napi_get_last_error_info(env, &info);
    napi_throw_error(env, nullptr, info && info->error_message ? info->error_message : "a Node-API call failed");
  }
  return false;
}

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_CHECK_H_
