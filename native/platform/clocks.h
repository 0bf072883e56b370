// The system's clocks beside the monotonic one, which is native/core/base/monotonic.h.
//
// Thread safety: any thread.
#ifndef MAPSAFE_PLATFORM_CLOCKS_H_
#define MAPSAFE_PLATFORM_CLOCKS_H_

#include <string>

namespace mapsafe {

// Milliseconds since 1970, by the clock that users set.
double WallMilliseconds();

// Milliseconds since the system started, including those in which it was suspended, on systems whose monotonic clock
// stops meanwhile: on Linux. Elsewhere it does not stop, and this is NaN.
double BootMilliseconds();

// Name of this start of the system; empty on systems without one.
std::string BootName();

}  // namespace mapsafe

#endif  // MAPSAFE_PLATFORM_CLOCKS_H_
