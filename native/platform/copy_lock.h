// The lock under which a copied file is examined before any process may use it. The kernel drops it at the latest with
// the descriptor, and so with the process.
#ifndef MAPSAFE_PLATFORM_COPY_LOCK_H_
#define MAPSAFE_PLATFORM_COPY_LOCK_H_

namespace mapsafe {

// Takes the lock. Returns 0; EAGAIN if another descriptor has it; EBUSY if another process has the file open with a
// thread record (where the system has locks of bytes); or the system's error.
int LockCopy(int descriptor);

void UnlockCopy(int descriptor);

}  // namespace mapsafe

#endif  // MAPSAFE_PLATFORM_COPY_LOCK_H_
