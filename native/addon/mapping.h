// A mapped file, held together by the ArrayBuffer that shows it and by the engines that work on it: when an environment
// ends, Node.js frees its external buffers before it runs the clean-up hooks that close engines.
//
// Thread safety: all functions may be called from any thread at once.
#ifndef MAPSAFE_ADDON_MAPPING_H_
#define MAPSAFE_ADDON_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "../platform/record_locks.h"

namespace mapsafe {

class Mapping {
 public:
  // Maps the first `bytes` bytes of a file. Empty with an errno value in `error` if the system refuses.
  static std::shared_ptr<Mapping> Create(int descriptor, std::size_t bytes, int* error);

  // The mapping that begins at `base`; empty if that is other memory.
  static std::shared_ptr<Mapping> Find(const void* base);

  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void* base() const { return base_; }
  std::size_t bytes() const { return bytes_; }
  // Name the file within the system: device and inode.
  std::uint64_t device() const { return device_; }
  std::uint64_t inode() const { return inode_; }
  // Those of the file, once they are opened.
  RecordLocks& locks() { return locks_; }

 private:
  Mapping(void* base, std::size_t bytes, std::uint64_t device, std::uint64_t inode)
      : base_(base), bytes_(bytes), device_(device), inode_(inode) {}

  void* const base_;
  const std::size_t bytes_;
  const std::uint64_t device_;
  const std::uint64_t inode_;
  RecordLocks locks_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_MAPPING_H_
