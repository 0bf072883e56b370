// Wakes the event loops of threads that wait for a change of a region. See docs/internals/protocol.md, "Waking".
//
// In a file one thread of this process waits for the bell that any process rings, and tells the loops concerned. It
// runs while a thread of JavaScript listens to that file, and sleeps for good while no load is waited for. In the
// memory of one process JavaScript wakes itself by Atomics.notify; here it hears only of threads that ended, when no
// JavaScript of theirs runs any more.
//
// Thread safety: any.
#ifndef MAPSAFE_ADDON_WAKE_UPS_H_
#define MAPSAFE_ADDON_WAKE_UPS_H_

#include <napi.h>

#include "../core/base/region.h"

namespace mapsafe {

// listen(words, onWake): an object with watch(index, value) and close(); null where the system has no wake-ups.
// `onWake` is called when a word watched may have another value now. No listener keeps the process alive.
Napi::Value ListenFunction(const Napi::CallbackInfo& info);

// ringBell(words): wakes all processes that listen to the file of this region.
Napi::Value RingBellFunction(const Napi::CallbackInfo& info);

// Tells all who listen to a region in the memory of this process to look again.
void WakeListeners(const void* base);

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_WAKE_UPS_H_
