#include "threads/liveness.h"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#endif
#if defined(__APPLE__)
#include <libproc.h>
#include <sys/proc.h>
#endif
#if !defined(_WIN32)
#include <signal.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../platform/record_locks.h"
#include "threads/thread_record.h"

namespace mapsafe {

namespace {

constexpr std::uint32_t kIdBits = 22;
constexpr std::uint32_t kIdMask = (1u << kIdBits) - 1;

// What the kernel shows of a thread.
struct Sight {
  bool found = false;
  char state = 0;                // as in proc_pid_stat(5)
  std::uint32_t start_time = 0;  // never 0 if found
  std::uint64_t ticks = 0;       // of processor time
};

std::uint32_t IdOf(KernelId name) {
  return static_cast<std::uint32_t>(name) & kIdMask;
}

std::uint32_t StartTimeOf(KernelId name) {
  return static_cast<std::uint32_t>(name >> 32);
}

// Whether nothing has this id: no thread, no process, and none whose entry in /proc is hidden from us.
bool IsUnused(std::uint32_t id) {
#if defined(_WIN32)
  static_cast<void>(id);
  return false;
#else
  return kill(static_cast<pid_t>(id), 0) != 0 && errno == ESRCH;
#endif
}

#if defined(__linux__)

// Reads up to `size` - 1 bytes of a file of /proc and appends a 0. Returns false if the file cannot be read.
bool ReadFile(const char* path, char* text, std::size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t length = read(file, text, size - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = 0;
  return true;
}

std::uint32_t OwnId() {
  return static_cast<std::uint32_t>(syscall(SYS_gettid));
}

// Fields 3, 14 and 15, and 22 of a thread's stat file (proc_pid_stat(5)). /proc/<id> exists for every thread, though
// only processes are listed; but the times in its own stat file are those of the thread's whole process.
Sight Look(std::uint32_t id) {
  char path[48];
  char text[512];
  std::snprintf(path, sizeof path, "/proc/%u/task/%u/stat", id, id);
  if (!ReadFile(path, text, sizeof text)) return {};
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
  const auto start_time = static_cast<std::uint32_t>(std::strtoull(at + 1, nullptr, 10));
  return {start_time != 0, state, start_time, ticks};
}

#else

std::uint32_t OwnId() {
#if defined(_WIN32)
  return 1;
#else
  return static_cast<std::uint32_t>(getpid()) & kIdMask;
#endif
}

#if defined(__APPLE__)

// Of the process: threads of others are not shown to everybody. Its start in microseconds, of which the lower half is
// enough to tell it from another that got its id.
Sight Look(std::uint32_t id) {
  proc_bsdinfo info{};
  const int size = proc_pidinfo(static_cast<int>(id), PROC_PIDTBSDINFO, 0, &info, sizeof info);
  if (size != static_cast<int>(sizeof info)) return {};
  const std::uint64_t start = info.pbi_start_tvsec * 1'000'000 + info.pbi_start_tvusec;
  const char state = info.pbi_status == SZOMB ? 'Z' : info.pbi_status == SSTOP ? 'T' : 'S';
  return {true, state, static_cast<std::uint32_t>(start) | 1, 0};
}

#else

Sight Look(std::uint32_t) {
  return {};
}

#endif

#endif

bool IsOver(char state) {
  return state == 'Z' || state == 'X';
}

// What the kernel shows of a thread, given a name of this namespace.
Life LookAt(KernelId name) {
  const Sight sight = Look(IdOf(name));
  if (!sight.found) return IsUnused(IdOf(name)) ? Life::kDead : Life::kUnknown;
  // What could not be read when the name was made cannot be compared.
  if (StartTimeOf(name) == 0) return Life::kUnknown;
  if (sight.start_time != StartTimeOf(name) || IsOver(sight.state)) return Life::kDead;
  return sight.state == 'T' || sight.state == 't' ? Life::kStopped : Life::kRunning;
}

KernelId NameOf(const Region& region, std::uint32_t index) {
  // Acquire: the words that are read after it are this owner's or later ones.
  return region.LoadPairAcquire(ThreadRecord::At(index) + kThreadKernelId);
}

std::uint64_t NamespaceOf(const Region& region, std::uint32_t index) {
  return region.LoadPair(ThreadRecord::At(index) + kThreadNamespace);
}

bool IsOfOwnNamespace(const Region& region, std::uint32_t index) {
  const std::uint64_t own = OwnNamespace();
  return own != 0 && NamespaceOf(region, index) == own;
}

}  // namespace

#if defined(__linux__)

std::uint64_t OwnNamespace() {
  struct stat status;
  char boot[9];
  if (stat("/proc/self/ns/pid", &status) != 0) return 0;
  if (!ReadFile("/proc/sys/kernel/random/boot_id", boot, sizeof boot)) return 0;
  return std::uint64_t{std::strtoul(boot, nullptr, 16)} << 32 | static_cast<std::uint32_t>(status.st_ino);
}

#else

std::uint64_t OwnNamespace() {
  return 1;
}

#endif

KernelId OwnKernelId(const Region& region) {
  const std::uint32_t id = OwnId();
  const Proof proof = region.locks() == nullptr         ? Proof::kHook
                      : region.locks()->are_supported() ? Proof::kLock
                                                        : Proof::kKernel;
  return KernelId{Look(id).start_time} << 32 | static_cast<std::uint32_t>(proof) << kIdBits | (id & kIdMask);
}

bool IsGone(KernelId name) {
  return ProofOf(name) == Proof::kKernel && LookAt(name) == Life::kDead;
}

bool IsDead(const Region& region, std::uint32_t index) {
  const KernelId name = NameOf(region, index);
  switch (ProofOf(name)) {
    case Proof::kLock:
      return region.locks() != nullptr && !region.locks()->IsLocked(index);
    case Proof::kHook:
      return region.LoadAcquire(ThreadRecord::At(index) + kThreadState) == kThreadAbandoned;
    case Proof::kKernel:
      if (region.LoadAcquire(ThreadRecord::At(index) + kThreadState) == kThreadAbandoned) return true;
      return IsOfOwnNamespace(region, index) && LookAt(name) == Life::kDead;
    default:
      return false;
  }
}

#if defined(__linux__)

Activity ActivityOf(const Region& region, std::uint32_t index) {
  if (IsDead(region, index) || !IsOfOwnNamespace(region, index)) return {};
  const KernelId name = NameOf(region, index);
  const Sight sight = Look(IdOf(name));
  if (!sight.found || sight.start_time != StartTimeOf(name) || IsOver(sight.state)) return {};
  const auto ticks_a_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return {true, sight.state == 'T' || sight.state == 't', sight.state == 'R',
          std::chrono::nanoseconds(sight.ticks * 1'000'000'000 / ticks_a_second)};
}

#else

Activity ActivityOf(const Region&, std::uint32_t) {
  return {};
}

#endif

Life LifeOf(const Region& region, std::uint32_t index) {
  if (IsDead(region, index)) return Life::kDead;
  const KernelId name = NameOf(region, index);
  if (IsOfOwnNamespace(region, index)) {
    const Life life = LookAt(name);
    // A thread counts as dead only with proof.
    return life == Life::kDead ? Life::kUnknown : life;
  }
  const bool is_elsewhere = ProofOf(name) == Proof::kLock && region.locks() != nullptr &&
                            region.locks()->are_supported() && NamespaceOf(region, index) != 0 && OwnNamespace() != 0;
  return is_elsewhere ? Life::kElsewhere : Life::kUnknown;
}

}  // namespace mapsafe
