#include "ticking_clock.h"

#include <node_api.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "../core/base/monotonic.h"
#include "check.h"

namespace mapsafe {

namespace {

// Short beside the time that near hits leave it (src/store/clock.ts); 100 wake-ups a second do not show in a profile.
constexpr std::chrono::milliseconds kTick{10};

// The number that JavaScript reads with plain loads. Aligned, so no load meets half a number.
alignas(64) std::atomic<double> g_now{0};
static_assert(sizeof g_now == sizeof(double) && std::atomic<double>::is_always_lock_free);

// Starts and stops the thread with its users. Never destroyed, since threads may outlive static objects.
class Ticker {
 public:
  static Ticker& Get() {
    static auto* ticker = new Ticker;
    return *ticker;
  }

  void Enter() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (users_++ > 0) return;
    g_now.store(MonotonicMilliseconds(), std::memory_order_relaxed);
    thread_ = std::thread([this, generation = generation_] { Run(generation); });
  }

  void Leave() {
    std::thread ending;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--users_ > 0) return;
      ending = std::move(thread_);
      ++generation_;
    }
    stop_.notify_all();
    ending.join();
  }

 private:
  // The generation is that of its start: a thread that gets a processor late may begin when it should end.
  void Run(std::uint64_t generation) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_.wait_for(lock, kTick, [&] { return generation_ != generation; })) {
      g_now.store(MonotonicMilliseconds(), std::memory_order_relaxed);
    }
  }

  std::mutex mutex_;
  std::condition_variable stop_;
  std::thread thread_;
  std::size_t users_ = 0;
  std::uint64_t generation_ = 0;  // of threads; one that is no longer current ends
};

// One user of the clock. Each has its own address, because Node.js takes no hook twice with the same argument, and a
// thread may load the package more than once.
struct User {
  User() { Ticker::Get().Enter(); }
  ~User() { Ticker::Get().Leave(); }
};

void OnEnvironmentExit(void* user) {
  delete static_cast<User*>(user);
}

}  // namespace

Napi::Value OpenClockFunction(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  napi_value buffer, array;
  const napi_status made =
      napi_create_external_arraybuffer(env, static_cast<void*>(&g_now), sizeof g_now, nullptr, nullptr, &buffer);
  if (made == napi_no_external_buffers_allowed) return info.Env().Null();
  if (!Check(env, made) || !Check(env, napi_create_typedarray(env, napi_float64_array, 1, buffer, 0, &array))) {
    return info.Env().Undefined();
  }
  napi_add_env_cleanup_hook(env, OnEnvironmentExit, new User);
  return {env, array};
}

}  // namespace mapsafe
