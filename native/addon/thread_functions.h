// The module's functions about threads, for the TypeScript engine: what JavaScript has no means for.
#ifndef MAPSAFE_ADDON_THREAD_FUNCTIONS_H_
#define MAPSAFE_ADDON_THREAD_FUNCTIONS_H_

#include <napi.h>

namespace mapsafe {

// ownThreadId(): the kernel's number for the calling thread; 0 where there is none
Napi::Value OwnThreadIdFunction(const Napi::CallbackInfo& info);

// openRecordLocks(region): the locks of the file that the ArrayBuffer shows, as an object (src/platform/addon.ts); null
// if mapFile did not make it
Napi::Value OpenRecordLocksFunction(const Napi::CallbackInfo& info);

// noteExit(region, name): an object with note(record) and cancel(). Unless it is cancelled, the record noted last is
// marked as abandoned after this thread's last JavaScript, if its owner has this name.
Napi::Value MarkAtExitFunction(const Napi::CallbackInfo& info);

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_THREAD_FUNCTIONS_H_
