// Locks by which every process that has a file sees the threads that use it: one byte for each thread record, and one
// for the thread that does a takeover. They are open file description locks (fcntl(2)), on Windows those of LockFileEx.
// The kernel drops one as soon as the last descriptor of the description that took it is closed, so at the latest with
// the process, whatever its PID namespace. It shows the lock to every process that has the file, in every namespace.
//
// Thread safety: all functions may be called from any thread at once.
// Invariants: no other code has a descriptor of the same description, except for copies that fork() makes. The locks
// taken here are in `own_`, or get there under the mutex.
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

  // Keeps another descriptor of the description that `descriptor` leads to. The caller opened it for this alone, for
  // reading and writing, and may close it. Nothing happens if there is one already. Returns 0 or an errno value.
  int Open(int descriptor);

  // Whether this system has such locks for this file. If not, only the functions for takeover are of use.
  bool are_supported();

  // Whether a thread has the lock of a record of the file that any descriptor leads to, one for reading, too: 1 if so,
  // 0 if certainly none, -1 where that cannot be told. Takes no lock, or one that hinders nobody.
  static int Look(int descriptor, std::uint32_t record);

  // Takes the lock of a record. Returns false if another thread has it, or if the kernel gives none.
  bool TryLock(std::uint32_t record);
  void Unlock(std::uint32_t record);
  // Releases the lock; then closes the descriptor unless a lock is left. For a thread that gives a record back.
  void UnlockAndClose(std::uint32_t record);
  // Drops all locks. Returns whether there were any: whether a thread ended without giving its record back.
  bool DropAll();
  // Returns false only if certainly no thread has it, including callers of TryLock.
  bool IsLocked(std::uint32_t record);

  // The lock of the thread that does a takeover. Where there are no locks of bytes it is that of the whole file
  // (flock(2)), which every system drops in the same way.
  bool TryLockTakeover();
  void UnlockTakeover();

 private:
  static constexpr std::uint32_t kRecords = 256;  // more than a region has
  static constexpr std::uint32_t kTakeoverLock = kRecords;
  static constexpr std::uint32_t kProbe = kRecords + 1;

  bool Probe() const;
  bool Set(int type, std::uint32_t from, std::uint32_t count) const;
  void Drop(std::uint32_t record);
  void Close();

  std::mutex mutex_;
#ifdef _WIN32
  std::intptr_t descriptor_ = -1;  // a HANDLE
#else
  int descriptor_ = -1;
#endif
  bool are_supported_ = false;
  // The kernel does not show a description its own locks, and grants them twice.
  std::bitset<kRecords> own_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_PLATFORM_RECORD_LOCKS_H_
