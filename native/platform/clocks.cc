#include "clocks.h"

#include <chrono>
#include <cmath>
#include <ctime>
#if defined(__linux__)
#include <fstream>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace mapsafe {

namespace {

#if !defined(_WIN32)
double Milliseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}
#endif

}  // namespace

double WallMilliseconds() {
#if defined(_WIN32)
  return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
#else
  return Milliseconds(CLOCK_REALTIME);
#endif
}

double BootMilliseconds() {
#if defined(__linux__)
  return Milliseconds(CLOCK_BOOTTIME);
#else
  return std::nan("");
#endif
}

std::string BootName() {
  std::string name;
#if defined(__linux__)
  std::ifstream("/proc/sys/kernel/random/boot_id") >> name;
#elif defined(__APPLE__)
  char text[64] = {};
  std::size_t length = sizeof text - 1;
  if (sysctlbyname("kern.bootsessionuuid", text, &length, nullptr, 0) == 0) name = text;
#endif
  return name;
}

}  // namespace mapsafe
