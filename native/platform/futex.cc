#include "futex.h"

#ifdef __linux__
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#endif

namespace mapsafe {

#ifdef __linux__

bool HasFutexes() {
  return true;
}

// Without FUTEX_PRIVATE_FLAG: the word is named by its file and its place there, not by its address.
bool WaitAtFutex(std::uint32_t* word, std::uint32_t value) {
  return syscall(SYS_futex, word, FUTEX_WAIT, value, nullptr, nullptr, 0) == 0 || errno == EAGAIN || errno == EINTR;
}

void WakeAtFutex(std::uint32_t* word) {
  syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

// An old size of 0 leaves the old mapping in its place, and needs no descriptor.
void* MapAgain(void* base, std::size_t bytes) {
  void* const again = mremap(base, 0, bytes, MREMAP_MAYMOVE);
  return again == MAP_FAILED ? nullptr : again;
}

#else

bool HasFutexes() {
  return false;
}

bool WaitAtFutex(std::uint32_t*, std::uint32_t) {
  return false;
}

void WakeAtFutex(std::uint32_t*) {}

void* MapAgain(void*, std::size_t) {
  return nullptr;
}

#endif

}  // namespace mapsafe
