#ifndef _WIN32

#include "../copy_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace mapsafe {

#ifdef F_OFD_SETLK

namespace {

// Lies beyond the bytes that stand for thread records.
constexpr std::int64_t kFirstRecord = std::int64_t{1} << 62;
constexpr std::int64_t kRecords = 256;
constexpr std::int64_t kCopy = kFirstRecord + 1024;

struct flock RangeOf(int type, std::int64_t from, std::int64_t count) {
  struct flock range {};
  range.l_type = static_cast<decltype(range.l_type)>(type);
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(from);
  range.l_len = static_cast<off_t>(count);
  return range;
}

}  // namespace

int LockCopy(int descriptor) {
  struct flock copy = RangeOf(F_WRLCK, kCopy, 1);
  if (fcntl(descriptor, F_OFD_SETLK, &copy) != 0) return errno == EACCES ? EAGAIN : errno;
  struct flock records = RangeOf(F_WRLCK, kFirstRecord, kRecords);
  const int error = fcntl(descriptor, F_OFD_GETLK, &records) != 0 ? errno : records.l_type == F_UNLCK ? 0 : EBUSY;
  if (error != 0) UnlockCopy(descriptor);
  return error;
}

void UnlockCopy(int descriptor) {
  struct flock copy = RangeOf(F_UNLCK, kCopy, 1);
  fcntl(descriptor, F_OFD_SETLK, &copy);
}

#else

int LockCopy(int descriptor) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return 0;
  return errno == EWOULDBLOCK ? EAGAIN : errno;
}

void UnlockCopy(int descriptor) {
  flock(descriptor, LOCK_UN);
}

#endif  // F_OFD_SETLK

}  // namespace mapsafe

#endif  // _WIN32
