// The module's functions for files. Each returns 0 or an errno value, except that openAnonymousFile returns a
// descriptor or a negative errno value, and mapFile an ArrayBuffer if it succeeds.
#ifndef MAPSAFE_ADDON_FILE_FUNCTIONS_H_
#define MAPSAFE_ADDON_FILE_FUNCTIONS_H_

#include <napi.h>

namespace mapsafe {

// openAnonymousFile(directory)
Napi::Value OpenAnonymousFileFunction(const Napi::CallbackInfo& info);

// closeAnonymousFile(descriptor). Returns nothing.
Napi::Value CloseAnonymousFileFunction(const Napi::CallbackInfo& info);

// nameFile(descriptor, path)
Napi::Value NameFileFunction(const Napi::CallbackInfo& info);

// renameNew(from, to)
Napi::Value RenameNewFunction(const Napi::CallbackInfo& info);

// allocateFile(descriptor, bytes)
Napi::Value AllocateFileFunction(const Napi::CallbackInfo& info);

// lockCopy(descriptor)
Napi::Value LockCopyFunction(const Napi::CallbackInfo& info);

// unlockCopy(descriptor). Returns nothing.
Napi::Value UnlockCopyFunction(const Napi::CallbackInfo& info);

// mapFile(descriptor, bytes). The mapping ends when the ArrayBuffer was collected and the engines on it were closed.
Napi::Value MapFileFunction(const Napi::CallbackInfo& info);

// mapFileForReading(descriptor, bytes). As mapFile, but a store to the buffer ends the process, and no engine works on
// it.
Napi::Value MapFileForReadingFunction(const Napi::CallbackInfo& info);

// lookAtRecordLock(descriptor, record): 1 if somebody has it, 0 if certainly nobody, -1 where that is not to be told.
Napi::Value LookAtRecordLockFunction(const Napi::CallbackInfo& info);

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_FILE_FUNCTIONS_H_
