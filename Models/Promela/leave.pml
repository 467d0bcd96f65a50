/* Running a handler and leaving gates.
 *
 * Law: highest gate first; marked work is run before the gate is free, and only if the IPL that is returned to is below it.
 */

/* ---- Running a handler: AgentRef.run ---- */

inline BEGINRUN(l) {
  d_step {
    ipl[C] = l;
    runs[l] = runs[l] + 1;
    assert(runs[l] == 1);
    /* What a mask, or an MP-safe handler of the level, protects on this CPU. */
    assert((cell[C] & BIT(l)) == 0)
  }
}
inline ENDRUN(l) {
  FUSE(runs[l] = runs[l] - 1; ipl[C] = l);
  RECOGNISE()
}

/* An ordered handler without raises. */
inline RUNLEAF(l) {
  BEGINRUN(l);
  ENDRUN(l)
}

/* An ordered handler; at level 1 it may raise to 2. */
inline RUNORDERED(l) {
  BEGINRUN(l);
#ifdef NEST
  if
  :: (l) == 1 ->
    FUSE(ipl[C] = 2; noted[C] = noted[C] | 4);
    TAKE(4);
    if
    :: !ok -> FUSE(noted[C] = noted[C] & ~4); WAIT(2, 1, 4)
    :: else
    fi;
    INNERLEAVE(4, 1);
    FUSE(ipl[C] = 1);
    RECOGNISE()
  :: else
  fi;
#endif
  ENDRUN(l)
}

/* AgentRef.claim: by exchange, before the run. Who cleared the bit owes a run that starts after it. */
inline CLAIM(c, l, way) {
  d_step {
    if
    :: PENDING(c, l) & (way) -> PENDING(c, l) = PENDING(c, l) & ~(way); OWED(c, l) = OWED(c, l) & ~(way); ok = 1
    :: else -> ok = 0
    fi
  }
}
#ifdef MUT_CLEAR_AFTER_RUN
#define CLAIMRUN(c, l) d_step { ok = (PENDING(c, l) & ORD) != 0; OWED(c, l) = (ok -> OWED(c, l) & ~ORD : OWED(c, l)) }
#define UNCLAIM(c, l) PENDING(c, l) = PENDING(c, l) & ~ORD
#else
#define CLAIMRUN(c, l) CLAIM(c, l, ORD)
#define UNCLAIM(c, l) skip
#endif

/* ---- Leaving: AgentRef.leave, leaveSlowly, leaveOne, drain ---- */

inline FREE(S) {
  d_step {
    assert((mine[C] & (S)) == (S));
    held = held & ~(S);
    mine[C] = mine[C] & ~(S);
    lk2 = attn & (S)
  }
}

/* The part of leaveOne under the queue's lock, and after it. */
inline GIVE(g) {
  if
  :: (g) == 0 -> noted[C] = noted[C] & ~1
  :: else
  fi;
  LOCK(g);
  HANDOVER(g);
  if
  :: w == 0 ->
#if PATIENCE > 0
    if
    :: keptFor[g] != 0 -> lapsed[g] = 0
    :: else
    fi;
#endif
    FREE(BIT(g));
    lk2 = 0;
#ifndef MUT_NO_LOOK
    LOOKLOCKED(g)
#endif
  :: else
  fi;
  UNLOCK(g);
  FUSE(noted[C] = noted[C] & ~BIT(g));
  WAKE(g)
}

#ifdef MUT_DRAIN_IN_MASK
#define DRAINS(g, next) ((g) != 0)
#else
#define DRAINS(g, next) ((g) != 0 && (next) < (g))
#endif

/* Runs the marked `.anywhere` work of other CPUs; what is left keeps its mark. dm: marks to do, rg: CPUs to ring, hc: a CPU. */
#define DRAINBODY(g, dm, rg, hc, RUN) \
  d_step { dm = marks[g]; marks[g] = 0; rg = 0; hc = 0 }; \
  do \
  :: dm == 0 -> break \
  :: else -> \
    d_step { hc = ((dm & 1) -> 0 : ((dm & 2) -> 1 : 2)); dm = dm & ~BIT(hc) }; \
    do \
    :: hc != C && ISANY(g) -> \
      CLAIMRUN(hc, g); \
      if \
      :: ok -> RUN(g); UNCLAIM(hc, g) \
      :: else -> break \
      fi \
    :: else -> break \
    od; \
    atomic { rg = (PENDING(hc, g) != 0 -> rg | BIT(hc) : rg); hc = 0 } \
  od; \
  ipl[C] = g; \
  if \
  :: rg != 0 -> d_step { marks[g] = marks[g] | rg; rg = 0 } \
  :: else \
  fi

inline DRAIN(g) { DRAINBODY(g, dm, rg, hc, RUNORDERED) }
inline INNERDRAIN(g) { DRAINBODY(g, dm2, rg2, hc2, RUNLEAF) }

/* Somebody is in the queue of one of the gates: they may be due. Whether a leaver looks then is a matter of time, so either way is
   possible; what was announced is looked at always. Of several gates each may be left calmly; one alone is left so by the fast way below. */
#define SEVERAL(S) (((S) & ((S) - 1)) != 0)
#define AWAITED(S) (((S) & 1) && qlen[0] > 0 || ((S) & 2) && qlen[1] > 0 || ((S) & 4) && qlen[2] > 0)

/* Leaves the set S, on the way back to the level saved. */
#define LEAVEBODY(S, saved, left, DRAINING) \
  if \
  :: (attn & (S)) != 0 || AWAITED(S) -> \
    left = S; \
    do \
    :: left == 0 -> break \
    :: else -> \
      if \
      :: SEVERAL(S) && HIGHEST(left) != 0 && (attn & BIT(HIGHEST(left))) == 0 -> \
        FREE(BIT(HIGHEST(left))); \
        noted[C] = noted[C] & ~BIT(HIGHEST(left)); \
        if \
        :: lk2 != 0 -> lk2 = 0; LOOK(HIGHEST(left)) \
        :: else \
        fi \
      :: true -> \
        if \
        :: DRAINS(HIGHEST(left), MAX(saved, HIGHEST(left) - 1)) -> DRAINING(HIGHEST(left)) \
        :: else \
        fi; \
        GIVE(HIGHEST(left)) \
      fi; \
      FUSE(ipl[C] = (left == 1 -> ipl[C] : MAX(saved, BELOW(HIGHEST(left)))); left = left & ~BIT(HIGHEST(left))) \
    od \
  :: (attn & (S)) == 0 -> \
    FUSE(noted[C] = noted[C] & ~((S) & 1); FREE(S)); \
    FUSE(noted[C] = noted[C] & ~(S)); \
    do \
    :: lk2 == 0 -> break \
    :: else -> left = LOWEST(lk2); lk2 = lk2 & ~BIT(left); LOOK(left); left = 0 \
    od \
  fi

inline LEAVE(S, saved) { LEAVEBODY(S, saved, left, DRAIN) }
inline INNERLEAVE(S, saved) { LEAVEBODY(S, saved, left2, INNERDRAIN) }
