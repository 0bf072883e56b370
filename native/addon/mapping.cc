#include "mapping.h"

#include <mutex>
#include <unordered_map>

#include "../core/threads/waits.h"
#include "../platform/mapped_file.h"

namespace mapsafe {

namespace {

// All mappings of the process by their first byte.
struct Directory {
  std::mutex mutex;
  std::unordered_map<const void*, std::weak_ptr<Mapping>> mappings;
};

// Never destroyed: threads may outlive static objects.
Directory& TheDirectory() {
  static auto* const directory = new Directory;
  return *directory;
}

}  // namespace

std::shared_ptr<Mapping> Mapping::Create(int descriptor, std::size_t bytes, int* error) {
  void* base = nullptr;
  *error = MapFile(descriptor, bytes, &base);
  if (*error != 0) return nullptr;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  *error = IdentifyFile(descriptor, &device, &inode);
  if (*error != 0) {
    UnmapFile(base, bytes);
    return nullptr;
  }
  const std::shared_ptr<Mapping> mapping(new Mapping(base, bytes, device, inode));
  Directory& directory = TheDirectory();
  const std::lock_guard lock(directory.mutex);
  directory.mappings[base] = mapping;
  return mapping;
}

std::shared_ptr<Mapping> Mapping::Find(const void* base) {
  Directory& directory = TheDirectory();
  const std::lock_guard lock(directory.mutex);
  const auto found = directory.mappings.find(base);
  return found == directory.mappings.end() ? nullptr : found->second.lock();
}

Mapping::~Mapping() {
  {
    Directory& directory = TheDirectory();
    const std::lock_guard lock(directory.mutex);
    directory.mappings.erase(base_);
  }
  // A thread that ended in the middle of a load: others who wait for it look at once.
  if (locks_.DropAll()) WakeAllWaiting(Region(base_, bytes_, &locks_), {});
  // Not before: as soon as the memory is unmapped, another thread's mapping may begin here.
  UnmapFile(base_, bytes_);
}

}  // namespace mapsafe
