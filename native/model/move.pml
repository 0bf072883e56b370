/* Moving an entry to another block; docs/internals/protocol.md, "Compaction". move.cc, move.ts. */

/* The copy is begun after the home's version was noted, and the swap shows that nothing was written since. */
inline copy_entry() {
  entry_key[copy] = entry_key[block];
  entry_value[copy] = entry_value[block];
  entry_version[copy] = entry_version[block]
}

inline take_to_move() {
#ifdef MUTANT_MOVE_WITHOUT_COMPARE_AND_SWAP
  !IS_ODD(version[0]) -> version[0] = NEXT(version[0]);
  is_held = true
#else
  atomic {
    is_held = (version[0] == home_version);
    if
    :: is_held -> version[0] = NEXT(home_version)
    :: else
    fi
  }
#endif
}

/* A thread that moves the entry of the home of keys 0 and 1, whosever it is. Where it loses the race, the entry stays. */
proctype mover() {
  byte home_version, block, copy, unlinked;
  bool is_held;

  home_version = version[0];
  block = slot[0];
  if
  :: !IS_ODD(home_version) && IS_LIVE(block) && version[0] == home_version -> allocate(copy)
  :: else
  fi;
  if
  :: copy != 0 ->
#ifdef MUTANT_MOVED_BEFORE_COPIED
     take_to_move();
     if
     :: is_held -> slot[0] = copy; copy_entry(); unlinked = block
     :: else
     fi;
#else
     copy_entry();
     take_to_move();
#ifdef MUTANT_MOVED_BLOCK_FREED_BEFORE_THE_SWAP
     if
     :: is_held -> free_block(block)
     :: else
     fi;
#endif
     if
     :: is_held -> slot[0] = copy; unlinked = block
     :: else
     fi;
#endif
#ifdef MUTANT_MOVED_WITHOUT_A_NEW_VERSION
     if
     :: is_held -> version[0] = home_version
     :: else
     fi;
#else
     if
     :: is_held -> release(0)
     :: else
     fi;
#endif
     d_step {
       if
       :: is_held -> free_block(unlinked)
       :: else -> free_block(copy)
       fi;
       unlinked = 0;
       copy = 0;
       block = 0
     }
  :: else
  fi
}
