#include "threads/liveness.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#endif
#if !defined(_WIN32)
#include <signal.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mapsafe {

namespace {

constexpr std::uint32_t kIdBits = 22;
constexpr std::uint32_t kIdMask = (1u << kIdBits) - 1;

// Whether nothing has this id: neither thread nor process, nor one whose entry in /proc is hidden from us.
bool IsGone(std::uint32_t id) {
#if defined(_WIN32)
  static_cast<void>(id);
  return false;
#else
  return kill(static_cast<pid_t>(id), 0) != 0 && errno == ESRCH;
#endif
}

}  // namespace

#if defined(__linux__)

namespace {

struct Stat {
  bool found;
  char state;
  std::uint64_t ticks;  // of processor time
  std::uint32_t start_time;
};

// A thread's state, processor time and start time, fields 3, 14 and 15, and 22 of its stat file (proc_pid_stat(5)).
// /proc/<id> exists for every thread, though only processes are listed.
Stat ReadStat(std::uint32_t id) {
  char path[32];
  char text[512];
  std::snprintf(path, sizeof path, "/proc/%u/stat", id);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return {};
  text[length] = 0;
  // Field 2, the name, may hold anything, but ends with the last parenthesis.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] != ' ') return {};
  const char state = at[2];
  std::uint64_t ticks = 0;
  for (int field = 3; field <= 22; ++field) {
    at = std::strchr(at + 1, ' ');
    if (at == nullptr) return {};
    if (field == 14 || field == 15) ticks += std::strtoull(at + 1, nullptr, 10);
  }
  return {true, state, ticks, static_cast<std::uint32_t>(std::strtoull(at + 1, nullptr, 10))};
}

std::uint32_t Namespace() {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) << kIdBits : 0;
}

}  // namespace

KernelId OwnKernelId() {
  const auto id = static_cast<std::uint32_t>(syscall(SYS_gettid));
  return KernelId{ReadStat(id).start_time} << 32 | Namespace() | (id & kIdMask);
}

Life LifeOf(KernelId id) {
  const auto low = static_cast<std::uint32_t>(id);
  if ((low & ~kIdMask) != Namespace()) return Life::kUnknown;
  const Stat stat = ReadStat(low & kIdMask);
  if (!stat.found) return IsGone(low & kIdMask) ? Life::kDead : Life::kUnknown;
  if (stat.start_time != static_cast<std::uint32_t>(id >> 32)) return Life::kDead;
  switch (stat.state) {
    case 'Z':
    case 'X':
      return Life::kDead;
    case 'T':
    case 't':
      return Life::kStopped;
    default:
      return Life::kRunning;
  }
}

Activity ActivityOf(KernelId id) {
  const auto low = static_cast<std::uint32_t>(id);
  if ((low & ~kIdMask) != Namespace()) return {};
  const Stat stat = ReadStat(low & kIdMask);
  if (!stat.found || stat.start_time != static_cast<std::uint32_t>(id >> 32) || std::strchr("ZX", stat.state))
    return {};
  const auto ticks_a_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return {true, stat.state == 'R', std::chrono::nanoseconds(stat.ticks * 1'000'000'000 / ticks_a_second)};
}

#else

Activity ActivityOf(KernelId) {
  return {};
}

KernelId OwnKernelId() {
#if defined(_WIN32)
  return 1;
#else
  return static_cast<std::uint32_t>(getpid()) & kIdMask;
#endif
}

Life LifeOf(KernelId id) {
  return IsGone(static_cast<std::uint32_t>(id) & kIdMask) ? Life::kDead : Life::kUnknown;
}

#endif

}  // namespace mapsafe
