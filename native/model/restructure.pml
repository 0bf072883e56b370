/* Whole segments; docs/internals/protocol.md, "Cleanup", "Split" and "Join". restructure.cc, cleanup.cc, split.cc, join.cc. */

inline hold_segment() {
  hold(2 * segment);
  hold(2 * segment + 1)
}

inline release_segment(which) {
  release(2 * (which));
  release(2 * (which) + 1)
}

/* Nobody can tell a tombstone from an empty slot, but by writing there, which needs the bucket. */
inline sweep_tombstones() {
  d_step {
    at = SLOTS * segment;
    do
    :: at < SLOTS * (segment + 1) ->
       if
       :: slot[at] >= TOMBSTONE ->
          unlinked = unlinked | (1 << (slot[at] & 15));
          slot[at] = 0
       :: else
       fi;
       at++
    :: else -> break
    od
  }
}

/* After the releases; no live reference to a tombstone's block exists, so it does not matter in which order. */
inline free_all_unlinked() {
  d_step {
    at = 1;
    do
    :: at <= 4 ->
       if
       :: unlinked & (1 << at) -> free_block(at)
       :: else
       fi;
       at++
    :: else -> break
    od;
    at = 0;
    unlinked = 0
  }
}

/* From odd to odd. */
inline step(bucket) {
  version[bucket] = version[bucket] + 2
}

inline move() {
#ifdef MUTANT_BRING_HOME_CLEARS_FIRST
  moved = slot[at];
  slot[at] = 0;
  step(2 * segment);
  slot[SLOTS * segment] = moved;
  moved = 0
#else
  slot[SLOTS * segment] = slot[at];
#ifndef MUTANT_BRING_HOME_WITHOUT_STEP
  step(2 * segment);
#endif
  slot[at] = 0
#endif
}

/* At most one key is spilled. Finding it is one step, since the buckets are held. */
inline bring_home() {
  d_step {
    at = SLOTS * segment + 1;
    if
    :: IS_LIVE(slot[at]) && HOME_OF(entry_key[slot[at]]) == 0
    :: else ->
       at++;
       if
       :: IS_LIVE(slot[at]) && HOME_OF(entry_key[slot[at]]) == 0
       :: else -> at = NOWHERE
       fi
    fi;
    is_in_the_way = (slot[SLOTS * segment] != 0)
  }
  if
  :: at != NOWHERE && !is_in_the_way -> move(); at = NOWHERE
  :: else
  fi;
  overflow[2 * segment] = (at != NOWHERE)
}

inline clean_up() {
  hold_segment();
  sweep_tombstones();
  bring_home();
  release_segment(segment)
}

/* In a segment that no other thread knows yet; with keys brought home. */
inline build_twin() {
  d_step {
#ifdef MUTANT_TWIN_WITHOUT_VERSIONS
    version[2] = 1;
    version[3] = 1;
#else
    version[2] = version[0];
    version[3] = version[1];
#endif
    mutex[1] = true;
    at = 0;
    do
    :: at < SLOTS ->
       if
       :: slot[at] != 0 && MOVES(entry_key[slot[at]]) -> slot[SLOTS] = slot[at]
       :: else
       fi;
       at++
    :: else -> break
    od;
    at = 0
  }
}

/* One key moves: finding it is one step with the store, since the buckets are held. */
inline empty_moved() {
  d_step {
    at = 0;
    do
    :: at < SLOTS ->
       if
       :: slot[at] != 0 && MOVES(entry_key[slot[at]]) -> slot[at] = 0
       :: else
       fi;
       at++
    :: else -> break
    od
  }
}

/* Splits segment 0, which becomes 0 and 1. */
inline split() {
  d_step {
    directory_entry[1] = 0;
    directory_entry[2] = 0
  }
  directory = 1;
  hold_segment();
  sweep_tombstones();
  build_twin();
#ifdef MUTANT_SPLIT_EMPTIES_BEFORE_ASSIGNING
  empty_moved();
  directory_entry[2] = 1;
#else
  directory_entry[2] = 1;
  empty_moved();
#endif
  bring_home();
#ifdef MUTANT_SPLIT_RELEASES_TWIN_FIRST
  release_segment(1);
  mutex[1] = false;
  release_segment(0)
#else
  release_segment(0);
  release_segment(1);
  mutex[1] = false
#endif
}

/* Where the key that moves lies in the upper half; 0 as the reference if it was deleted. One step: the buckets are held. */
inline find_moved() {
  d_step {
    at = SLOTS;
    do
    :: at < 2 * SLOTS && !IS_LIVE(slot[at]) -> at++
    :: else -> break
    od;
    moved = (at < 2 * SLOTS -> slot[at] : 0)
  }
}

/* Home, else the neighbour, where there is room for certain: at most two keys are left. */
inline place_moved() {
  if
  :: moved == 0
  :: moved != 0 && !IS_LIVE(slot[0]) -> slot[0] = moved
  :: else ->
     overflow[0] = true;
     slot[1] = moved
  fi
}

inline take_over_versions() {
#ifndef MUTANT_JOINED_VERSIONS_KEPT
  if
  :: version[2] > version[0] -> version[0] = version[2]
  :: else
  fi;
  if
  :: version[3] > version[1] -> version[1] = version[3]
  :: else
  fi
#else
  skip
#endif
}

inline empty_upper() {
  if
  :: moved != 0 -> slot[at] = 0
  :: else
  fi
}

/* Joins segments 0 and 1, whose mutexes are held: 0 takes the key of 1, which vanishes. */
inline join() {
  segment = 0;
  hold_segment();
  segment = 1;
  hold_segment();
  sweep_tombstones();
  segment = 0;
  sweep_tombstones();
  find_moved();
#ifdef MUTANT_JOIN_EMPTIES_BEFORE_ASSIGNING
  empty_upper();
#endif
#ifndef MUTANT_JOIN_ASSIGNS_BEFORE_PLACING
  place_moved();
#endif
  take_over_versions();
  directory_entry[2] = 0;
#ifdef MUTANT_JOIN_ASSIGNS_BEFORE_PLACING
  place_moved();
#endif
#ifndef MUTANT_JOIN_EMPTIES_BEFORE_ASSIGNING
  empty_upper();
#endif
  at = 0;
  moved = 0;
#ifdef MUTANT_JOIN_RELEASES_LOWER_FIRST
  release_segment(0);
  release_segment(1)
#else
  release_segment(1);
  release_segment(0)
#endif
}

/* A thread that joins two segments, at any time: how full they are makes no difference here. It locks them in the order of hashes. */
proctype joiner() {
  byte segment, at, unlinked, moved;

  atomic {
    !mutex[0];
    mutex[0] = true
  }
  atomic {
    !mutex[1];
    mutex[1] = true
  }
  join();
#ifndef MUTANT_MUTEX_KEPT_AFTER_JOIN
  mutex[1] = false;
#endif
  mutex[0] = false;
  free_all_unlinked()
}

/* A thread that cleans up a segment or splits one: at any time, since a contended segment may be split whether it is full or not. */
proctype keeper(byte keys; bool splits) {
  byte key, array, place, segment, home, at, unlinked, moved;
  bool maps, is_in_the_way;

  pick_key();
  lock_segment();
  atomic {
    array = 0;
    place = 0;
    maps = false
  }
  if
  :: splits -> split()
  :: else -> clean_up()
  fi;
  mutex[segment] = false;
  free_all_unlinked()
}
