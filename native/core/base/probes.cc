#include "base/probes.h"

#ifdef MAPSAFE_PROBE_NOTE

// Tracers look for both sections by name. A tracer writes to a semaphore while the program runs.
extern "C" {
[[gnu::section(".stapsdt.base"), gnu::used, gnu::visibility("hidden")]] extern const char mapsafe_probes_base = 0;

[[gnu::section(".probes"), gnu::used]] volatile std::uint16_t mapsafe_traced_get = 0;
[[gnu::section(".probes"), gnu::used]] volatile std::uint16_t mapsafe_traced_set = 0;
[[gnu::section(".probes"), gnu::used]] volatile std::uint16_t mapsafe_traced_delete = 0;
[[gnu::section(".probes"), gnu::used]] volatile std::uint16_t mapsafe_traced_increment = 0;
}

#endif
