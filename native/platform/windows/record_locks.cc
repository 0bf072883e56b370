#ifdef _WIN32

#include "../record_locks.h"

#include "handles.h"

namespace mapsafe {

namespace {

HANDLE HandleIn(std::intptr_t descriptor) {
  return reinterpret_cast<HANDLE>(descriptor);
}

// Tries of a lock that somebody may look at for a moment (AreLocked).
constexpr int kTries = 100;

bool TryHard(HANDLE file, std::uint32_t at) {
  for (int tries = 0; tries < kTries; ++tries) {
    if (LockBytes(file, at, 1, true)) return true;
    Sleep(0);
  }
  return false;
}

}  // namespace

bool RecordLocks::Probe() const {
  if (LockBytes(HandleIn(descriptor_), kProbe, 1, true)) return UnlockBytes(HandleIn(descriptor_), kProbe, 1);
  return LastError() == EAGAIN;
}

bool RecordLocks::TryLock(std::uint32_t record) {
  const std::lock_guard lock(mutex_);
  if (!are_supported_ || record >= kRecords || own_[record] || !TryHard(HandleIn(descriptor_), record)) return false;
  own_[record] = true;
  return true;
}

void RecordLocks::Drop(std::uint32_t record) {
  if (record >= kRecords || !own_[record]) return;
  UnlockBytes(HandleIn(descriptor_), record, 1);
  own_[record] = false;
}

bool RecordLocks::IsLocked(std::uint32_t record) {
  const std::lock_guard lock(mutex_);
  if (!are_supported_ || record >= kRecords || own_[record]) return true;
  return AreLocked(HandleIn(descriptor_), record, 1);
}

int RecordLocks::Look(int descriptor, std::uint32_t record) {
  const HANDLE file = HandleOf(descriptor);
  if (record >= kRecords || file == INVALID_HANDLE_VALUE) return -1;
  return AreLocked(file, record, 1) ? 1 : 0;
}

bool RecordLocks::TryLockTakeover() {
  const std::lock_guard lock(mutex_);
  return are_supported_ && LockBytes(HandleIn(descriptor_), kTakeoverLock, 1, true);
}

void RecordLocks::UnlockTakeover() {
  const std::lock_guard lock(mutex_);
  if (are_supported_) UnlockBytes(HandleIn(descriptor_), kTakeoverLock, 1);
}

// Drops all locks.
void RecordLocks::Close() {
  if (descriptor_ < 0) return;
  CloseHandle(HandleIn(descriptor_));
  descriptor_ = -1;
  are_supported_ = false;
  own_.reset();
}

// Another file object, which has locks of its own; a duplicate of the handle would share them.
int RecordLocks::Open(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (descriptor_ >= 0) return 0;
  const HANDLE given = HandleOf(descriptor);
  if (given == INVALID_HANDLE_VALUE) return EBADF;
  const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const HANDLE own = ReOpenFile(given, GENERIC_READ | GENERIC_WRITE, shared, 0);
  if (own == INVALID_HANDLE_VALUE) return LastError();
  descriptor_ = reinterpret_cast<std::intptr_t>(own);
  are_supported_ = Probe();
  return 0;
}

}  // namespace mapsafe

#endif  // _WIN32
