/* Writes of one key; docs/internals/protocol.md, "Write, optimistic" and "Write, structural". write.cc, structural.cc, edit.ts. */

/* How an attempt ended. An optimistic writer goes on at the mutex once it lost a race; that it tries again first adds nothing. */
#define DONE 1
#define STRUCTURAL 2

/*
 * Any free block would do as well as the lowest; there are so few that a block freed is soon another entry. 0 if there is
 * none.
 */
inline allocate(block) {
  d_step {
    if
    :: is_free[1] -> block = 1
    :: is_free[2] -> block = 2
    :: is_free[3] -> block = 3
    :: is_free[4] -> block = 4
    :: else -> block = 0
    fi;
    is_free[block] = false
  }
}

/* Takes a bucket that is even: load and compare-and-swap, of which the last pair that succeeds counts. */
inline hold(bucket) {
  atomic {
    !IS_ODD(version[bucket]);
    version[bucket] = NEXT(version[bucket])
  }
}

inline release(bucket) {
#ifdef SCENARIO_WRAP
#ifdef MUTANT_EPOCH_AFTER_VERSION
  d_step {
    version[bucket] = NEXT(version[bucket]);
    versions_passed++
  }
  if
  :: version[bucket] == 0 -> epoch[bucket]++
  :: else
  fi
#else
  if
#ifndef MUTANT_EPOCH_NOT_RAISED
  :: NEXT(version[bucket]) == 0 -> epoch[bucket]++
#endif
  :: else
  fi;
  d_step {
    version[bucket] = NEXT(version[bucket]);
    versions_passed++
  }
#endif
#elif defined(MUTANT_SKIP_VERSION_BUMP)
  version[bucket] = version[bucket] - 1
#else
  version[bucket] = NEXT(version[bucket])
#endif
}

inline free_block(block) {
  is_free[block] = true
}

/* The version of the entry to publish: that of the home once it is released. */
inline stamp() {
  if
  :: mine != 0 -> entry_version[mine] = (epoch[home] + (NEXT(home_version | 1) == 0)) * (MODULUS / 2) + NEXT(home_version | 1) / 2
  :: else
  fi
}

/* The slot's bucket and the home are held. */
inline apply(at) {
  d_step {
    write_saw_current = (current[key] == saw);
    assert(write_saw_current);
    INVARIANT(held_when_changed, IS_ODD(version[home]) && IS_ODD(version[BUCKET_OF(at)]));
    if
    :: mine != 0 ->
       unlinked = slot[at] & 15;
       slot[at] = mine;
       INVARIANT(version_grows, entry_version[mine] > last_version[key]);
       last_version[key] = entry_version[mine];
       take_effect(key, value)
    :: mine == 0 && leaves_tombstone ->
       slot[at] = slot[at] | TOMBSTONE;
       take_effect(key, ABSENT);
       end_operation(me)
    :: else ->
       unlinked = slot[at];
       slot[at] = 0;
       take_effect(key, ABSENT);
       end_operation(me)
    fi
  }
}

inline free_unlinked() {
  if
  :: unlinked != 0 ->
     d_step {
       INVARIANT(freed_after_release, version[home] != (home_version | 1) && (!has_held_neighbour || version[home + 1] != neighbour_version));
       free_block(unlinked);
       unlinked = 0
     }
  :: else
  fi
}

/* Refused: a delete of an absent key is a read, and has to be as true as one. */
inline refuse() {
  d_step {
    write_saw_current = ((seen[me] & (1 << ABSENT)) != 0);
    assert(write_saw_current);
    end_operation(me);
    outcome = DONE
  }
}

inline see() {
  if
  :: found != NOWHERE -> saw = entry_value[reference]
  :: else -> saw = ABSENT
  fi
}

inline build() {
  entry_key[mine] = key;
  entry_value[mine] = value
}

/* The first slot of a bucket without a live key, or NOWHERE. */
inline find_room(bucket) {
  if
  :: bucket % 2 == 0 -> target = (IS_LIVE(slot[SLOTS * segment]) -> NOWHERE : SLOTS * segment)
  :: else ->
     target = (IS_LIVE(slot[SLOTS * segment + 1]) -> NOWHERE : SLOTS * segment + 1);
     if
     :: target == NOWHERE -> target = (IS_LIVE(slot[SLOTS * segment + 2]) -> NOWHERE : SLOTS * segment + 2)
     :: else
     fi
  fi
}

inline take_and_apply() {
  if
#ifdef MUTANT_HOLD_WITHOUT_COMPARE_AND_SWAP
  :: true ->
     version[home] = NEXT(home_version);
#else
  :: atomic { version[home] == home_version -> version[home] = NEXT(home_version) }
#endif
     apply(target);
#ifdef MUTANT_FREE_BEFORE_RELEASE
     free_unlinked();
#endif
     release(home);
     outcome = DONE
  :: else
  fi
}

inline try_optimistically() {
  locate();
  note_home();
  outcome = STRUCTURAL;
  if
  :: !IS_ODD(home_version) ->
#ifndef MUTANT_WRITE_WITHOUT_DIRECTORY_RECHECK
     still_maps()
#endif
  :: else -> maps = false
  fi;
  if
  :: maps ->
     walk();
     see();
     if
     :: found != NOWHERE && BUCKET_OF(found) == home -> target = found
     :: found == NOWHERE && mine != 0 -> find_room(home)
     :: else -> target = NOWHERE
     fi;
     if
     :: found == NOWHERE && mine == 0 ->
        check_unchanged();
        if
        :: unchanged -> refuse()
        :: else
        fi
     :: target != NOWHERE ->
        others_unchanged();
        if
        :: unchanged -> stamp(); take_and_apply()
        :: else
        fi
     :: else
     fi
  :: else
  fi
}

inline lock_segment() {
  do
  :: true ->
     locate();
     atomic {
       !mutex[segment];
       mutex[segment] = true
     }
     still_maps();
     if
     :: maps -> break
     :: else
#ifndef MUTANT_MUTEX_KEPT_AFTER_SPLIT
        -> mutex[segment] = false
#endif
     fi
  od
}

inline hold_neighbour() {
  hold(home + 1);
  neighbour_version = version[home + 1];
  has_held_neighbour = true
}

inline edit_structurally() {
  lock_segment();
  hold(home);
  note_home();
  /* The home is held, so the key itself stays put; but others may change the neighbour under the walk. */
  do
  :: true ->
     walk();
     see();
     check_unchanged();
     if
     :: unchanged -> break
     :: else
     fi
  od;
  if
  :: found == NOWHERE && mine == 0 -> refuse()
  :: found != NOWHERE ->
     target = found;
     if
     :: BUCKET_OF(found) != home ->
#ifndef MUTANT_WRITER_HOLDS_ONLY_HOME
        hold_neighbour()
#endif
     :: else
     fi
  :: else ->
     find_room(home);
     if
     :: target == NOWHERE && HOME_OF(key) == 0 ->
        hold_neighbour();
        find_room(home + 1);
        if
        :: target != NOWHERE -> overflow[home] = 1
        :: else
        fi
     :: else
     fi
  fi;
  if
  :: outcome != DONE && target != NOWHERE -> stamp(); apply(target)
  :: outcome != DONE && target == NOWHERE -> free_block(mine) /* FULL */
  :: else
  fi;
  if
  :: has_held_neighbour -> release(home + 1)
  :: else
  fi;
  release(home);
  mutex[segment] = false
}

/* One thread that puts (a new value, whatever it sees) or deletes, several times. */
proctype writer(byte me; byte keys; byte value; byte writes) {
  byte key, array, place, segment, home, home_version, neighbour_version, found, reference, saw, mine, target, unlinked;
  byte outcome, observer;
  bool noted, unchanged, maps, leaves_tombstone, has_held_neighbour;

  do
  :: writes > 0 ->
     pick_key();
     if
#ifndef PUTS_ONLY
     :: begin_operation(me, key);
        if
        :: leaves_tombstone = true
        :: leaves_tombstone = false
        fi
#endif
     :: allocate(mine);
        if
        :: mine != 0 ->
#ifndef MUTANT_PUBLISH_BEFORE_BUILT
           build()
#endif
        :: else -> outcome = DONE /* FULL */
        fi
     fi;
     if
     :: outcome != DONE -> try_optimistically()
     :: else
     fi;
     if
     :: outcome == STRUCTURAL -> edit_structurally()
     :: else
     fi;
#ifdef MUTANT_PUBLISH_BEFORE_BUILT
     if
     :: mine != 0 -> build()
     :: else
     fi;
#endif
     free_unlinked();
     d_step {
       writes--;
       value++;
       key = 0; array = 0; place = 0; segment = 0; home = 0; home_version = 0; neighbour_version = 0; found = 0;
       reference = 0; saw = 0; mine = 0; target = 0; unlinked = 0; outcome = 0; noted = false; unchanged = false;
       maps = false; leaves_tombstone = false; has_held_neighbour = false
     }
  :: else -> break
  od
}
