// To be loaded before a program (LD_PRELOAD): each of its threads begins late, as on a machine whose processors are
// taken.
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

namespace {

constexpr useconds_t kDelay = 200'000;

struct Beginning {
  void* (*run)(void*);
  void* argument;
};

void* BeginLate(void* given) {
  auto* beginning = static_cast<Beginning*>(given);
  const Beginning copy = *beginning;
  delete beginning;
  usleep(kDelay);
  return copy.run(copy.argument);
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return create(thread, attributes, BeginLate, new Beginning{run, argument});
}
