/* Reads; docs/internals/protocol.md, "Read" and "Near read". lookup.cc, lookup.ts, near-cache.ts. */

inline pick_key() {
  if
  :: keys & 1 -> key = 0
  :: keys & 2 -> key = 1
  :: keys & 4 -> key = 2
  fi
}

/*
 * Array and entry are two loads, and two again to look whether both still hold. One step each is enough: array 0 never changes
 * again, and after array 1 was published only its entries change, so a pair of loads gives what it would at the second.
 */
inline locate() {
  d_step {
    array = directory;
    place = array + (array && MOVES(key));
    segment = directory_entry[place];
    home = 2 * segment + HOME_OF(key);
    maps = true
  }
}

inline note_home() {
  home_version = version[home]
}

inline still_maps() {
  maps = (directory == array && directory_entry[place] == segment)
}

inline probe(at) {
  if
  :: found == NOWHERE ->
     d_step {
       reference = slot[at];
       if
       :: !IS_LIVE(reference) -> reference = 0
       :: else
       fi
     }
     if
     :: reference == 0
     :: reference != 0 -> found = (entry_key[reference] == key -> at : NOWHERE)
     fi
  :: else
  fi
}

/* Home, then the neighbour if the overflow mark says so. */
inline walk() {
  d_step {
    found = NOWHERE;
    noted = false
  }
  if
  :: HOME_OF(key) == 0 ->
     probe(SLOTS * segment);
     if
     :: found == NOWHERE && overflow[home] ->
        neighbour_version = version[home + 1];
        noted = true;
        probe(SLOTS * segment + 1);
        probe(SLOTS * segment + 2)
     :: else
     fi
  :: else ->
     probe(SLOTS * segment + 1);
     probe(SLOTS * segment + 2)
  fi
}

inline others_unchanged() {
  unchanged = true;
#ifndef MUTANT_READER_VALIDATES_ONLY_HOME
  if
  :: noted -> unchanged = (version[home + 1] == neighbour_version)
  :: else
  fi
#endif
}

/* The neighbour's reload comes second, as in the code. */
inline check_unchanged() {
#ifdef MUTANT_READER_WITHOUT_VALIDATION
  unchanged = true;
#else
  unchanged = (version[home] == home_version);
#endif
  if
  :: unchanged -> others_unchanged()
  :: else
  fi
}

inline look_up() {
  do
  :: true ->
     locate();
     note_home();
     walk();
     if
     :: found != NOWHERE ->
        entry_version_seen = entry_version[reference];
        if
        :: is_known && near_value != ABSENT && near_entry_version == entry_version_seen -> value = near_value
        :: else -> value = entry_value[reference]
        fi;
        check_unchanged()
     :: else ->
        d_step {
          value = ABSENT;
          entry_version_seen = 0
        }
        check_unchanged();
#ifndef MUTANT_MISS_WITHOUT_DIRECTORY_RECHECK
        if
        :: unchanged -> still_maps()
        :: else
        fi
#endif
     fi;
#ifdef MUTANT_READER_WAITS_FOR_EVEN
     unchanged = (unchanged && !IS_ODD(home_version));
#endif
     if
     :: unchanged && maps -> break
     :: else
     fi
  od
}

/* NearCache.store */
inline remember() {
#ifdef MUTANT_NEAR_REMEMBERS_LATE
  home_version = version[home];
#endif
  if
#ifndef MUTANT_NEAR_ACCEPTS_ODD
  :: IS_ODD(home_version)
#endif
  :: else ->
     place = epoch[home];
     if
     :: version[home] == home_version ->
        d_step {
          is_known = true;
          near_home = home;
          near_version = home_version;
          near_epoch = place;
          near_value = value;
          near_entry_version = entry_version_seen
        }
     :: else
     fi
  fi
}

/* One thread that reads one key several times, and remembers what it read. */
proctype reader(byte me; byte keys; byte reads) {
  byte key, array, place, segment, home, home_version, neighbour_version, found, reference, value, entry_version_seen;
  bool noted, unchanged, maps, is_hit;
#ifdef SCENARIO_WRAP
  byte passed;
#endif
  /* the near entry */
  bool is_known;
  byte near_home, near_version, near_epoch, near_value, near_entry_version;

  pick_key();
  do
  :: reads > 0 ->
     begin_operation(me, key);
     is_hit = false;
     if
     :: is_known && version[near_home] == near_version ->
#ifdef MUTANT_EPOCH_IGNORED
        is_hit = true
#else
        is_hit = (epoch[near_home] == near_epoch)
#endif
     :: else
     fi;
     if
     :: is_hit -> value = near_value
     :: else ->
#ifdef SCENARIO_WRAP
        passed = versions_passed;
#endif
        look_up();
        if
        :: reads > 1 -> remember()
        :: else
        fi;
#ifdef SCENARIO_WRAP
        /* Assumed: no version wraps within a lookup. A lookup within which one did is left out. */
        if
        :: versions_passed - passed >= MODULUS / 2 -> break
        :: else
        fi
#endif
     fi;
     atomic {
       read_is_current = ((seen[me] & (1 << value)) != 0);
       assert(read_is_current);
       end_operation(me);
       reads--;
       array = 0; place = 0; segment = 0; home = 0; home_version = 0; neighbour_version = 0; found = 0; reference = 0;
       value = 0; entry_version_seen = 0; noted = false; unchanged = false; maps = false; is_hit = false
     }
  :: else -> break
  od
}
