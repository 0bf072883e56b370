// A file's memory, for regions that several processes share.
//
// Descriptors are those of Node.js. Each function returns 0 or an errno value.
//
// Thread safety: all functions may be called from any thread at once.
#ifndef MAPSAFE_CORE_MAPPED_FILE_H_
#define MAPSAFE_CORE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>

namespace mapsafe {

// Makes an empty file of mode 0600 in `directory` that has no name yet, so that nothing is left of it if this process
// dies. EOPNOTSUPP or another error if the system or the file system has no such files.
int OpenAnonymousFile(const char* directory, int* descriptor);

// Closes the descriptor of an anonymous file. For runtimes whose own functions take no descriptor but those they made.
void CloseAnonymousFile(int descriptor);

// Gives an anonymous file its name. EEXIST if the name exists already, even as a symbolic link that leads nowhere.
int NameFile(int descriptor, const char* path);

// Makes a file `bytes` long, which must not be longer already, with every block of it allocated: new bytes are zero,
// and existing bytes stay. No other process may write to it meanwhile. A store to a mapped page for which the file
// system finds no block raises SIGBUS and so ends the process; this finds out before there is a mapping. ENOSPC if the
// disk is too full; the file may then have any length.
int AllocateFile(int descriptor, std::size_t bytes);

// Maps the first `bytes` bytes, shared and writable. The file must be that long. The mapping outlives the descriptor.
int MapFile(int descriptor, std::size_t bytes, void** base);

// The same, to be read alone, through a descriptor that may be one for reading: a store to it ends the process.
int MapFileForReading(int descriptor, std::size_t bytes, void** base);

// Ends a mapping.
void UnmapFile(void* base, std::size_t bytes);

// The numbers that name an open file within the system.
int IdentifyFile(int descriptor, std::uint64_t* device, std::uint64_t* inode);

// Renames a file that may be open and mapped, unless the new name is taken: EEXIST. Both paths are UTF-8. EOPNOTSUPP
// except on Windows, where the second link to a mapped file cannot be removed.
int RenameNew(const char* from, const char* to);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_MAPPED_FILE_H_
