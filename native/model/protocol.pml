/*
 * The protocol of docs/internals/protocol.md as a model for spin: reads, near reads, writes, deletes, cleanup, split, join, moves. README.md says
 * what it checks, what it leaves out, and how scripts/model.js runs it.
 *
 * The map is as small as can be without losing a case:
 *
 *   keys      0 and 1 share the home bucket 0, which has one slot, so that one of them spills to the neighbour, bucket 1.
 *             Key 2 has its home there: bucket 1 is at once where keys spill to and what optimistic writers take.
 *             Key 1 moves to the twin in a split.
 *   blocks    as few as the live keys need and one or two more, and any free one may be the next allocated: what is
 *             freed too early is soon another key's entry
 *   segments  0, and 1 once it was split off or until they are joined
 *
 * One statement is one access to shared memory, and all interleavings are looked at. Steps are put together (d_step)
 * where no thread could notice: local steps, steps on a block or segment that no other thread knows yet, and the
 * bookkeeping of the properties, whose variables the protocol does not have.
 *
 * A scenario (-DSCENARIO_...) says which threads run; a mutant (-DMUTANT_...) breaks one rule.
 */

#include "scenarios.pml"

#define SLOTS 3 /* of a segment: 0 is the home's, 1 and 2 are the neighbour's */
#define NOWHERE 99
#define TOMBSTONE 16
#define NO_KEY 3
#define ABSENT 0 /* as a value */

#define IS_LIVE(reference) ((reference) != 0 && (reference) < TOMBSTONE)
#define HOME_OF(key) ((key) == 2)
#define MOVES(key) ((key) == 1)
#define BUCKET_OF(at) (2 * ((at) / SLOTS) + ((at) % SLOTS != 0))
#define IS_ODD(word) (((word) & 1) != 0)
#define NEXT(word) (((word) + 1) % MODULUS)

/* ---- shared memory ---- */

byte directory; /* the current array: 0 has one entry, 1 has two */
byte directory_entry[3]; /* array 0's, then array 1's */
bool mutex[2]; /* by segment, as everything below is by segment and then by bucket or slot */
byte version[4];
byte epoch[4];
bool overflow[4]; /* "15 or more" is 1 already */
byte slot[6];
byte entry_key[5];
byte entry_value[5];
byte entry_version[5];
bool is_free[5];

/* ---- what the properties are about; no step of the protocol reads it ---- */

byte current[3]; /* the value of each key since the last write took effect */
byte watched[OBSERVERS]; /* the key of an operation under way, or NO_KEY */
short seen[OBSERVERS]; /* the values that the key had since the operation began, as bits */
byte last_version[3]; /* of the last entry of each key */
#ifdef SCENARIO_WRAP
byte versions_passed; /* releases of the one bucket */
#endif

/* Each property is a variable, so that spin names the one that fails. */
bool read_is_current = true; /* a read returns what the key had at an instant between its beginning and its end */
bool write_saw_current = true; /* what a write or a refused write saw was true when it took effect */
bool version_grows = true; /* invariants 4 and 6 */
bool held_when_changed = true; /* invariants 1 and 2 */
bool freed_after_release = true; /* invariant 3 */
bool ends_sound = true;

/* With OBSERVABLE_ONLY a mutant must show in what a caller gets. */
#ifdef OBSERVABLE_ONLY
#define INVARIANT(name, condition) skip
#else
#define INVARIANT(name, condition) name = (condition); assert(name)
#endif

inline begin_operation(observer, key) {
  d_step {
    watched[observer] = key;
    seen[observer] = 1 << current[key]
  }
}

inline end_operation(observer) {
  watched[observer] = NO_KEY;
  seen[observer] = 0
}

/* The instant at which a write takes effect; in the d_step of the store that makes it visible. */
inline take_effect(key, value) {
  current[key] = value;
  observer = 0;
  do
  :: observer < OBSERVERS ->
     if
     :: watched[observer] == key -> seen[observer] = seen[observer] | (1 << value)
     :: else
     fi;
     observer++
  :: else -> break
  od;
  observer = 0
}

#include "lookup.pml"
#include "write.pml"
#include "restructure.pml"
#include "move.pml"

init {
  byte at, found, key;
  atomic {
    watched[0] = NO_KEY;
    key = 1;
    do
    :: key < OBSERVERS -> watched[key] = NO_KEY; key++
    :: else -> break
    od;
    key = 1;
    do
    :: key <= BLOCKS -> is_free[key] = true; key++
    :: else -> break
    od;
    key = 0;
    start();
    run_all()
  }
  _nr_pr == 1;
  d_step {
    /* Each key is where it belongs, once, with its last value; nothing is held; no block is lost or used twice. */
    key = 0;
    do
    :: key < 3 ->
       found = 0;
       at = SLOTS * directory_entry[directory + (directory && MOVES(key))];
       do
       :: at < SLOTS * (1 + directory_entry[directory + (directory && MOVES(key))]) ->
          if
          :: IS_LIVE(slot[at]) && entry_key[slot[at]] == key ->
             found++;
             ends_sound = ends_sound && entry_value[slot[at]] == current[key] && !is_free[slot[at]]
          :: else
          fi;
          at++
       :: else -> break
       od;
       ends_sound = ends_sound && found == (current[key] != ABSENT);
       key++
    :: else -> break
    od;
    ends_sound = ends_sound && !mutex[0] && !mutex[1] && !IS_ODD(version[0]) && !IS_ODD(version[1]) &&
      !IS_ODD(version[2]) && !IS_ODD(version[3]);
    key = 1;
    do
    :: key <= BLOCKS ->
       found = is_free[key];
       at = 0;
       do
       :: at < 2 * SLOTS -> found = found + ((slot[at] & 15) == key); at++
       :: else -> break
       od;
       ends_sound = ends_sound && found == 1;
       key++
    :: else -> break
    od;
    INVARIANT(ends_sound, ends_sound)
  }
}
