// The lock under which a file that was copied is looked at before anybody may use it. The kernel drops it with the
// descriptor at the latest, so with the process.
#ifndef MAPSAFE_PLATFORM_COPY_LOCK_H_
#define MAPSAFE_PLATFORM_COPY_LOCK_H_

namespace mapsafe {

// Takes the lock. 0, EAGAIN if another descriptor has it, EBUSY if somebody else has the file open with a thread record
// (where the system has locks of bytes), or what the system says. On Windows ENOSYS.
int LockCopy(int descriptor);

void UnlockCopy(int descriptor);

}  // namespace mapsafe

#endif  // MAPSAFE_PLATFORM_COPY_LOCK_H_
