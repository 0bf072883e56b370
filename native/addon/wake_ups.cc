#include "wake_ups.h"

#include <node_api.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "../core/base/geometry.h"
#include "../core/threads/waits.h"
#include "../platform/futex.h"
#include "../platform/mapped_file.h"
#include "check.h"
#include "mapping.h"

namespace mapsafe {

namespace {

// One thread of JavaScript that listens. All but `fired` is guarded by the room's mutex. Freed once Node.js has let go
// of the function.
struct Listener {
  napi_threadsafe_function function = nullptr;
  std::map<WordIndex, Word> watched;  // wait words whose change is to be told, and their values
  std::atomic<bool> fired{false};     // whether a call is under way
};

// Where the header of a file is mapped for the thread that waits. A mapping of its own: it must hold no other, since
// the end of a thread's last mapping shows others that the thread is gone.
class Header {
 public:
  // All wait words and the bell lie before the page table.
  static constexpr std::size_t kBytes = std::size_t{kPageTableBlock} * kBlockBytes;

  explicit Header(void* base) : base_(base) {}
  ~Header() {
    if (base_ != nullptr) UnmapFile(base_, kBytes);
  }
  Header(const Header&) = delete;
  Header& operator=(const Header&) = delete;

  bool mapped() const { return base_ != nullptr; }
  Region region() const { return {base_, kMinRegionBytes}; }  // no word beyond the header is used

 private:
  void* const base_;
};

// The threads of this process that listen to one region.
class Room {
 public:
  // `header` is null in the memory of one process, where nothing is waited for here.
  explicit Room(void* header) : header_(header) {}

  bool in_file() const { return header_.mapped(); }

  void Enter(Listener* listener) {
    const std::lock_guard lock(mutex_);
    if (listeners_.empty() && in_file()) thread_ = std::thread([this] { Run(); });
    listeners_.insert(listener);
  }

  // Returns whether the room is empty now. Its thread has ended then.
  bool Leave(Listener* listener) {
    {
      const std::lock_guard lock(mutex_);
      listeners_.erase(listener);
      if (!listeners_.empty()) return false;
      stopped_ = true;
    }
    if (thread_.joinable()) {
      changed_.notify_all();
      RingBell(header_.region());
      thread_.join();
    }
    return true;
  }

  void Watch(Listener* listener, WordIndex at, Word value) {
    if (!in_file()) return;
    const std::lock_guard lock(mutex_);
    listener->watched[at] = value;
    // A change before this the waiting thread may have overlooked; a later one rings the bell later.
    if (header_.region().LoadAcquire(at) != value) {
      listener->watched.erase(at);
      Fire(listener);
    }
    changed_.notify_all();
  }

  void FireAll() {
    const std::lock_guard lock(mutex_);
    for (Listener* const listener : listeners_) Fire(listener);
  }

 private:
  static void Fire(Listener* listener) {
    if (!listener->fired.exchange(true)) {
      napi_call_threadsafe_function(listener->function, listener, napi_tsfn_nonblocking);
    }
  }

  // The bell is read before the words: who changes a word rings it afterwards, and then the wait does not begin.
  void Run() {
    const Region region = header_.region();
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      const Word bell = region.LoadAcquire(kHeaderBell);
      if (FireChanged(region)) {
        lock.unlock();
        const bool can_wait = WaitAtFutex(region.AddressOf(kHeaderBell), bell);
        lock.lock();
        if (can_wait) continue;
      }
      // Nothing is waited for, or nothing can be.
      changed_.wait(lock);
    }
  }

  // Returns whether a listener still watches a word.
  bool FireChanged(const Region& region) {
    bool any = false;
    for (Listener* const listener : listeners_) {
      const std::size_t changed = std::erase_if(
          listener->watched, [&](const auto& watched) { return region.LoadAcquire(watched.first) != watched.second; });
      if (changed > 0) Fire(listener);
      any = any || !listener->watched.empty();
    }
    return any;
  }

  const Header header_;
  std::mutex mutex_;
  std::condition_variable changed_;  // a word is watched that was not, or the room is empty
  std::set<Listener*> listeners_;
  bool stopped_ = false;
  std::thread thread_;
};

// Device and inode of a file, or the address of other memory.
using RoomName = std::tuple<std::uint64_t, std::uint64_t, const void*>;

struct House {
  std::mutex mutex;
  std::map<RoomName, std::shared_ptr<Room>> rooms;
};

// Never destroyed: threads may outlive static objects.
House& TheHouse() {
  static auto* const house = new House;
  return *house;
}

// What JavaScript has of a listener. Belongs to the thread that made it.
class Listening {
 public:
  // Null where there are no wake-ups, or with an exception pending.
  static std::shared_ptr<Listening> Start(napi_env env, void* base, napi_value on_wake) {
    const std::shared_ptr<Mapping> mapping = Mapping::Find(base);
    if (mapping && !HasFutexes()) return nullptr;
    const RoomName name = mapping ? RoomName{mapping->device(), mapping->inode(), nullptr} : RoomName{0, 0, base};
    House& house = TheHouse();
    const std::lock_guard lock(house.mutex);
    std::shared_ptr<Room> room;
    if (const auto found = house.rooms.find(name); found != house.rooms.end()) {
      room = found->second;
    } else {
      void* const header = mapping ? MapAgain(base, Header::kBytes) : nullptr;
      if (mapping && header == nullptr) return nullptr;
      room = std::make_shared<Room>(header);
    }
    auto* const listener = new Listener;
    napi_value label;
    if (!Check(env, napi_create_string_utf8(env, "mapsafe", NAPI_AUTO_LENGTH, &label)) ||
        !Check(env, napi_create_threadsafe_function(env, on_wake, nullptr, label, 0, 1, listener, OnFinalized, listener,
                                                    Tell, &listener->function))) {
      delete listener;
      return nullptr;
    }
    napi_unref_threadsafe_function(env, listener->function);
    const std::shared_ptr<Listening> listening(new Listening(env, name, listener));
    house.rooms[name] = room;
    room->Enter(listener);
    listening->room_ = room;
    return listening;
  }

  ~Listening() { Close(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  void Watch(WordIndex at, Word value) {
    if (room_ && at < Header::kBytes / sizeof(Word)) room_->Watch(listener_, at, value);
  }

  void Close() {
    if (!room_) return;
    {
      House& house = TheHouse();
      const std::lock_guard lock(house.mutex);
      if (room_->Leave(listener_)) house.rooms.erase(name_);
    }
    room_.reset();
    napi_remove_env_cleanup_hook(env_, OnExit, this);
    // From now on no thread uses the function.
    napi_release_threadsafe_function(listener_->function, napi_tsfn_abort);
  }

 private:
  Listening(napi_env env, RoomName name, Listener* listener) : env_(env), name_(name), listener_(listener) {
    // After the function: hooks run in the reverse order, so this one finds it whole.
    napi_add_env_cleanup_hook(env_, OnExit, this);
  }

  static void OnExit(void* data) { static_cast<Listening*>(data)->Close(); }

  static void OnFinalized(napi_env, void* data, void*) { delete static_cast<Listener*>(data); }

  // Runs in the listener's thread.
  static void Tell(napi_env env, napi_value on_wake, void*, void* data) {
    // Before JavaScript compares the words: a later change calls again.
    static_cast<Listener*>(data)->fired.store(false);
    napi_value undefined;
    if (env == nullptr || napi_get_undefined(env, &undefined) != napi_ok) return;
    napi_call_function(env, undefined, on_wake, 0, nullptr, nullptr);
  }

  const napi_env env_;
  const RoomName name_;
  Listener* const listener_;
  std::shared_ptr<Room> room_;
};

// The address of a region whose words are given as an Int32Array; null if it is none.
void* BaseOf(const Napi::CallbackInfo& info) {
  napi_typedarray_type type;
  void* base = nullptr;
  if (napi_get_typedarray_info(info.Env(), info[0], &type, nullptr, &base, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array) {
    return nullptr;
  }
  return base;
}

Word Number(const Napi::CallbackInfo& info, std::size_t i) {
  return info[i].IsNumber() ? info[i].As<Napi::Number>().Uint32Value() : ~Word{0};
}

}  // namespace

Napi::Value ListenFunction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  void* const base = BaseOf(info);
  if (base == nullptr || !info[1].IsFunction()) {
    Napi::TypeError::New(env, "words must be an Int32Array, onWake a function").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const std::shared_ptr<Listening> listening = Listening::Start(env, base, info[1]);
  if (!listening) return env.Null();
  const Napi::Object object = Napi::Object::New(env);
  object.Set("watch", Napi::Function::New(env, [listening](const Napi::CallbackInfo& info) {
               listening->Watch(Number(info, 0), Number(info, 1));
             }));
  object.Set("close", Napi::Function::New(env, [listening](const Napi::CallbackInfo&) { listening->Close(); }));
  return object;
}

Napi::Value RingBellFunction(const Napi::CallbackInfo& info) {
  void* const base = BaseOf(info);
  if (base != nullptr && Mapping::Find(base)) RingBell({base, kMinRegionBytes});
  return info.Env().Undefined();
}

void WakeListeners(const void* base) {
  House& house = TheHouse();
  const std::lock_guard lock(house.mutex);
  const auto found = house.rooms.find({0, 0, base});
  if (found != house.rooms.end()) found->second->FireAll();
}

}  // namespace mapsafe
