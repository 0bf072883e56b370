#include "record_locks.h"

namespace mapsafe {

RecordLocks::~RecordLocks() {
  Close();
}

bool RecordLocks::are_supported() {
  const std::lock_guard lock(mutex_);
  return are_supported_;
}

void RecordLocks::Unlock(std::uint32_t record) {
  const std::lock_guard lock(mutex_);
  Drop(record);
}

bool RecordLocks::DropAll() {
  const std::lock_guard lock(mutex_);
  const bool any = own_.any();
  Close();
  return any;
}

void RecordLocks::UnlockAndClose(std::uint32_t record) {
  const std::lock_guard lock(mutex_);
  Drop(record);
  if (are_supported_ && own_.none()) Close();
}

}  // namespace mapsafe
