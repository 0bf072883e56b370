#ifdef _WIN32

#include "../mapped_file.h"

#include <string>

#include "handles.h"

namespace mapsafe {

namespace {

int Map(int descriptor, std::size_t bytes, DWORD protection, DWORD access, void** base) {
  const HANDLE file = HandleOf(descriptor);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  const auto length = static_cast<std::uint64_t>(bytes);
  const HANDLE section = CreateFileMappingW(file, nullptr, protection, static_cast<DWORD>(length >> 32),
                                            static_cast<DWORD>(length & 0xffffffffu), nullptr);
  if (section == nullptr) return LastError();
  *base = MapViewOfFile(section, access, 0, 0, bytes);
  const int error = *base == nullptr ? LastError() : 0;
  CloseHandle(section);  // the view holds it
  return error;
}

bool Widen(const char* text, std::wstring* wide) {
  const int units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, nullptr, 0);
  if (units <= 0) return false;
  wide->resize(static_cast<std::size_t>(units));
  return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide->data(), units) == units;
}

}  // namespace

int OpenAnonymousFile(const char*, int*) {
  return EOPNOTSUPP;
}

void CloseAnonymousFile(int) {}

int NameFile(int, const char*) {
  return EOPNOTSUPP;
}

// A file that is not sparse has its clusters as soon as its end is set.
int AllocateFile(int descriptor, std::size_t bytes) {
  const HANDLE file = HandleOf(descriptor);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  LARGE_INTEGER length{};
  if (GetFileSizeEx(file, &length) == 0) return LastError();
  if (length.QuadPart == static_cast<LONGLONG>(bytes)) return 0;
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(bytes);
  return SetFileInformationByHandle(file, FileEndOfFileInfo, &end, sizeof end) != 0 ? 0 : LastError();
}

int MapFile(int descriptor, std::size_t bytes, void** base) {
  return Map(descriptor, bytes, PAGE_READWRITE, FILE_MAP_READ | FILE_MAP_WRITE, base);
}

int MapFileForReading(int descriptor, std::size_t bytes, void** base) {
  return Map(descriptor, bytes, PAGE_READONLY, FILE_MAP_READ, base);
}

void UnmapFile(void* base, std::size_t) {
  UnmapViewOfFile(base);
}

int IdentifyFile(int descriptor, std::uint64_t* device, std::uint64_t* inode) {
  const HANDLE file = HandleOf(descriptor);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  BY_HANDLE_FILE_INFORMATION about{};
  if (GetFileInformationByHandle(file, &about) == 0) return LastError();
  *device = about.dwVolumeSerialNumber;
  *inode = std::uint64_t{about.nFileIndexHigh} << 32 | about.nFileIndexLow;
  return 0;
}

int RenameNew(const char* from, const char* to) {
  std::wstring wide_from;
  std::wstring wide_to;
  if (!Widen(from, &wide_from) || !Widen(to, &wide_to)) return EINVAL;
  return MoveFileExW(wide_from.c_str(), wide_to.c_str(), MOVEFILE_WRITE_THROUGH) != 0 ? 0 : LastError();
}

}  // namespace mapsafe

#endif  // _WIN32
