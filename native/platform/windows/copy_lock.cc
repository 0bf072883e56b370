#ifdef _WIN32

#include "../copy_lock.h"

#include "handles.h"

namespace mapsafe {

namespace {

// As in posix/copy_lock.cc: beyond the bytes that stand for thread records.
constexpr std::uint64_t kCopy = 1024;
constexpr DWORD kRecords = 256;

}  // namespace

int LockCopy(int descriptor) {
  const HANDLE file = HandleOf(descriptor);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  if (!LockBytes(file, kCopy, 1, true)) return LastError();
  if (!AreLocked(file, 0, kRecords)) return 0;
  UnlockBytes(file, kCopy, 1);
  return EBUSY;
}

void UnlockCopy(int descriptor) {
  UnlockBytes(HandleOf(descriptor), kCopy, 1);
}

}  // namespace mapsafe

#endif  // _WIN32
