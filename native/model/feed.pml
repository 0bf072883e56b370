/*
 * The change feed: docs/internals/protocol.md, "Change feed". tell.cc, tell.ts, feed.cc, src/format/feed.ts, src/feed.
 *
 * Writers change two keys and tell of it in a ring that has room for two changes; a watcher begins at some moment, reads the
 * keys, and from then on only what it is told of. A change is a store that stays in the store buffer of its thread until some
 * later moment, or until the fence. Nobody looks by a timer, but for threads that died: so a wake-up that is lost is one change
 * that is never read.
 *
 * Scenario FEED: two writers, the ring is lapped. DEATH: one of the writers dies somewhere, and the watcher takes over.
 * LEAVE: another watcher, the last one so far, leaves as this one comes.
 */

#define KEYS 2
#define RING 2 /* changes */
#define MOST_WAITING 1 /* keys that wait for the reader */
#define NOBODY 0
#define IS_ODD(value) (((value) & 1) != 0)

/* ---- shared memory ---- */

byte value[KEYS]; /* the version that a lookup finds */
byte home[KEYS]; /* the writer that holds it, plus 1 */
byte made[KEYS]; /* the last version made, under the hold */
bool claim[2];
byte ring_key[RING];
byte ring_version[RING];
byte head;
byte reserved;
byte mutex;
byte lost;
byte watched; /* odd: writers tell */
bool watches[2]; /* in the records of the two watchers */
byte word; /* the wait word */
bool asleep;

/* ---- not in memory ---- */

bool buffered[2]; /* a writer's change was stored, but is not seen yet */
byte buffered_key[2];
byte buffered_version[2];
bool is_dead;
byte dead; /* which writer */

/* What the reader knows of the keys. */
byte known[KEYS];

bool read_is_no_older = true; /* whoever was told reads that, or something newer */
bool told_in_order = true; /* each change of a key is newer than what was told of it before */
bool nothing_is_lost = true; /* at rest, the reader knows what is */

/* Puts the stores of a writer into memory some time. */
proctype Buffer(byte me) {
end:
  do
  :: atomic {
       buffered[me] -> value[buffered_key[me]] = buffered_version[me];
       buffered[me] = false
     }
  od
}

/* ---- writers ---- */

#define MAY_DIE if :: is_mortal -> goto died :: true fi

inline store_change() {
  d_step {
    buffered_key[me] = key;
    buffered_version[me] = version;
    buffered[me] = true
  }
}

inline store_in_ring() {
  ring_key[head % RING] = key;
  MAY_DIE;
  ring_version[head % RING] = version
}

inline tell() {
  if
  :: IS_ODD(watched) ->
     has_told = true;
     if
     :: atomic { mutex == NOBODY -> mutex = me + 1 };
        MAY_DIE;
#ifdef MUTANT_RESERVED_AFTER_THE_STORE
        store_in_ring();
        reserved = head + 1;
#else
#ifndef MUTANT_NOTHING_RESERVED
        reserved = head + 1;
#endif
        MAY_DIE;
        store_in_ring();
#endif
        MAY_DIE;
        head = head + 1;
        MAY_DIE;
        mutex = NOBODY
     :: atomic { mutex != NOBODY -> skip }; /* it cannot be had in time */
#ifdef MUTANT_GIVES_UP_IN_SILENCE
        skip
#else
        atomic { lost = lost + 1 }
#endif
     fi
  :: else
  fi
}

inline wake_watchers() {
  if
  :: has_told ->
     has_told = false;
     seen = word;
     if
     :: IS_ODD(seen) ->
        atomic {
          if
          :: word == seen -> word = seen + 1; asleep = false
          :: else
          fi
        }
     :: else
     fi
  :: else
  fi
}

inline release() {
  home[key] = NOBODY;
  MAY_DIE;
  claim[me] = false
}

inline write(k) {
  key = k;
  claim[me] = true;
  atomic { home[key] == NOBODY -> home[key] = me + 1 };
  MAY_DIE;
  made[key] = made[key] + 1;
  version = made[key];
#ifdef MUTANT_TOLD_BEFORE_THE_CHANGE
  tell();
  store_change();
  !buffered[me];
  release();
#else
  store_change();
#ifndef MUTANT_CHANGE_WITHOUT_FENCE
  !buffered[me];
#endif
  MAY_DIE;
#ifdef MUTANT_TOLD_AFTER_THE_RELEASE
  release();
  tell();
#else
  tell();
  MAY_DIE;
  release();
#endif
#endif
  MAY_DIE;
#ifdef MUTANT_WAKES_NOBODY
  has_told = false;
#endif
  wake_watchers()
}

proctype Writer(byte me; byte first; byte writes; bool is_mortal) {
  byte key, version, seen;
  bool has_told;
  write(first);
  if
  :: writes > 1 -> write(1 - first)
  :: else
  fi;
  goto over;
died:
  !buffered[me]; /* the system has put the stores of a thread that is no more into memory */
  d_step {
    dead = me;
    is_dead = true
  }
over:
  skip
}

/* ---- watchers ---- */

inline begin_watching() {
#ifdef MUTANT_WORD_BEFORE_THE_RECORD
  atomic { watched = (watched + 2) | 1 };
  watches[me] = true
#else
  watches[me] = true;
#ifdef MUTANT_WORD_DOES_NOT_GROW
  atomic { watched = watched | 1 }
#else
  atomic { watched = (watched + 2) | 1 }
#endif
#endif
}

proctype Leaving() {
  byte seen;
  watches[1] = false;
  seen = watched;
  if
  :: IS_ODD(seen) ->
     if
     :: watches[0] -> skip
     :: else ->
        if
        :: watches[1] -> skip
        :: else ->
           atomic {
             if
             :: watched == seen -> watched = seen - 1
             :: else
             fi
           }
        fi
     fi
  :: else
  fi
}

inline take_over() {
  /* Several steps there; nobody else sees what lies between, since all of it is held by the dead. */
#ifndef MUTANT_DEATH_NOT_TOLD
  if
  :: claim[dead] -> lost = lost + 1
  :: else
  fi;
#endif
  d_step {
    if
    :: mutex == dead + 1 -> mutex = NOBODY
    :: else
    fi;
    if
    :: home[0] == dead + 1 -> home[0] = NOBODY
    :: else
    fi;
    if
    :: home[1] == dead + 1 -> home[1] = NOBODY
    :: else
    fi;
    claim[dead] = false;
    is_dead = false
  }
}

inline read_all() {
  known[0] = value[0];
  known[1] = value[1]
}

inline miss() {
  waits[0] = false;
  waits[1] = false;
  has_missed = true
}

/* Of a change that the ring had. */
inline add() {
  if
  :: version <= told[key] -> told_in_order = false
  :: else
  fi;
  assert(told_in_order);
  told[key] = version;
  if
  :: waits[key] /* coalesced */
  :: !waits[key] && waits[0] + waits[1] < MOST_WAITING -> waits[key] = true
  :: !waits[key] && waits[0] + waits[1] >= MOST_WAITING ->
#ifdef MUTANT_TOO_MANY_DROPPED
     skip
#else
     miss()
#endif
  fi
}

/* The reader takes what comes next, and looks. */
inline take_next() {
  if
  :: has_missed -> has_missed = false; read_all()
  :: !has_missed && waits[0] -> waits[0] = false; look(0)
  :: !has_missed && !waits[0] && waits[1] -> waits[1] = false; look(1)
  fi
}

inline look(k) {
  version = told[k];
  known[k] = value[k];
  if
  :: known[k] < version -> read_is_no_older = false
  :: else
  fi;
  assert(read_is_no_older)
}

inline read_ring() {
  if
  :: lost != lost_seen ->
     lost_seen = lost;
     miss()
  :: lost == lost_seen && head != position ->
     key = ring_key[position % RING];
     version = ring_version[position % RING];
     if
     :: reserved - position > RING ->
        position = head;
#ifndef MUTANT_OVERTAKEN_IN_SILENCE
        miss()
#endif
     :: else ->
        position = position + 1;
        add()
     fi
  :: lost == lost_seen && head == position -> skip
  fi
}

proctype Watcher(byte me) {
  byte position, lost_seen, key, version, seen;
  byte told[KEYS];
  bool waits[KEYS];
  bool has_missed;
#ifdef MUTANT_READ_BEFORE_IT_WATCHES
  read_all();
  begin_watching();
#else
  begin_watching();
#endif
  position = head;
  lost_seen = lost;
#ifndef MUTANT_READ_BEFORE_IT_WATCHES
  read_all();
#endif
  do
  :: has_missed || waits[0] || waits[1] -> take_next()
  :: true ->
     atomic { word = word | 1; seen = word };
#ifdef MUTANT_NO_SECOND_LOOK
     if
     :: false -> skip
#else
     if
     :: head != position || lost != lost_seen -> read_ring()
#endif
     :: else ->
        atomic {
          if
          :: word == seen -> asleep = true
          :: else
          fi
        };
end_asleep:
        if
        :: !asleep
        :: asleep && (has_missed || waits[0] || waits[1]) -> take_next(); goto end_asleep
        :: asleep && is_dead -> take_over(); asleep = false
        fi;
        read_ring()
     fi
  od
}

/* Once nothing moves any more. */
proctype Monitor() {
  timeout;
  nothing_is_lost = (known[0] == value[0] && known[1] == value[1] && !is_dead);
  assert(nothing_is_lost)
}

init {
  atomic {
    run Buffer(0);
    run Buffer(1);
    run Monitor();
#ifdef SCENARIO_FEED
    run Writer(0, 0, 2, false);
    run Writer(1, 0, 1, false);
#endif
#ifdef SCENARIO_DEATH
    run Writer(0, 0, 1, true);
    run Writer(1, 0, 1, false);
#endif
#ifdef SCENARIO_LEAVE
    watches[1] = true;
    watched = 3;
    run Leaving();
    run Writer(0, 0, 1, false);
#endif
    run Watcher(0)
  }
}
