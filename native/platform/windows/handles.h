// What the files of this folder share: the handle behind a descriptor of Node.js, and errors as errno values.
#ifndef MAPSAFE_PLATFORM_WINDOWS_HANDLES_H_
#define MAPSAFE_PLATFORM_WINDOWS_HANDLES_H_
#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <cerrno>
#include <cstdint>

namespace mapsafe {

// The handle of a descriptor that Node.js gave; INVALID_HANDLE_VALUE if there is none. Descriptors are numbers of the C
// library inside node.exe, of which this binary has a copy of its own, so libuv has to be asked.
inline HANDLE HandleOf(int descriptor) {
  using Ask = void* (*)(int);
  static const auto ask =
      reinterpret_cast<Ask>(reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), "uv_get_osfhandle")));
  return ask == nullptr ? INVALID_HANDLE_VALUE : static_cast<HANDLE>(ask(descriptor));
}

// The errno value for what the last call of the system refused.
inline int LastError() {
  switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
      return EACCES;
    case ERROR_LOCK_VIOLATION:
    case ERROR_IO_PENDING:
      return EAGAIN;
    case ERROR_INVALID_HANDLE:
      return EBADF;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      return EEXIST;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return ENOSPC;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_COMMITMENT_LIMIT:
      return ENOMEM;
    case ERROR_USER_MAPPED_FILE:
      return EBUSY;
    case ERROR_NOT_SUPPORTED:
    case ERROR_INVALID_FUNCTION:
      return EOPNOTSUPP;
    default:
      return EIO;
  }
}

// Locks of bytes. Those that stand for something lie far beyond the data of any file, where they bar no read or write:
// locks of this system are binding. A lock belongs to the handle that took it, and the system drops it with the handle,
// so at the latest with the process (LockFileEx).
inline constexpr std::uint64_t kFirstLockedByte = std::uint64_t{1} << 62;

inline OVERLAPPED PlaceOfLock(std::uint64_t at) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>((kFirstLockedByte + at) & 0xffffffffu);
  place.OffsetHigh = static_cast<DWORD>((kFirstLockedByte + at) >> 32);
  return place;
}

inline bool LockBytes(HANDLE file, std::uint64_t at, DWORD count, bool exclusively) {
  OVERLAPPED place = PlaceOfLock(at);
  const DWORD flags = LOCKFILE_FAIL_IMMEDIATELY | (exclusively ? LOCKFILE_EXCLUSIVE_LOCK : 0u);
  return LockFileEx(file, flags, 0, count, 0, &place) != 0;
}

inline bool UnlockBytes(HANDLE file, std::uint64_t at, DWORD count) {
  OVERLAPPED place = PlaceOfLock(at);
  return UnlockFileEx(file, 0, count, 0, &place) != 0;
}

// Whether a handle has an exclusive lock of one of these bytes. This system shows no locks, so a shared one is taken
// for a moment; many may look at once, and who wants the exclusive lock meanwhile tries again.
inline bool AreLocked(HANDLE file, std::uint64_t at, DWORD count) {
  if (!LockBytes(file, at, count, false)) return true;
  UnlockBytes(file, at, count);
  return false;
}

}  // namespace mapsafe

#endif  // _WIN32
#endif  // MAPSAFE_PLATFORM_WINDOWS_HANDLES_H_
