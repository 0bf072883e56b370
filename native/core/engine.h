// The operations on a region, as one thread sees them. docs/internals/protocol.md explains how threads work together;
// src/engine/engine.ts documents each operation's outcome.
//
// Thread safety: an Engine belongs to one thread. Any number of engines may work on one region.
// Invariants: the region was formatted and checked (format.h) and outlives the engine.
#ifndef MAPSAFE_CORE_ENGINE_H_
#define MAPSAFE_CORE_ENGINE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/outcome.h"
#include "check/repair.h"
#include "core.h"
#include "eviction/eviction.h"
#include "index/ahead.h"
#include "index/entry.h"
#include "shapes/shape_table.h"
#include "walk/collect.h"
#include "walk/snapshot.h"

namespace mapsafe {

class Engine {
 public:
  // Takes a thread record; null if all are taken. `outcome` must outlive the engine, and so must `locks`: those of the
  // file that the region is in, or null for the memory of one process.
  static std::unique_ptr<Engine> Attach(void* base, std::size_t bytes, Identity identity, Outcome* outcome,
                                        RecordLocks* locks = nullptr);

  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Word owner_mark() const { return core_.thread.owner_mark(); }

  // Must be called before any operation that copies out, and again when the buffer moves.
  void SetScratch(std::byte* data, std::size_t capacity) { core_.scratch = {data, capacity}; }

  // How this engine wakes threads that wait in a region in the memory of one process; nothing by default.
  void SetWaker(Waker waker) { core_.waker = waker; }

  // Fills in key.hash; keys handed to the operations below must have passed through it.
  void Hash(Key* key) const;

  // Asks for the memory that reads of `keys` are going to need: see ahead.h.
  std::size_t AskAhead(std::span<const Key> keys) { return mapsafe::AskAhead(core_, keys); }

  // Copies the value into the scratch buffer whatever its kind. Status kFound, kAbsent or kScratchTooSmall; kUnchanged,
  // and no copy, if the entry has version `known`.
  void Get(const Key& key, std::uint64_t known = kNoVersion);
  void GetPassing(const Key& key);
  void GetForLoad(const Key& key);
  void Peek(const Key& key);
  void Put(const Key& key, const Value& value, std::uint32_t mode, std::uint64_t version);
  void Remove(const Key& key, std::uint32_t mode, std::uint64_t version);
  double Increment(const Key& key, double by, double expires_at = kNever, std::uint32_t mode = kPutAlways);

  // See write.h. Between Hold with kFound or kAbsent and one of the others, this engine may only read.
  void Hold(const Key& key);
  void PutHeld(const Key& key, const Value& value);
  void RemoveHeld(const Key& key);
  void LetGo();

  // See label_table.h and invalidate.h.
  void MakeLabelTable(std::uint32_t level);
  void Invalidate(const Key& name, std::uint32_t own, std::uint32_t shared);

  // See waits.h.
  Announced Announce(const Key& key) { return AnnounceWait(core_.region, key.hash); }

  // See feed/watch.h.
  void Watch();
  void Unwatch();

  std::uint32_t Size() const;
  // See cleanup.h.
  std::uint64_t Clear(std::uint64_t from_hash = 0, std::uint32_t segments = ~std::uint32_t{0});
  std::uint64_t Collect(HashRange range, std::uint32_t limit);
  std::vector<SnapshotPiece> Snapshot();

  // A snapshot in steps: see SnapshotJob. An unknown job is like one that is over and found nothing.
  std::uint32_t BeginSnapshot();
  bool CopyAhead(std::uint32_t job, std::uint32_t segments);
  void FinishSnapshot(std::uint32_t job);
  std::vector<SnapshotPiece>* PiecesOf(std::uint32_t job);
  void DropSnapshot(std::uint32_t job);

  // The milliseconds since 1970 by which the region's entries expire.
  double Now() const;

  // See cleanup.h.
  std::uint64_t Sweep(std::uint64_t from_hash, std::uint32_t budget);

  // See shape_table.h and add_shape.h.
  std::optional<Shape> ReadShape(ShapeId id) const { return ShapeTable(core_.region).Read(id); }
  Status AddShape(ShapeId parent, const ShapeName& name, ShapeId* id);

  std::vector<std::string> Verify();
  RepairReport Repair();

  // See liveness.h.
  Life LifeOf(std::uint32_t record) const;

  // Gives cached blocks and the thread record back. Idempotent.
  void Close();

 private:
  Engine(Region region, ThreadRecord thread, Outcome* outcome);

  void BeginCall();

  WaitBudget budget_;
  std::uint32_t call_ = 0;  // of the last operation, as Outcome has it
  Core core_;
  std::unique_ptr<Evictor> evictor_;  // in a cache
  std::unordered_map<std::uint32_t, std::unique_ptr<SnapshotJob>> snapshots_;
  std::uint32_t snapshot_count_ = 0;
  bool closed_ = false;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_ENGINE_H_
