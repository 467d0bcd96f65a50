/* Gates, delegation and hand-off: an independent model of the order's busy gate.
 *
 * Law: one step here is one operation of the core on a word that another CPU can see (the gate word, a waiter's state, a
 * pending or summary word, a queue's lock, a seat), or fewer; never two of them. Steps of private fields are fused with the
 * shared step that follows, except with ANYSTEP, where an interrupt may come between any two statements.
 *
 * A CPU is a stack of frames, a process each: frame 0 is base code, frame d+1 is what interrupted frame d at a recognition
 * point (or, with ANYSTEP, anywhere that the IPL admits). top[] says which frame of a CPU runs. Memory is sequentially
 * consistent. What is left out, and where each part is in the core, is in Documentation/Model.md.
 *
 * Levels: 0 `none`, 1 and 2 soft, 3 `high`. The gate of a level has its number. Sizes, programs and switches are macros:
 *   NC CPUs          D frames a CPU        PATIENCE 0: no reservation and no queueing of asynchronous work
 *   SETc, NUMc       base code of CPU c raises to the gates SETc (cumulative from `none`), NUMc times
 *   BIGc             base code of CPU c does that inside a big-lock section
 *   WAY1, WAY2       ways in of the levels' handlers: sums of ORD, MPS, BIG      ANY: levels whose ordered work is `.anywhere`
 *   NEST             a handler at level 1 raises to 2
 *   Scl, TIMES       a device schedules the handlers Scl (a way in) of level l on CPU c, in any order and at any time, TIMES times
 *   AFTER0           base code of CPU 0 schedules the MP-safe handler of level 2 on CPU 1 when it has raised, and no device does
 *   UNCHECKED        the order of acquisition is not asserted, so that a deadlock is seen as one
 *   LIVENESS         instead of looking at the end states: under weak fairness everything is done some time
 *   STUCK            a run of an MP-safe handler at level 2 on CPU 1 may be descheduled for ever
 *   WOKENSTEP        an interrupt may also come between a woken waiter's saying that it waits again and its try (with ANYSTEP it may
 *                    anyway): the one step at which a waiter owes a try
 */

#define ORD 1
#define MPS 2
#define BIG 4

#ifndef NC
#define NC 2
#endif
#ifndef D
#define D 4
#endif
#ifndef PATIENCE
#define PATIENCE 0
#endif
#ifndef SET0
#define SET0 0
#endif
#ifndef SET1
#define SET1 0
#endif
#ifndef SET2
#define SET2 0
#endif
#ifndef NUM0
#define NUM0 1
#endif
#ifndef NUM1
#define NUM1 1
#endif
#ifndef BIG0
#define BIG0 0
#endif
#ifndef BIG1
#define BIG1 0
#endif
#ifndef WAY1
#define WAY1 ORD
#endif
#ifndef WAY2
#define WAY2 ORD
#endif
#ifndef ANY
#define ANY 0
#endif
#ifndef S01
#define S01 0
#endif
#ifndef S02
#define S02 0
#endif
#ifndef S11
#define S11 0
#endif
#ifndef S12
#define S12 0
#endif
#ifndef S21
#define S21 0
#endif
#ifndef S22
#define S22 0
#endif
#ifndef TIMES
#define TIMES 1
#endif

#define HIGH 3
#define GATES 3
#define BIT(k) (1 << (k))
#define ABOVE(k) (14 & ~((1 << ((k) + 1)) - 1))
#define HIGHEST(s) (((s) & 4) -> 2 : (((s) & 2) -> 1 : 0))
#define LOWEST(s) (((s) & 1) -> 0 : (((s) & 2) -> 1 : 2))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define BELOW(k) ((k) == 0 -> 0 : (k) - 1)
/* Nodes are 1 … NC·D, D for each CPU; 0 is nil. */
#define CPU(node) (((node) - 1) / D)
#define QUEUE (NC * 2)

/* The gate word: held, attention and reserved bits. */
byte held, attn, res;
/* Queues. */
byte lk[GATES], qlen[GATES], q[GATES * QUEUE], marks[GATES], keptFor[GATES];
bit lapsed[GATES];
/* Waiters. */
#define WAITING 0
#define SERVING 1
#define GRANTED 2
#define WOKEN 3
byte state[NC * D + 1], passes[NC * D + 1], gateOf[NC * D + 1];
/* Its own CPU's: it was woken, says that it waits, and has not tried yet. Without such interrupts nobody can see it. */
#if defined(ANYSTEP) || defined(WOKENSTEP)
#define OWING
bit owes[NC * D + 1];
#endif
/* CPUs: shared. */
byte summary[NC], pend[NC * 3];
bit token[NC];
/* CPUs: their own. */
byte ipl[NC], noted[NC], waiting[NC], depth[NC], queued[NC], tries[NC * 3], retry[NC], deferred[NC], aged[NC];
byte top[NC];
/* For the properties only: who owns which gates, what was scheduled and is owed a run, what runs. */
byte mine[NC], owed[NC * 3], runs[3], cell[NC];
bit idle[NC], stuck, arrived;

/* pid → CPU and depth of the frame. */
#define C (_pid / D)
#define F (_pid % D)

#define PENDING(c, l) pend[(c) * 3 + (l)]
#define OWED(c, l) owed[(c) * 3 + (l)]
#define TRIES(l) tries[C * 3 + (l)]
#define ISANY(l) (ANY & BIT(l))
#define ONLYRES(g) ((held & BIT(g)) == 0 && (res & BIT(g)) != 0)
#define HASWORK(k) ((summary[C] & ABOVE(k)) != 0)

#ifdef MUT_NO_LAPSE
#define LAPSED(g) 0
#else
#define LAPSED(g) lapsed[g]
#endif
#define BIGLEVELS ((((WAY1) & BIG) -> 2 : 0) | (((WAY2) & BIG) -> 4 : 0))
#if PATIENCE > 0
#define TIMEUP(g) (LAPSED(g) || !ONLYRES(g))
#define RETRYDUE ((retry[C] & 2) && TIMEUP(1) || (retry[C] & 4) && TIMEUP(2))
#else
#define TIMEUP(g) 0
#define RETRYDUE 0
#endif

#ifdef ANYSTEP
#define FUSE(...) __VA_ARGS__
/* Bare metal: the doorbell interrupts whenever the IPL admits what is asked. */
#define RUNNABLE provided (top[_pid / D] == _pid % D || (top[_pid / D] + 1 == _pid % D && (summary[_pid / D] >> (ipl[_pid / D] + 1)) != 0))
#define ENTRY (top[C] == F || top[C] + 1 == F)
#else
#define FUSE(...) atomic { __VA_ARGS__ }
#define RUNNABLE
#define ENTRY (top[C] == F)
#endif

/* ---- Properties at the steps that could break them ---- */

inline OWNED(S) {
  /* Mutual exclusion, and ascending acquisition. */
  assert((mine[0] & (S)) == 0);
  assert((mine[1] & (S)) == 0);
#if NC > 2
  assert((mine[2] & (S)) == 0);
#endif
#ifndef UNCHECKED
  assert(mine[C] < ((S) & -(S)));
#endif
  /* Every held gate is at or below the IPL. */
  assert(ipl[C] >= HIGHEST(S));
  mine[C] = mine[C] | (S)
}

/* Nothing is dispatched on a CPU over a gate that is above the IPL it interrupted: neither a gate taken nor one handed over. */
/* Between what was interrupted and the gate of this run nothing is held. */
#ifndef UNCHECKED
#define DOMINATED2(k) assert((mine[C] & ABOVE(e) & ~BIT(k)) == 0)
#define DOMINATED(k) assert((mine[C] & ABOVE(k)) == 0)
#else
#define DOMINATED2(k) skip
#define DOMINATED(k) skip
#endif

#include "word.pml"
#include "wait.pml"
#include "leave.pml"
#include "dispatch.pml"

/* ---- Base code ---- */

#define SETOF(c) ((c) == 0 -> (SET0) : ((c) == 1 -> (SET1) : (SET2)))
#define NUMOF(c) ((c) == 0 -> (NUM0) : ((c) == 1 -> (NUM1) : 1))
#define BIGOF(c) ((c) == 0 -> (BIG0) : ((c) == 1 -> (BIG1) : 0))

/* AgentRef.takeTogether, of both gates: if only the higher one is busy. */
#if SET0 == 6 || SET1 == 6
#define TAKETOGETHER(S) \
  noted[C] = noted[C] & ~(S); \
  if \
  :: (S) == 6 && ((held | res) & 6) == 4 -> \
    WAIT(2, 1, 4); \
    LEAVE(4, 1); \
    FUSE(ipl[C] = 2; noted[C] = noted[C] | 6); \
    TAKE(6); \
    if \
    :: !ok -> FUSE(noted[C] = noted[C] & ~6; ipl[C] = 1; left = 6) \
    :: else \
    fi \
  :: else -> left = S \
  fi
#else
#define TAKETOGETHER(S) FUSE(noted[C] = noted[C] & ~(S); left = S)
#endif

/* AgentRef.enter, takeAscending and exit. */
inline RAISE(S) {
  FUSE(ipl[C] = HIGHEST(S); noted[C] = noted[C] | (S));
  TAKE(S);
  if
  :: !ok ->
    TAKETOGETHER(S);
    do
    :: left == 0 -> break
    :: else ->
      WAIT(LOWEST(left), BELOW(LOWEST(left)), BIT(LOWEST(left)));
      left = left & ~BIT(LOWEST(left))
    od
  :: else
  fi;
  ok = 0;
  LEAVE(S, 0);
  FUSE(ipl[C] = 0);
  RECOGNISE()
}

/* Handler.schedule, from elsewhere. */
inline SCHEDULE(c, l, way) {
  d_step { PENDING(c, l) = PENDING(c, l) | (way); OWED(c, l) = OWED(c, l) | (way) };
  summary[c] = summary[c] | BIT(l);
  token[c] = 1
}

inline BASE() {
  do
  :: turn < NUMOF(C) && SETOF(C) != 0 ->
    turn = turn + 1;
#if BIG0 || BIG1
    if
    :: BIGOF(C) ->
      TRYTAKE(0);
      if
      :: !ok -> WAIT(0, 0, 0)
      :: else
      fi;
      noted[C] = noted[C] | 1
    :: else
    fi;
#endif
    gs = SETOF(C);
    RAISE(gs);
    gs = 0;
#ifdef AFTER0
    if
    :: C == 0 -> SCHEDULE(1, 2, MPS)
    :: else
    fi;
#endif
#if BIG0 || BIG1
    if
    :: BIGOF(C) -> LEAVE(1, 0); RECOGNISE()
    :: else
    fi
#endif
  :: else -> break
  od;
  turn = 0;
  /* InterruptSystem.loop. */
  do
  ::
    RECOGNISE();
    if
    :: HASWORK(0) || aged[C] != 0
    :: else ->
      idle[C] = 1;
      SLEEP(0, 0, 0);
      idle[C] = 0
    fi
  od
}

active [NC * D] proctype Frame() RUNNABLE {
  bit ok, go, rf;
#ifdef OWING
  bit wk;
#endif
  byte n, sn, e, l, i, t, w, mk, lk2, sv, sv2, left, dm, rg, hc, gs, wl, turn;
#ifdef NEST
  byte left2, dm2, rg2, hc2;
#endif
  if
  :: F == 0 -> BASE()
  :: else
  fi;
  do
  :: atomic { ENTRY -> top[C] = F }; SERVEFRAME()
  od
}

/* A thread that is no CPU schedules at any time. */
active proctype Device() {
  byte todo, times;
  do
  :: todo == 0 && times < TIMES -> times = times + 1; todo = ((S01) != 0 -> 1 : 0) | ((S02) != 0 -> 2 : 0) | ((S11) != 0 -> 4 : 0) | ((S12) != 0 -> 8 : 0) | ((S21) != 0 -> 16 : 0) | ((S22) != 0 -> 32 : 0)
#if S01
  :: todo & 1 -> todo = todo & ~1; SCHEDULE(0, 1, S01)
#endif
#if S02
  :: todo & 2 -> todo = todo & ~2; SCHEDULE(0, 2, S02)
#endif
#if S11
  :: todo & 4 -> todo = todo & ~4; SCHEDULE(1, 1, S11)
#endif
#if S12
  :: todo & 8 -> todo = todo & ~8; SCHEDULE(1, 2, S12)
#endif
#if S21
  :: todo & 16 -> todo = todo & ~16; SCHEDULE(2, 1, S21)
#endif
#if S22
  :: todo & 32 -> todo = todo & ~32; SCHEDULE(2, 2, S22)
#endif
  :: todo == 0 && times == TIMES -> break
  od;
  arrived = 1
}

#if PATIENCE > 0
/* Time: a reservation may lapse. */
active proctype Clock() {
  do
  :: d_step { keptFor[0] != 0 && !lapsed[0] -> lapsed[0] = 1 }
  :: d_step { keptFor[1] != 0 && !lapsed[1] -> lapsed[1] = 1 }
  :: d_step { keptFor[2] != 0 && !lapsed[2] -> lapsed[2] = 1 }
  od
}
#endif

/* Nothing can go on: then every CPU sleeps for want of work, nothing scheduled was lost, nothing is held, nobody waits. */
#define DONE(c) (idle[c] && waiting[c] == 0 && depth[c] == 0 && top[c] == 0 && ipl[c] == 0 && noted[c] == 0 && mine[c] == 0 \
  && pend[(c) * 3 + 1] == 0 && pend[(c) * 3 + 2] == 0 && owed[(c) * 3 + 1] == 0 && owed[(c) * 3 + 2] == 0 && deferred[c] == 0)
#ifndef LIVENESS
active proctype Final() {
  timeout;
  assert(DONE(0));
  assert(DONE(1) || stuck);
#if NC > 2
  assert(DONE(2));
#endif
  assert(stuck || held == 0 && qlen[0] + qlen[1] + qlen[2] == 0)
}
#else
/* Under weak fairness everything is done in the end: no livelock either. */
ltl done { <> (DONE(0) && DONE(1) && held == 0 && arrived) }
#endif
