// std::atomic_ref where the standard library has it (libstdc++ from 10, libc++ from 19), else what the core uses of it,
// over the builtins of GCC and Clang that std::atomic itself is made of.
#ifndef MAPSAFE_CORE_BASE_ATOMIC_REF_H_
#define MAPSAFE_CORE_BASE_ATOMIC_REF_H_

#include <atomic>

namespace mapsafe {

#ifdef __cpp_lib_atomic_ref

template <typename T>
using AtomicRef = std::atomic_ref<T>;

#else

// Each order is a compile-time constant after inlining, as the builtins want it.
template <typename T>
class AtomicRef {
 public:
  explicit AtomicRef(T& object) : object_(&object) {}

  T load(std::memory_order order) const { return __atomic_load_n(object_, Of(order)); }
  void store(T value, std::memory_order order) const { __atomic_store_n(object_, value, Of(order)); }
  T fetch_add(T value, std::memory_order order) const { return __atomic_fetch_add(object_, value, Of(order)); }
  T fetch_or(T value, std::memory_order order) const { return __atomic_fetch_or(object_, value, Of(order)); }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure) const {
    return __atomic_compare_exchange_n(object_, &expected, desired, false, Of(success), Of(failure));
  }

 private:
  static constexpr int Of(std::memory_order order) { return static_cast<int>(order); }

  T* object_;
};

#endif

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_BASE_ATOMIC_REF_H_
