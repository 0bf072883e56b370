// A clock that costs a load to read: a thread writes the time down every few milliseconds. One for the process, running
// as long as a thread of JavaScript has asked for it. It knows nothing of regions.
//
// Thread safety: any.
#ifndef MAPSAFE_ADDON_TICKING_CLOCK_H_
#define MAPSAFE_ADDON_TICKING_CLOCK_H_

#include <napi.h>

namespace mapsafe {

// openClock(): Float64Array | null. One number: the monotonic clock's milliseconds, 10 late at most, or as late as the
// system lets a thread wait for a processor. The clock ticks until the environment ends. null if Node.js allows no
// external buffers. To be called once in an environment.
Napi::Value OpenClockFunction(const Napi::CallbackInfo& info);

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_TICKING_CLOCK_H_
