/* Which threads run, and from which state. */

#define OBSERVERS 3

#ifdef SCENARIO_WRAP
#define MODULUS 4
#define START 0
#else
#define MODULUS 128
#define START 4
#endif

inline key_1() {
  put_at(0, 1, 1)
}

inline both_keys() {
  put_at(0, 1, 0);
  put_at(1, 2, 1);
  overflow[0] = true
}

#ifdef SCENARIO_OVERWRITE
#define BLOCKS 2
inline start() {
  put_at(0, 1, 0)
}
inline run_all() {
  run writer(0, 1, 4, 1);
  run writer(1, 1, 6, 1);
  run reader(2, 1, 1)
}
#endif

#ifdef SCENARIO_SPILL
#define BLOCKS 3
inline start() {
  both_keys()
}
inline run_all() {
  run writer(0, 3, 4, 1);
  run reader(2, 2, 1);
  run keeper(1, false)
}
#endif

#ifdef SCENARIO_NEIGHBOUR
#define BLOCKS 4
inline start() {
  both_keys();
  put_at(2, 3, 2)
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run writer(1, 4, 6, 1);
  run reader(2, 4, 1)
}
#endif

#ifdef SCENARIO_NEIGHBOUR_FIRST
#define BLOCKS 4
inline start() {
  put_at(0, 1, 0);
  put_at(1, 3, 2);
  put_at(2, 2, 1);
  overflow[0] = true
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run writer(1, 4, 6, 1);
  run reader(2, 2, 1)
}
#endif

#ifdef SCENARIO_SPLIT
#define BLOCKS 3
inline start() {
  both_keys()
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run reader(2, 2, 1);
  run keeper(1, true)
}
#endif

#ifdef SCENARIO_SPLIT_REUSE
#define BLOCKS 2
#define PUTS_ONLY
inline start() {
  key_1()
}
inline run_all() {
  run writer(0, 2, 4, 2);
  run reader(2, 2, 1);
  run keeper(1, true)
}
#endif

#ifdef SCENARIO_SPLIT_WRITES
#define BLOCKS 2
inline start() {
  key_1()
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run writer(1, 2, 6, 1);
  run keeper(1, true)
}
#endif

#ifdef SCENARIO_NEAR
#define BLOCKS 2
inline start() {
  put_at(0, 1, 0)
}
inline run_all() {
  run writer(0, 1, 4, 2);
  run reader(1, 1, 3)
}
#endif

#ifdef SCENARIO_NEAR_SPLIT
#define BLOCKS 2
inline start() {
  key_1()
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run reader(1, 2, 2);
  run keeper(1, true)
}
#endif

#ifdef SCENARIO_WRAP
#define BLOCKS 2
#define PUTS_ONLY
inline start() {
  put_at(0, 1, 0)
}
inline run_all() {
  run writer(0, 1, 4, 3);
  run reader(1, 1, 2)
}
#endif

/* Two segments, the upper one with the key that moves, whose bucket is ahead of the lower one's. */
inline parted() {
  put_at(3, 2, 1); /* the first slot of the upper one */
  version[2] = START + 4;
  version[3] = START;
  entry_version[2] = (START + 4) / 2;
  last_version[1] = (START + 4) / 2;
  directory = 1;
  directory_entry[1] = 0;
  directory_entry[2] = 1
}

#ifdef SCENARIO_JOIN
#define BLOCKS 3
inline start() {
  put_at(0, 1, 0);
  parted()
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run reader(2, 2, 1);
  run joiner()
}
#endif

#ifdef SCENARIO_JOIN_REUSE
#define BLOCKS 3
#define PUTS_ONLY
inline start() {
  parted()
}
inline run_all() {
  run writer(0, 2, 4, 2);
  run reader(2, 2, 1);
  run joiner()
}
#endif

#ifdef SCENARIO_JOIN_WRITES
#define BLOCKS 3
inline start() {
  put_at(0, 1, 0);
  parted()
}
inline run_all() {
  run writer(0, 2, 4, 1);
  run writer(1, 1, 6, 1);
  run joiner()
}
#endif

#ifdef SCENARIO_MOVE
#define BLOCKS 3
inline start() {
  put_at(0, 1, 0)
}
inline run_all() {
  run writer(0, 1, 4, 1);
  run reader(2, 1, 1);
  run mover()
}
#endif

#ifdef SCENARIO_NEAR_MOVE
#define BLOCKS 3
inline start() {
  put_at(0, 1, 0)
}
inline run_all() {
  run writer(0, 1, 4, 1);
  run reader(1, 1, 2);
  run mover()
}
#endif

/* Puts a key where a write once did. */
inline put_at(at, block, which) {
  slot[at] = block;
  is_free[block] = false;
  entry_key[block] = which;
  entry_value[block] = 1 + which;
  entry_version[block] = START / 2;
  last_version[which] = START / 2;
  version[0] = START;
  version[1] = START;
  current[which] = 1 + which
}
