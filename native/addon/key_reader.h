// Encodes a JavaScript value as a key of the region format (docs/internals/format.md, "Entry").
//
// Thread safety: none; a KeyReader belongs to one engine. A key read is valid until the next one.
#ifndef MAPSAFE_ADDON_KEY_READER_H_
#define MAPSAFE_ADDON_KEY_READER_H_

#include <node_api.h>

#include <vector>

#include "../core/base/outcome.h"
#include "../core/index/entry.h"
#include "text_buffer.h"

namespace mapsafe {

class KeyReader {
 public:
  // kFound with all of `key` but its hash filled in; kKeyType for a value that cannot be a key; kEntryTooLarge for a
  // key over kMaxKeyBytes.
  Status Read(napi_env env, napi_value value, Key* key);

 private:
  Status ReadNumber(napi_env env, napi_value value, Key* key);
  Status ReadBigint(napi_env env, napi_value value, Key* key);
  Status ReadBoolean(napi_env env, napi_value value, Key* key);
  Status ReadBytes(napi_env env, napi_value value, Key* key);

  TextBuffer text_;
  std::vector<Word> words_;  // keys other than strings
};

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_KEY_READER_H_
