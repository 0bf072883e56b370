// A file's memory, for regions that several processes share.
//
// Thread safety: all functions may be called from any thread at once. Each returns 0 or an errno value.
//
// On Windows, whose sections follow other rules, they return ENOSYS.
#ifndef MAPSAFE_CORE_MAPPED_FILE_H_
#define MAPSAFE_CORE_MAPPED_FILE_H_

#include <cstddef>

namespace mapsafe {

// Makes an empty file of mode 0600 in `directory` that has no name yet, so that nothing is left of it if this process
// dies. EOPNOTSUPP and others where the system or the file system knows no such files.
int OpenAnonymousFile(const char* directory, int* descriptor);

// Gives an anonymous file its name. EEXIST if there is one already, be it a symbolic link that leads nowhere.
int NameFile(int descriptor, const char* path);

// Makes a file `bytes` long, which it must not exceed, with every block of it allocated: what is not there yet is zero,
// and what is there stays. Nobody else may be writing to it. A store to a mapped page for which the file system finds
// no block raises SIGBUS and so ends the process; this finds out before there is a mapping. ENOSPC if the disk is too
// full; the file may then have any length.
int AllocateFile(int descriptor, std::size_t bytes);

// Maps the first `bytes` bytes, shared and writable. The file must be that long. The mapping outlives the descriptor.
int MapFile(int descriptor, std::size_t bytes, void** base);

// Ends a mapping.
void UnmapFile(void* base, std::size_t bytes);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MAPPED_FILE_H_
