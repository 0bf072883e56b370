// Probes (USDT) of provider `mapsafe`: places that a tracer, such as bpftrace or gdb, can watch in a running process.
// docs/guide/23-probes.md lists them with their arguments; a test compares that list with the built binary.
//
// A probe is a `nop` and a note in the ELF section .note.stapsdt, which says where the nop is and in which registers
// the arguments are. A tracer puts a breakpoint in place of the nop. A probe that lies in every call also has a
// semaphore: a word that is 0 until a tracer counts it up, so that the probe costs one branch. Elsewhere than on Linux,
// and with MAPSAFE_NO_PROBES, there are no probes.
//
// Arguments are 64 bits wide. The first is the address of the region, which tells the maps of a process apart.
//
// Thread safety: probes only read.
#ifndef MAPSAFE_CORE_PROBES_H_
#define MAPSAFE_CORE_PROBES_H_

#include <cstdint>

#include "base/region.h"

#if defined(__linux__) && defined(__ELF__) && defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__)) && \
    !defined(MAPSAFE_NO_PROBES)

// How many tracers watch a probe: see probes.cc. The notes name these words, so the words have names of C.
extern "C" {
[[gnu::visibility("hidden")]] extern volatile std::uint16_t mapsafe_traced_get;
[[gnu::visibility("hidden")]] extern volatile std::uint16_t mapsafe_traced_set;
[[gnu::visibility("hidden")]] extern volatile std::uint16_t mapsafe_traced_delete;
[[gnu::visibility("hidden")]] extern volatile std::uint16_t mapsafe_traced_increment;
}
#define MAPSAFE_IS_TRACED(call) (mapsafe_traced_##call != 0)

// A note begins with the lengths of its name and of its content, and its type. The content: where the nop is, where the
// section .stapsdt.base is (which shows by how much a tool has moved the binary), the semaphore or 0, and three texts.
#define MAPSAFE_PROBE_NOTE(name, semaphore, arguments, ...) \
  asm volatile(                                             \
      "771: nop\n"                                          \
      ".pushsection .note.stapsdt,\"?\",\"note\"\n"         \
      ".balign 4\n"                                         \
      ".4byte 773f - 772f, 775f - 774f, 3\n"                \
      "772: .asciz \"stapsdt\"\n"                           \
      "773: .balign 4\n"                                    \
      "774: .8byte 771b, mapsafe_probes_base, " semaphore   \
      "\n"                                                  \
      ".asciz \"mapsafe\"\n"                                \
      ".asciz \"" name                                      \
      "\"\n"                                                \
      ".asciz \"" arguments                                 \
      "\"\n"                                                \
      "775: .balign 4\n"                                    \
      ".popsection\n" ::__VA_ARGS__)
#define MAPSAFE_OPERAND(value) "r"(static_cast<std::uint64_t>(value))

#define MAPSAFE_PROBE_1(name, a) MAPSAFE_PROBE_NOTE(name, "0", "8@%0", MAPSAFE_OPERAND(a))
#define MAPSAFE_PROBE_2(name, a, b) MAPSAFE_PROBE_NOTE(name, "0", "8@%0 8@%1", MAPSAFE_OPERAND(a), MAPSAFE_OPERAND(b))
#define MAPSAFE_PROBE_3(name, a, b, c) \
  MAPSAFE_PROBE_NOTE(name, "0", "8@%0 8@%1 8@%2", MAPSAFE_OPERAND(a), MAPSAFE_OPERAND(b), MAPSAFE_OPERAND(c))
#define MAPSAFE_CALL_PROBE(name, semaphore, region, call)                                                            \
  MAPSAFE_PROBE_NOTE(name, semaphore, "8@%0 8@%1 8@%2 8@%3 8@%4 8@%5 -8@%6", MAPSAFE_OPERAND(region),                \
                     MAPSAFE_OPERAND(call.hash), MAPSAFE_OPERAND(reinterpret_cast<std::uintptr_t>(call.key)),        \
                     MAPSAFE_OPERAND(call.key_bytes), MAPSAFE_OPERAND(call.value_bytes), MAPSAFE_OPERAND(call.mode), \
                     MAPSAFE_OPERAND(call.status))

#else

#define MAPSAFE_IS_TRACED(call) false
#define MAPSAFE_PROBE_1(name, a) static_cast<void>(a)
#define MAPSAFE_PROBE_2(name, a, b) static_cast<void>(a), static_cast<void>(b)
#define MAPSAFE_PROBE_3(name, a, b, c) static_cast<void>(a), static_cast<void>(b), static_cast<void>(c)
#define MAPSAFE_CALL_PROBE(name, semaphore, region, call) static_cast<void>(region), static_cast<void>(call)

#endif

namespace mapsafe::probes {

inline std::uintptr_t RegionAddress(const Region& region) {
  return reinterpret_cast<std::uintptr_t>(region.AddressOf(0));
}

// A segment became two. `depth`: of both halves.
inline void SegmentSplit(const Region& region, Block segment, Word depth) {
  MAPSAFE_PROBE_3("segment__split", RegionAddress(region), segment, depth);
}

// `depth`: of the new directory, which has 2 to that power entries.
inline void DirectoryDouble(const Region& region, Word depth) {
  MAPSAFE_PROBE_2("directory__double", RegionAddress(region), depth);
}

// A cache gave an entry up to make room.
inline void EntryEvict(const Region& region, std::uint32_t hash) {
  MAPSAFE_PROBE_2("entry__evict", RegionAddress(region), hash);
}

// An entry whose time had passed was removed, or replaced.
inline void EntryExpire(const Region& region, std::uint32_t hash) {
  MAPSAFE_PROBE_2("entry__expire", RegionAddress(region), hash);
}

// A call waits for another thread, and short spinning did not help. `kind`: of Obstacle. `at`: its word.
inline void WaitBegin(const Region& region, std::uint32_t kind, WordIndex at) {
  MAPSAFE_PROBE_3("wait__begin", RegionAddress(region), kind, at);
}

inline void WaitEnd(const Region& region, std::uint32_t kind, WordIndex at) {
  MAPSAFE_PROBE_3("wait__end", RegionAddress(region), kind, at);
}

// This thread finished what a dead one was doing. `record`: index of the dead thread's record.
inline void ThreadTakeover(const Region& region, std::uint32_t record) {
  MAPSAFE_PROBE_2("thread__takeover", RegionAddress(region), record);
}

inline void SnapshotBegin(const Region& region) {
  MAPSAFE_PROBE_1("snapshot__begin", RegionAddress(region));
}

// `entries`: 0 also if the snapshot failed.
inline void SnapshotEnd(const Region& region, std::uint32_t entries) {
  MAPSAFE_PROBE_2("snapshot__end", RegionAddress(region), entries);
}

// A load began: it holds the key's place.
inline void LeaseTake(const Region& region, std::uint32_t hash) {
  MAPSAFE_PROBE_2("lease__take", RegionAddress(region), hash);
}

// A load's place was taken by a value, or given back.
inline void LeaseEnd(const Region& region, std::uint32_t hash) {
  MAPSAFE_PROBE_2("lease__end", RegionAddress(region), hash);
}

// A deletion met a load, whose value will not be stored.
inline void LeaseLapse(const Region& region, std::uint32_t hash) {
  MAPSAFE_PROBE_2("lease__lapse", RegionAddress(region), hash);
}

// A write failed for want of room. `bytes`: of the value.
inline void RegionFull(const Region& region, std::uint32_t hash, std::uint32_t bytes) {
  MAPSAFE_PROBE_3("region__full", RegionAddress(region), hash, bytes);
}

// A thread holds a key's segment while JavaScript makes the next value: what `update` does after many lost races.
inline void KeyHold(const Region& region, std::uint32_t hash) {
  MAPSAFE_PROBE_2("key__hold", RegionAddress(region), hash);
}

// One call about a key, at its end.
struct Call {
  std::uint32_t hash;
  const Word* key;  // the key's bytes
  std::uint32_t key_bytes;
  std::uint32_t value_bytes;  // 0 for none
  std::uint32_t mode;         // conditions and flags of a write, see outcome.h
  std::int32_t status;        // see Status
};

inline void KeyGet(const Region& region, const Call& call) {
  MAPSAFE_CALL_PROBE("key__get", "mapsafe_traced_get", RegionAddress(region), call);
}

inline void KeySet(const Region& region, const Call& call) {
  MAPSAFE_CALL_PROBE("key__set", "mapsafe_traced_set", RegionAddress(region), call);
}

inline void KeyDelete(const Region& region, const Call& call) {
  MAPSAFE_CALL_PROBE("key__delete", "mapsafe_traced_delete", RegionAddress(region), call);
}

inline void KeyIncrement(const Region& region, const Call& call) {
  MAPSAFE_CALL_PROBE("key__increment", "mapsafe_traced_increment", RegionAddress(region), call);
}

}  // namespace mapsafe::probes

#endif  // MAPSAFE_CORE_PROBES_H_
