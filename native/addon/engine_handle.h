// Keeps an Engine and the memory it works on alive for as long as JavaScript may call it.
//
// Thread safety: none; a handle belongs to the thread (the Node-API environment) that made it.
// Invariants: while open, strong references hold the region, the result and the scratch buffer, so their memory
// outlives every use; a region in a file is held as a mapping besides, since its buffer is freed early when the
// environment ends. The handle itself lives until the last of the JavaScript functions that point to it was
// collected.
#ifndef MAPSAFE_ADDON_ENGINE_HANDLE_H_
#define MAPSAFE_ADDON_ENGINE_HANDLE_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "../core/engine.h"
#include "key_reader.h"
#include "mapping.h"
#include "text_buffer.h"

namespace mapsafe {

class EngineHandle {
 public:
  // Makes the JavaScript object that implements the interface Engine of src/engine/engine.ts over `words`, an
  // Int32Array; null if every thread record of the region is taken; nullptr with an exception pending if something
  // failed.
  //
  // `is_out_of_reach` is asked whether an empty Uint8Array that is given as a key has lost its memory; undefined for
  // no. `wake` is called with the index of a word at which other threads of this process wait in JavaScript; undefined
  // in a file.
  static napi_value Create(napi_env env, napi_value words, Identity identity, napi_value is_out_of_reach,
                           napi_value wake);

  EngineHandle(const EngineHandle&) = delete;
  EngineHandle& operator=(const EngineHandle&) = delete;

  bool open() const { return engine_ != nullptr; }
  Engine& engine() { return *engine_; }
  Outcome& outcome() { return *outcome_; }
  const Scratch& scratch() const { return scratch_; }

  // Reads and hashes a key. On failure returns false and leaves the reason in the outcome.
  bool ReadKey(napi_env env, napi_value value, Key* key);

  // Reads the arguments of put. Returns false with an exception pending if `value` does not fit `kind`. `is_narrow`: if
  // it is a string, it is known to be Latin-1.
  bool ReadValue(napi_env env, std::uint32_t kind, napi_value value, Value* result, bool is_narrow = false);

  // Reads a string. False with an exception pending if `value` is none. Valid until the next value or text is read.
  bool ReadText(napi_env env, napi_value value, Text* text);

  // The JavaScript value that the engine left in the scratch buffer. If it is of a kind that JavaScript must decode,
  // sets `status` (kFound) to kEncoded and returns undefined.
  napi_value TakeValue(napi_env env, Status* status);

  // Lets values lie in the scratch buffer from `offset` on, until it is 0 again: for batches.
  void StartScratchAt(std::size_t offset);

  // Replaces the scratch buffer of `object` by one of at least `bytes`. False with an exception pending on failure.
  bool GrowScratch(napi_env env, napi_value object, std::size_t bytes);

  // If the scratch buffer is longer than a thread keeps, puts the one before in its place. Idempotent, and does nothing
  // after Close.
  void ShrinkScratch(napi_env env, napi_value object);

  // Gives back what reading a long string took. To be called once a value that ReadValue read is stored.
  void ReleaseText() {
    if (value_text_) value_text_->Shrink();
  }

  // Closes the engine and releases all memory. Idempotent.
  void Close();

 private:
  EngineHandle(napi_env env, Outcome* outcome) : env_(env), outcome_(outcome) {}
  ~EngineHandle() { Close(); }

  static void OnFunctionCollected(napi_env env, void* data, void* hint);
  static void OnEnvironmentExit(void* data);
  bool DefineMethods(napi_env env, napi_value object);
  bool IsOutOfReach(napi_env env, napi_value key);
  static void OnWake(void* data, WordIndex at);

  const napi_env env_;
  Outcome* const outcome_;  // the memory of the Int32Array `result`
  Scratch scratch_{nullptr, 0};
  std::size_t scratch_start_ = 0;
  std::shared_ptr<Mapping> mapping_;  // of a region in a file
  std::unique_ptr<Engine> engine_;
  // Their buffers are returned at once; the handle itself waits for the garbage collector.
  std::optional<KeyReader> keys_{std::in_place};
  std::optional<TextBuffer> value_text_{std::in_place};
  double value_number_ = 0;
  std::size_t functions_ = 0;  // JavaScript functions that point here
  napi_ref words_ref_ = nullptr;
  napi_ref result_ref_ = nullptr;
  napi_ref scratch_ref_ = nullptr;
  // What takes the scratch buffer's place again; null while it has it.
  Scratch kept_scratch_{nullptr, 0};
  napi_ref kept_scratch_ref_ = nullptr;
  napi_ref is_out_of_reach_ref_ = nullptr;
  napi_ref wake_ref_ = nullptr;
  const void* base_ = nullptr;  // of the region
  bool exiting_ = false;        // whether JavaScript has ended
};

}  // namespace mapsafe

#endif  // MAPSAFE_ADDON_ENGINE_HANDLE_H_
