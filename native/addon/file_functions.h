// The module's functions for files, called with descriptors that node:fs opened. Each returns 0 or an errno value,
// except that mapFile returns an ArrayBuffer if it succeeds.
#ifndef MAPSAFE_ADDON_FILE_FUNCTIONS_H_
#define MAPSAFE_ADDON_FILE_FUNCTIONS_H_

#include <napi.h>

namespace mapsafe {

// lockFile(descriptor)
Napi::Value LockFileFunction(const Napi::CallbackInfo& info);

// allocateFile(descriptor, bytes)
Napi::Value AllocateFileFunction(const Napi::CallbackInfo& info);

// mapFile(descriptor, bytes). The mapping ends when the ArrayBuffer was collected and the engines on it were closed.
Napi::Value MapFileFunction(const Napi::CallbackInfo& info);

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_FILE_FUNCTIONS_H_
