// Waiting at a word of a mapped file, for all processes that map it: the futexes of Linux. Other systems have none that
// can be used so.
//
// Thread safety: any thread.
#ifndef MAPSAFE_PLATFORM_FUTEX_H_
#define MAPSAFE_PLATFORM_FUTEX_H_

#include <cstddef>
#include <cstdint>

namespace mapsafe {

// Whether this system has them.
bool HasFutexes();

// Sleeps until it is woken, unless the word has another value than `value`; may also return without a reason. False if
// the system refuses to wait at this word.
bool WaitAtFutex(std::uint32_t* word, std::uint32_t value);

// Wakes all threads of all processes that wait at the word.
void WakeAtFutex(std::uint32_t* word);

// Maps the first `bytes` bytes of a shared mapping once more, elsewhere. Null if the system refuses.
void* MapAgain(void* base, std::size_t bytes);

}  // namespace mapsafe

#endif  // MAPSAFE_PLATFORM_FUTEX_H_
