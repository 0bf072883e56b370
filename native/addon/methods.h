// The methods of the interface Engine (src/engine/engine.ts) as Node-API callbacks. Each is called with its
// EngineHandle as the function's data, so that no call has to unwrap `this`.
#ifndef MAPSAFE_ADDON_METHODS_H_
#define MAPSAFE_ADDON_METHODS_H_

#include <node_api.h>

#include <span>

namespace mapsafe {

struct Method {
  const char* name;
  napi_callback callback;
};

// What reads and writes keys, one or many (key_methods.cc).
extern const std::span<const Method> kKeyMethods;

// The shapes of values (shape_methods.cc).
extern const std::span<const Method> kShapeMethods;

// What concerns the whole map or the engine itself (map_methods.cc).
extern const std::span<const Method> kMapMethods;

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_METHODS_H_
