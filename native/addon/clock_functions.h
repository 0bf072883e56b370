// The system's clocks for JavaScript, where fake timers cannot get at them.
//
// Thread safety: each thread has functions of its own; they share nothing.
#ifndef MAPSAFE_ADDON_CLOCK_FUNCTIONS_H_
#define MAPSAFE_ADDON_CLOCK_FUNCTIONS_H_

#include <napi.h>

namespace mapsafe {

// readClocks(clocks: Float64Array): void. Stores the milliseconds of the monotonic clock, of the wall clock, and since
// the system started, or NaN: all three of one instant. See native/platform/clocks.h.
Napi::Value ReadClocksFunction(const Napi::CallbackInfo& info);

// bootName(): string. Name of this start of the system; empty on systems without one.
Napi::Value BootNameFunction(const Napi::CallbackInfo& info);

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_CLOCK_FUNCTIONS_H_
