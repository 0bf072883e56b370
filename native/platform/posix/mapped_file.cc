#ifndef _WIN32

#include "../mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace mapsafe {

namespace {

// For file systems that cannot reserve blocks: bytes that were written have blocks. Existing bytes are written once
// more.
int WriteBack(int descriptor, std::size_t bytes) {
  std::array<char, 1 << 16> chunk;
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t wanted = std::min(chunk.size(), bytes - done);
    const ssize_t there = pread(descriptor, chunk.data(), wanted, static_cast<off_t>(done));
    if (there < 0 && errno == EINTR) continue;
    if (there < 0) return errno;
    const auto length = there == 0 ? wanted : static_cast<std::size_t>(there);
    if (there == 0) chunk.fill(0);
    const ssize_t written = pwrite(descriptor, chunk.data(), length, static_cast<off_t>(done));
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return 0;
}

// Returns 0, or the errno value of the system's own way to reserve blocks.
int Reserve(int descriptor, std::size_t bytes) {
#ifdef __APPLE__
  struct stat info;
  // It reserves only beyond the end.
  if (fstat(descriptor, &info) != 0) return errno;
  if (info.st_size > 0) return EOPNOTSUPP;
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

int Map(int descriptor, std::size_t bytes, int protection, void** base) {
  void* const mapped = mmap(nullptr, bytes, protection, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) return errno;
  *base = mapped;
  return 0;
}

}  // namespace

void CloseAnonymousFile(int descriptor) {
  close(descriptor);
}

#ifdef O_TMPFILE

int OpenAnonymousFile(const char* directory, int* descriptor) {
  *descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return *descriptor < 0 ? errno : 0;
}

int NameFile(int descriptor, const char* path) {
  // The way that open(2) describes for users without CAP_DAC_READ_SEARCH; the other needs no /proc.
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) return 0;
  const int error = errno;
  if (error == EEXIST) return error;
  return linkat(descriptor, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0 ? 0 : errno == EEXIST ? EEXIST : error;
}

#else

int OpenAnonymousFile(const char*, int*) {
  return EOPNOTSUPP;
}

int NameFile(int, const char*) {
  return EOPNOTSUPP;
}

#endif  // O_TMPFILE

int AllocateFile(int descriptor, std::size_t bytes) {
  int error;
  do {
    error = Reserve(descriptor, bytes);
  } while (error == EINTR);
  const bool unsupported = error == EOPNOTSUPP || error == ENOTSUP || error == ENOSYS || error == EINVAL;
  return unsupported ? WriteBack(descriptor, bytes) : error;
}

int MapFile(int descriptor, std::size_t bytes, void** base) {
  return Map(descriptor, bytes, PROT_READ | PROT_WRITE, base);
}

int MapFileForReading(int descriptor, std::size_t bytes, void** base) {
  return Map(descriptor, bytes, PROT_READ, base);
}

void UnmapFile(void* base, std::size_t bytes) {
  munmap(base, bytes);
}

int IdentifyFile(int descriptor, std::uint64_t* device, std::uint64_t* inode) {
  struct stat file {};
  if (fstat(descriptor, &file) != 0) return errno;
  *device = static_cast<std::uint64_t>(file.st_dev);
  *inode = static_cast<std::uint64_t>(file.st_ino);
  return 0;
}

int RenameNew(const char*, const char*) {
  return EOPNOTSUPP;  // whoever has links needs no such renaming
}

}  // namespace mapsafe

#endif  // _WIN32
