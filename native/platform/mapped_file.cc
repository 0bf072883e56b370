#include "mapped_file.h"

#include <cerrno>

#ifdef _WIN32

namespace mapsafe {

int LockFile(int) {
  return ENOSYS;
}

int AllocateFile(int, std::size_t) {
  return ENOSYS;
}

int MapFile(int, std::size_t, void**) {
  return ENOSYS;
}

void UnmapFile(void*, std::size_t) {}

}  // namespace mapsafe

#else

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace mapsafe {

namespace {

// For file systems that cannot reserve blocks: what was written has some.
int WriteZeros(int descriptor, std::size_t bytes) {
  static constexpr std::array<char, 1 << 16> kZeros{};
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t written =
        pwrite(descriptor, kZeros.data(), std::min(kZeros.size(), bytes - done), static_cast<off_t>(done));
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return 0;
}

// 0, or the errno value of the system's own way to reserve blocks.
int Reserve(int descriptor, std::size_t bytes) {
#ifdef __APPLE__
  fstore_t store{};
  store.fst_flags = F_ALLOCATEALL;
  store.fst_posmode = F_PEOFPOSMODE;
  store.fst_length = static_cast<off_t>(bytes);
  if (fcntl(descriptor, F_PREALLOCATE, &store) != 0) return errno;
  return ftruncate(descriptor, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
#else
  return posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
#endif
}

}  // namespace

int LockFile(int descriptor) {
  int status;
  do {
    status = flock(descriptor, LOCK_EX | LOCK_NB);
  } while (status != 0 && errno == EINTR);
  return status == 0 ? 0 : errno;
}

int AllocateFile(int descriptor, std::size_t bytes) {
  int error;
  do {
    error = Reserve(descriptor, bytes);
  } while (error == EINTR);
  const bool unsupported = error == EOPNOTSUPP || error == ENOTSUP || error == ENOSYS || error == EINVAL;
  return unsupported ? WriteZeros(descriptor, bytes) : error;
}

int MapFile(int descriptor, std::size_t bytes, void** base) {
  void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) return errno;
  *base = mapped;
  return 0;
}

void UnmapFile(void* base, std::size_t bytes) {
  munmap(base, bytes);
}

}  // namespace mapsafe

#endif  // _WIN32
