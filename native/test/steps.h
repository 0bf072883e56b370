// Ends this process before a chosen store to a region. The C++ core is built with this header included first
// (CMakeLists.txt, mapsafe_mortal_core). What others can see of a thread changes with its stores alone, so a death
// before each of them is a death at every instant.
#ifndef MAPSAFE_TEST_STEPS_H_
#define MAPSAFE_TEST_STEPS_H_

#include <signal.h>

namespace mapsafe::steps {

// Stores until the end; negative: none. Counts down and on.
inline long remaining = -1;

// Called before each store, if there is one.
inline void (*observer)() = nullptr;

inline void BeforeStore() {
  if (observer != nullptr) observer();
  if (remaining-- == 0) raise(SIGKILL);
}

}  // namespace mapsafe::steps

#define MAPSAFE_BEFORE_STORE() ::mapsafe::steps::BeforeStore()

#endif  // MAPSAFE_TEST_STEPS_H_
