// What a method was called with, and a number to return.
#ifndef MAPSAFE_ADDON_CALL_H_
#define MAPSAFE_ADDON_CALL_H_

#include <node_api.h>

#include <array>

#include "check.h"
#include "engine_handle.h"

namespace mapsafe {

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

inline napi_value MakeNumber(napi_env env, double number) {
  napi_value value = nullptr;
  Check(env, napi_create_double(env, number, &value));
  return value;
}

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_CALL_H_
