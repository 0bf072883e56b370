// Locks by which everybody who has a file sees who else is there: one byte for each thread record, and one for the
// thread that takes over from the dead. They are open file description locks (fcntl(2)): the kernel drops one as soon
// as the last descriptor of the description that took it is closed, so with the process at the latest, in whatever PID
// namespace that was, and shows it to everybody who has the file, in whatever namespace.
//
// Thread safety: all functions may be called from any thread at once.
// Invariants: nobody else has a descriptor of the same description, but for what fork() copies. What is locked here is
// in `own_`, or becomes so under the mutex.
#ifndef MAPSAFE_PLATFORM_RECORD_LOCKS_H_
#define MAPSAFE_PLATFORM_RECORD_LOCKS_H_

#include <bitset>
#include <cstdint>
#include <mutex>

namespace mapsafe {

class RecordLocks {
 public:
  RecordLocks() = default;
  // Drops all locks, even if a child process still has a copy of the descriptor.
  ~RecordLocks();
  RecordLocks(const RecordLocks&) = delete;
  RecordLocks& operator=(const RecordLocks&) = delete;

  // Keeps another descriptor of the description that `descriptor` leads to, which the caller opened for this alone, for
  // reading and writing, and may close. Nothing happens if there is one already. 0 or an errno value.
  int Open(int descriptor);

  // Whether this system has such locks, for this file. If not, only the functions about the reaper are of use.
  bool are_supported();

  // Takes the lock of a record. False if somebody has it, or the kernel gives none.
  bool TryLock(std::uint32_t record);
  void Unlock(std::uint32_t record);
  // The same, after which the descriptor is closed unless a lock is left: for who gives a record back.
  void UnlockAndClose(std::uint32_t record);
  // False only if certainly nobody has it, the callers of TryLock included.
  bool IsLocked(std::uint32_t record);

  // The lock of who takes over from the dead. Where there are no locks of bytes it is that of the whole file
  // (flock(2)), which every system drops in the same way.
  bool TryLockReaper();
  void UnlockReaper();

 private:
  static constexpr std::uint32_t kRecords = 256;  // more than a region has
  static constexpr std::uint32_t kReaper = kRecords;
  static constexpr std::uint32_t kProbe = kRecords + 1;

  bool Probe() const;
  bool Set(int type, std::uint32_t from, std::uint32_t count) const;
  void Drop(std::uint32_t record);
  void Close();

  std::mutex mutex_;
  int descriptor_ = -1;
  bool are_supported_ = false;
  // The kernel does not show a description its own locks, and grants them twice.
  std::bitset<kRecords> own_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_PLATFORM_RECORD_LOCKS_H_
