// A file's memory, for regions that several processes share.
//
// Thread safety: all functions may be called from any thread at once. Each returns 0 or an errno value.
//
// On Windows, whose sections follow other rules, they return ENOSYS.
#ifndef MAPSAFE_CORE_MAPPED_FILE_H_
#define MAPSAFE_CORE_MAPPED_FILE_H_

#include <cstddef>

namespace mapsafe {

// Takes the exclusive lock of an open file or directory. EWOULDBLOCK if another process has it. The lock ends with the
// descriptor, so a process that dies leaves none.
int LockFile(int descriptor);

// Makes an empty file `bytes` long, zeroed, with every block of it allocated. A store to a mapped page for which the
// file system finds no block raises SIGBUS and so ends the process; this finds out before there is a mapping. ENOSPC if
// the disk is too full; the file may then have any length.
int AllocateFile(int descriptor, std::size_t bytes);

// Maps the first `bytes` bytes, shared and writable. The file must be that long. The mapping outlives the descriptor.
int MapFile(int descriptor, std::size_t bytes, void** base);

// Ends a mapping.
void UnmapFile(void* base, std::size_t bytes);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MAPPED_FILE_H_
