#ifndef _WIN32

#include "../record_locks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace mapsafe {

#ifdef F_OFD_SETLK

namespace {

// A range of bytes far beyond the data of any file, where locks are in no other program's way.
struct flock RangeOf(int type, std::uint32_t from, std::uint32_t count) {
  constexpr std::int64_t kFirstByte = std::int64_t{1} << 62;
  struct flock range {};
  range.l_type = static_cast<decltype(range.l_type)>(type);
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(kFirstByte + from);
  range.l_len = static_cast<off_t>(count);
  return range;
}

}  // namespace

bool RecordLocks::Set(int type, std::uint32_t from, std::uint32_t count) const {
  struct flock range = RangeOf(type, from, count);
  int status;
  do {
    status = fcntl(descriptor_, F_OFD_SETLK, &range);
  } while (status != 0 && errno == EINTR);
  return status == 0;
}

// If another thread has the lock meanwhile, that shows that there are such locks.
bool RecordLocks::Probe() const {
  if (Set(F_WRLCK, kProbe, 1)) return Set(F_UNLCK, kProbe, 1);
  return errno == EAGAIN || errno == EACCES;
}

bool RecordLocks::TryLock(std::uint32_t record) {
  const std::lock_guard lock(mutex_);
  if (!are_supported_ || record >= kRecords || own_[record] || !Set(F_WRLCK, record, 1)) return false;
  own_[record] = true;
  return true;
}

void RecordLocks::Drop(std::uint32_t record) {
  if (record >= kRecords || !own_[record]) return;
  Set(F_UNLCK, record, 1);
  own_[record] = false;
}

bool RecordLocks::IsLocked(std::uint32_t record) {
  const std::lock_guard lock(mutex_);
  if (!are_supported_ || record >= kRecords || own_[record]) return true;
  struct flock range = RangeOf(F_WRLCK, record, 1);
  return fcntl(descriptor_, F_OFD_GETLK, &range) != 0 || range.l_type != F_UNLCK;
}

int RecordLocks::Look(int descriptor, std::uint32_t record) {
  if (record >= kRecords) return -1;
  struct flock range = RangeOf(F_WRLCK, record, 1);
  if (fcntl(descriptor, F_OFD_GETLK, &range) != 0) return -1;
  return range.l_type == F_UNLCK ? 0 : 1;
}

bool RecordLocks::TryLockTakeover() {
  const std::lock_guard lock(mutex_);
  return are_supported_ ? Set(F_WRLCK, kTakeoverLock, 1)
                        : descriptor_ >= 0 && flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
}

void RecordLocks::UnlockTakeover() {
  const std::lock_guard lock(mutex_);
  if (are_supported_) {
    Set(F_UNLCK, kTakeoverLock, 1);
  } else {
    flock(descriptor_, LOCK_UN);
  }
}

void RecordLocks::Close() {
  if (descriptor_ < 0) return;
  if (are_supported_) Set(F_UNLCK, 0, kProbe);
  flock(descriptor_, LOCK_UN);
  close(descriptor_);
  descriptor_ = -1;
  are_supported_ = false;
  own_.reset();
}

#else

bool RecordLocks::Set(int, std::uint32_t, std::uint32_t) const {
  return false;
}

bool RecordLocks::Probe() const {
  return false;
}

bool RecordLocks::TryLock(std::uint32_t) {
  return false;
}

void RecordLocks::Drop(std::uint32_t) {}

bool RecordLocks::IsLocked(std::uint32_t) {
  return true;
}

int RecordLocks::Look(int, std::uint32_t) {
  return -1;
}

bool RecordLocks::TryLockTakeover() {
  const std::lock_guard lock(mutex_);
  return descriptor_ >= 0 && flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
}

void RecordLocks::UnlockTakeover() {
  const std::lock_guard lock(mutex_);
  flock(descriptor_, LOCK_UN);
}

void RecordLocks::Close() {
  if (descriptor_ < 0) return;
  flock(descriptor_, LOCK_UN);
  close(descriptor_);
  descriptor_ = -1;
}

#endif  // F_OFD_SETLK

int RecordLocks::Open(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (descriptor_ >= 0) return 0;
  descriptor_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (descriptor_ < 0) return errno;
  are_supported_ = Probe();
  return 0;
}

}  // namespace mapsafe

#endif  // _WIN32
