#include "engine.h"

#include "base/probes.h"
#include "check/verify.h"
#include "eviction/area.h"
#include "feed/watch.h"
#include "index/expiry.h"
#include "index/lookup.h"
#include "shapes/add_shape.h"
#include "write/cleanup.h"
#include "write/departures.h"
#include "write/increment.h"
#include "write/invalidate.h"
#include "write/label_table.h"
#include "write/write.h"

namespace mapsafe {

std::unique_ptr<Engine> Engine::Attach(void* base, std::size_t bytes, Identity identity, Outcome* outcome,
                                       RecordLocks* locks) {
  const Region region(base, bytes, locks);
  const std::optional<ThreadRecord> thread = ThreadRecord::Attach(region, identity, kEngineNative);
  if (!thread) return nullptr;
  return std::unique_ptr<Engine>(new Engine(region, *thread, outcome));
}

Engine::Engine(Region region, ThreadRecord thread, Outcome* outcome)
    : budget_(region, thread.owner_mark()),
      core_{region,
            thread,
            &budget_,
            FreeLists(region, thread, budget_),
            {region.Load(kHeaderSecret0), region.Load(kHeaderSecret1)},
            {},
            outcome,
            {},
            (region.Load(kHeaderFlags) & kFlagCache) != 0} {
  if (!core_.is_cache || PartitionsOf(region).empty()) return;
  evictor_ = std::make_unique<Evictor>(core_);
  core_.evictor = evictor_.get();
}

namespace {

// Tells tracers of a read. In a function of its own, so that a read without a tracer keeps to one branch.
[[gnu::noinline, gnu::cold]] void TraceRead(const Core& core, const Key& key) {
  const Outcome& outcome = *core.outcome;
  const bool has_value = outcome.status == Status::kFound || outcome.status == Status::kScratchTooSmall;
  probes::KeyGet(core.region, {key.hash, key.words, key.length, has_value ? outcome.length : 0, 0,
                               static_cast<std::int32_t>(outcome.status)});
}

probes::Call CallOf(const Core& core, const Key& key, std::uint32_t value_bytes, std::uint32_t mode) {
  const auto status = static_cast<std::int32_t>(core.outcome->status);
  return {key.hash, key.words, key.length, value_bytes, mode, status};
}

[[gnu::noinline, gnu::cold]] void TracePut(const Core& core, const Key& key, const Value& value, std::uint32_t mode) {
  probes::KeySet(core.region, CallOf(core, key, value.length, mode));
}

[[gnu::noinline, gnu::cold]] void TraceRemove(const Core& core, const Key& key, std::uint32_t mode) {
  probes::KeyDelete(core.region, CallOf(core, key, 0, mode));
}

[[gnu::noinline, gnu::cold]] void TraceIncrement(const Core& core, const Key& key, std::uint32_t mode) {
  probes::KeyIncrement(core.region, CallOf(core, key, sizeof(double), mode));
}

void TellIfFull(const Core& core, const Key& key, std::uint32_t value_bytes) {
  if (core.outcome->status == Status::kFull) [[unlikely]] {
    probes::RegionFull(core.region, key.hash, value_bytes);
  }
}

}  // namespace

Engine::~Engine() {
  Close();
}

void Engine::Hash(Key* key) const {
  key->hash = HalfSipHash(core_.secret, key->words, key->length, key->kind);
}

// Operations that are parts of one call share its budget.
void Engine::BeginCall() {
  HeedDepartures(core_);
  if (core_.outcome->call != 0 && core_.outcome->call == call_) return;
  call_ = core_.outcome->call;
  budget_.Renew();
}

void Engine::Get(const Key& key, std::uint64_t known) {
  BeginCall();
  mapsafe::Get(core_, key, known);
  if (MAPSAFE_IS_TRACED(get)) [[unlikely]] {
    TraceRead(core_, key);
  }
}

void Engine::GetPassing(const Key& key) {
  BeginCall();
  mapsafe::GetPassing(core_, key);
  if (MAPSAFE_IS_TRACED(get)) [[unlikely]] {
    TraceRead(core_, key);
  }
}

void Engine::GetForLoad(const Key& key) {
  BeginCall();
  mapsafe::GetForLoad(core_, key);
  if (MAPSAFE_IS_TRACED(get)) [[unlikely]] {
    TraceRead(core_, key);
  }
}

void Engine::Peek(const Key& key) {
  BeginCall();
  mapsafe::Peek(core_, key);
  if (MAPSAFE_IS_TRACED(get)) [[unlikely]] {
    TraceRead(core_, key);
  }
}

void Engine::Put(const Key& key, const Value& value, std::uint32_t mode, std::uint64_t version) {
  BeginCall();
  PutEntry(core_, key, value, mode, version);
  TellIfFull(core_, key, value.length);
  if (MAPSAFE_IS_TRACED(set)) [[unlikely]] {
    TracePut(core_, key, value, mode);
  }
}

void Engine::Remove(const Key& key, std::uint32_t mode, std::uint64_t version) {
  BeginCall();
  RemoveEntry(core_, key, mode, version);
  if (MAPSAFE_IS_TRACED(delete)) [[unlikely]] {
    TraceRemove(core_, key, mode);
  }
}

double Engine::Increment(const Key& key, double by, double expires_at, std::uint32_t mode) {
  BeginCall();
  const double sum = IncrementEntry(core_, key, by, expires_at, mode);
  TellIfFull(core_, key, sizeof sum);
  if (MAPSAFE_IS_TRACED(increment)) [[unlikely]] {
    TraceIncrement(core_, key, mode);
  }
  return sum;
}

void Engine::Hold(const Key& key) {
  BeginCall();
  HoldKey(core_, key);
  if (core_.held_segment != 0) probes::KeyHold(core_.region, key.hash);
}

void Engine::PutHeld(const Key& key, const Value& value) {
  BeginCall();
  PutHeldEntry(core_, key, value);
  if (MAPSAFE_IS_TRACED(set)) [[unlikely]] {
    TracePut(core_, key, value, kPutIfVersion);
  }
}

void Engine::RemoveHeld(const Key& key) {
  BeginCall();
  RemoveHeldEntry(core_, key);
  if (MAPSAFE_IS_TRACED(delete)) [[unlikely]] {
    TraceRemove(core_, key, kPutIfVersion);
  }
}

void Engine::LetGo() {
  mapsafe::LetGo(core_);
}

void Engine::Watch() {
  BeginCall();
  mapsafe::Watch(core_);
}

void Engine::Unwatch() {
  mapsafe::Unwatch(core_);
}

void Engine::MakeLabelTable(std::uint32_t level) {
  BeginCall();
  mapsafe::MakeLabelTable(core_, level);
}

void Engine::Invalidate(const Key& name, std::uint32_t own, std::uint32_t shared) {
  BeginCall();
  mapsafe::Invalidate(core_, name, own, shared);
}

std::uint32_t Engine::Size() const {
  const Word sum = ThreadRecord::SumOfSizeDeltas(core_.region);
  // A deletion may be counted before another thread's insert of the same entry; callers should never see "minus one".
  return static_cast<std::int32_t>(sum) < 0 ? 0 : sum;
}

std::uint64_t Engine::Clear(std::uint64_t from_hash, std::uint32_t segments) {
  BeginCall();
  return mapsafe::Clear(core_, from_hash, segments);
}

std::uint64_t Engine::Collect(HashRange range, std::uint32_t limit) {
  BeginCall();
  return mapsafe::Collect(core_, range, limit);
}

double Engine::Now() const {
  return mapsafe::Now(core_.region);
}

std::uint64_t Engine::Sweep(std::uint64_t from_hash, std::uint32_t budget) {
  BeginCall();
  return mapsafe::Sweep(core_, from_hash, budget);
}

std::vector<SnapshotPiece> Engine::Snapshot() {
  BeginCall();
  return TakeSnapshot(core_);
}

std::uint32_t Engine::BeginSnapshot() {
  snapshots_.emplace(++snapshot_count_, std::make_unique<SnapshotJob>(core_));
  return snapshot_count_;
}

bool Engine::CopyAhead(std::uint32_t job, std::uint32_t segments) {
  BeginCall();
  const auto found = snapshots_.find(job);
  return found == snapshots_.end() || found->second->CopyAhead(segments);
}

void Engine::FinishSnapshot(std::uint32_t job) {
  BeginCall();
  const auto found = snapshots_.find(job);
  if (found != snapshots_.end()) found->second->Finish();
}

std::vector<SnapshotPiece>* Engine::PiecesOf(std::uint32_t job) {
  const auto found = snapshots_.find(job);
  return found == snapshots_.end() ? nullptr : &found->second->pieces();
}

void Engine::DropSnapshot(std::uint32_t job) {
  snapshots_.erase(job);
}

Status Engine::AddShape(ShapeId parent, const ShapeName& name, ShapeId* id) {
  BeginCall();
  return mapsafe::AddShape(core_, parent, name, id);
}

std::vector<std::string> Engine::Verify() {
  return mapsafe::Verify(core_.region, core_.secret);
}

RepairReport Engine::Repair() {
  BeginCall();
  return mapsafe::Repair(core_);
}

Life Engine::LifeOf(std::uint32_t record) const {
  return mapsafe::LifeOf(core_.region, record);
}

void Engine::Close() {
  if (closed_) return;
  closed_ = true;
  BeginCall();
  LetGo();
  snapshots_.clear();
  core_.blocks.Flush();
  core_.thread.Detach();
  // A load of this thread has no owner any more.
  WakeAllWaiting(core_.region, core_.waker);
}

}  // namespace mapsafe
