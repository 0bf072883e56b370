// The clock that the region's time is made of.
#ifndef MAPSAFE_CORE_MONOTONIC_H_
#define MAPSAFE_CORE_MONOTONIC_H_

#include <ctime>
#if !defined(CLOCK_MONOTONIC)
#include <chrono>
#endif

namespace mapsafe {

// Milliseconds of the monotonic clock, exact to the nanosecond: the same clock for all threads and processes of the
// machine, and the one that `process.hrtime` reads, so that both engines compute the same double at the same instant.
// Any thread. Some 20 ns: no system call.
inline double MonotonicMilliseconds() {
#if defined(CLOCK_MONOTONIC)
#if defined(__APPLE__)
  constexpr clockid_t kClock = CLOCK_MONOTONIC_RAW;  // libuv's mach_continuous_time
#else
  constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
  timespec time{};
  clock_gettime(kClock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
#else
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
  return static_cast<double>(nanoseconds / 1'000'000'000) * 1e3 +
         static_cast<double>(nanoseconds % 1'000'000'000) / 1e6;
#endif
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MONOTONIC_H_
