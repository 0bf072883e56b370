/*
 * How a call that waits for a load learns of its end: docs/internals/protocol.md, "Waking". waits.cc, waits.ts, wake_ups.cc,
 * key-load.ts.
 *
 * Two threads wait, each for a key of its own; both keys have the same wait word. Two threads change one key each. A change is
 * a store that stays in the store buffer of its thread until some later moment, or until a fence: without that, the fence would
 * be of no use here. Nobody looks by a timer, so a wake-up that is lost is a deadlock.
 *
 * Scenario WAKE: who waits sleeps at the wait word (Atomics.waitAsync, Atomics.notify). Scenario BELL: a third thread, that of
 * the addon, sleeps at the bell of the file (a futex) and tells those who wait.
 */

#define KEYS 2
#define IS_ODD(value) (((value) & 1) != 0)

/* ---- shared memory ---- */

bool buffered[KEYS]; /* the change was stored, but is not seen yet */
bool changed[KEYS]; /* the change as others see it: the load ended */
byte word; /* the wait word */
byte bell;

/* ---- the system's lists of who sleeps ---- */

bool asleep[KEYS]; /* at the word, or until it is told */
bool watcher_asleep;

bool is_done; /* whether the first thread that waits has seen its change */

/* Puts the store of a key into memory some time. */
proctype Buffer(byte key) {
  atomic {
    buffered[key];
    changed[key] = true;
    buffered[key] = false
  }
}

inline fence(key) {
  !buffered[key]
}

/* ---- scenario BELL: what the addon knows ---- */

bool watches[KEYS];
byte expected[KEYS];

inline tell(key) {
  watches[key] = false;
  asleep[key] = false
}

/* The mutex of the room makes this one step. */
inline compare_words() {
  d_step {
    if
    :: watches[0] && word != expected[0] -> tell(0)
    :: else
    fi;
    if
    :: watches[1] && word != expected[1] -> tell(1)
    :: else
    fi;
    any = watches[0] || watches[1]
  }
}

proctype Watcher() {
  byte seen;
  bool any;
end:
  do
  :: watches[0] || watches[1] ->
#ifdef MUTANT_BELL_READ_AFTER_THE_WORDS
     compare_words();
     seen = bell;
#else
     seen = bell;
     compare_words();
#endif
     if
     :: any ->
        /* A futex compares and sleeps in one step. */
        atomic {
          if
          :: bell == seen -> watcher_asleep = true
          :: else
          fi
        }
end_asleep:
        !watcher_asleep
     :: else
     fi
  od
}

/* ---- who waits ---- */

inline announce() {
#ifdef MUTANT_WAIT_NOT_ANNOUNCED
  value = word;
#else
  atomic {
    word = word | 1;
    value = word
  }
#endif
}

inline sleep_at_word() {
#ifdef SCENARIO_BELL
  /* Under the mutex of the room, too. */
  atomic {
    asleep[key] = true;
    expected[key] = value;
    watches[key] = true;
#ifndef MUTANT_WATCH_WITHOUT_A_LOOK
    if
    :: word != value -> tell(key)
    :: else
    fi
#endif
  }
#else
  atomic {
    if
    :: word == value -> asleep[key] = true
    :: else
    fi
  }
#endif
  !asleep[key]
}

proctype Waiting(byte key) {
  byte value;
  do
  :: changed[key] -> break
  :: else ->
     announce();
#ifdef MUTANT_NO_SECOND_LOOK
     sleep_at_word()
#else
     if
     :: changed[key] -> break
     :: else -> sleep_at_word()
     fi
#endif
  od;
  is_done = is_done || key == 0
}

/* ---- who changes ---- */

inline wake() {
#ifdef SCENARIO_BELL
#ifndef MUTANT_BELL_NOT_CHANGED
  bell++;
#endif
  watcher_asleep = false
#else
#ifdef MUTANT_ONE_WOKEN
  atomic {
    if
    :: asleep[0] -> asleep[0] = false
    :: else -> asleep[1] = false
    fi
  }
#else
  d_step {
    asleep[0] = false;
    asleep[1] = false
  }
#endif
#endif
}

inline look_and_wake() {
  value = word;
  if
  :: IS_ODD(value) ->
#ifdef MUTANT_WORD_NOT_CHANGED
     is_first = true;
#else
     atomic {
       is_first = (word == value);
       if
       :: is_first -> word = value + 1
       :: else
       fi
     }
#endif
     if
     :: is_first -> wake()
     :: else
     fi
  :: else
  fi
}

proctype Changing(byte key) {
  byte value;
  bool is_first;
  /* The second change may come so late that it wakes nobody in the place of the first. */
  if
  :: true
  :: key == 1 -> is_done
  fi;
#ifdef MUTANT_WAKE_BEFORE_THE_CHANGE
  look_and_wake();
  buffered[key] = true
#else
  buffered[key] = true;
#ifndef MUTANT_CHANGE_WITHOUT_FENCE
  fence(key);
#endif
  look_and_wake()
#endif
}

init {
  atomic {
    run Buffer(0);
    run Buffer(1);
    run Waiting(0);
    run Waiting(1);
    run Changing(0);
    run Changing(1)
#ifdef SCENARIO_BELL
    ;
    run Watcher()
#endif
  }
}
