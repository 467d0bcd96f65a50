/* Dispatch by way in, and the frame that interrupts.
 *
 * Law: asynchronous work never spins: a busy gate gets a mark. The IPL is the same before and after.
 */

/* ---- Dispatch ---- */

/* AgentRef.takeForDispatch: ok says whether the gate is ours. */
inline TAKEFORDISPATCH(l) {
  FUSE(ipl[C] = l; noted[C] = noted[C] | BIT(l));
  TRYTAKE(l);
  if
  :: !ok ->
    marks[l] = marks[l] | BIT(C);
    ANNOUNCE(l);
#ifdef MUT_NO_RETRY
    ok = 0;
#endif
    if
    :: ok -> TRYTAKE(l)
    :: else
    fi;
    if
    :: ok
    :: else ->
#if PATIENCE > 0
      if
      :: ONLYRES(l) -> FUSE(t = retry[C]; retry[C] = t | BIT(l); t = 0)
      :: else
      fi;
      TRIES(l) = TRIES(l) + 1;
      if
      :: TRIES(l) > PATIENCE ->
        FUSE(TRIES(l) = 0; noted[C] = noted[C] & ~BIT(l); ipl[C] = e; queued[C] = queued[C] | BIT(l));
        wl = MAX(e, l - 1);
        WAIT(l, wl, BIT(l));
        wl = 0;
        queued[C] = queued[C] & ~BIT(l);
        summary[C] = summary[C] | BIT(l);
        ok = 1
      :: else ->
        FUSE(noted[C] = noted[C] & ~BIT(l); ipl[C] = e)
      fi
#else
      FUSE(noted[C] = noted[C] & ~BIT(l); ipl[C] = e)
#endif
    fi
  :: else
  fi;
#if PATIENCE > 0
  if
  :: ok -> TRIES(l) = 0
  :: else
  fi
#endif
}

/* AgentRef.serveOrdered. */
inline SERVEORDERED(l) {
  if
  :: (queued[C] & BIT(l)) == 0 ->
    TAKEFORDISPATCH(l);
    if
    :: ok ->
      do
      ::
        CLAIMRUN(C, l);
        if
        :: ok -> DOMINATED2(l); RUNORDERED(l); UNCLAIM(C, l)
        :: else -> break
        fi
      od;
      LEAVE(BIT(l), e)
    :: else
    fi;
    FUSE(ipl[C] = e; ok = 0)
  :: else
  fi
}

#if ((WAY1) | (WAY2)) & MPS
/* AgentRef.serveMPSafe. At level 1 the handler half-writes a cell of its CPU and enters its own gate meanwhile. */
inline SERVEMPSAFE(l) {
  do
  ::
    CLAIM(C, l, MPS);
    if
    :: !ok -> break
    :: else ->
      assert((mine[C] & ABOVE(e)) == 0);
      FUSE(ipl[C] = l);
      if
      :: (l) == 1 ->
        d_step { assert((cell[C] & 2) == 0); cell[C] = cell[C] | 2 };
        FUSE(noted[C] = noted[C] | 2);
        TAKE(2);
        if
        :: !ok -> FUSE(noted[C] = noted[C] & ~2); WAIT(1, 1, 2)
        :: else
        fi;
        LEAVE(2, 1);
        FUSE(ipl[C] = 1);
        RECOGNISE();
        cell[C] = cell[C] & ~2
      :: else ->
#ifdef STUCK
        if
        :: C == 1 -> stuck = 1; false
        :: true
        fi
#else
        skip
#endif
      fi;
      RECOGNISE();
      FUSE(ipl[C] = e)
    fi
  od
}
#endif

#if ((WAY1) | (WAY2)) & BIG
/* AgentRef.runBigLock. */
inline RUNBIGLOCK(l) {
  do
  ::
    CLAIM(C, l, BIG);
    if
    :: !ok -> break
    :: else ->
      assert((mine[C] & 1) && (mine[C] & ABOVE(e) & ~BIT(l)) == 0);
      BEGINRUN(l);
      ENDRUN(l)
    fi
  od
}

inline BOUNCED(l) {
  ipl[C] = e;
#if PATIENCE > 0
  if
  :: ONLYRES(0) || ONLYRES(l) -> FUSE(t = retry[C]; retry[C] = t | BIT(l); t = 0)
  :: else
  fi;
  TRIES(l) = TRIES(l) + 1;
  if
  :: TRIES(l) > PATIENCE -> FUSE(TRIES(l) = 0; t = aged[C]; aged[C] = t | BIT(l); t = 0)
  :: else
  fi
#endif
}

/* AgentRef.serveBigLock and takeBoth. */
inline SERVEBIGLOCK(l) {
  if
#ifndef MUT_BIG_ALWAYS
  :: noted[C] != 0 && !(noted[C] & 1) -> FUSE(ipl[C] = HIGH; deferred[C] = deferred[C] | BIT(l))
#else
  :: noted[C] != 0 && !(noted[C] & 1) ->
    WAIT(0, ipl[C], 0);
    noted[C] = noted[C] | 1;
    TAKEFORDISPATCH(l);
    if
    :: ok -> RUNBIGLOCK(l); LEAVE(1 | BIT(l), e)
    :: else -> LEAVE(1, l)
    fi
#endif
  :: noted[C] & 1 ->
    if
    :: queued[C] & BIT(l)
    :: else ->
      TAKEFORDISPATCH(l);
      if
      :: ok -> RUNBIGLOCK(l); LEAVE(BIT(l), e)
      :: else
      fi
    fi
  :: noted[C] == 0 ->
    ipl[C] = l;
    TRYTAKE(0);
    if
    :: !ok ->
      marks[0] = marks[0] | BIT(C);
      ANNOUNCE(0);
      if
      :: ok -> TRYTAKE(0)
      :: else
      fi
    :: else
    fi;
    if
    :: !ok -> BOUNCED(l)
    :: else ->
      FUSE(noted[C] = noted[C] | 1; noted[C] = noted[C] | BIT(l));
      TRYTAKE(l);
      if
      :: !ok ->
        marks[l] = marks[l] | BIT(C);
        ANNOUNCE(l);
        if
        :: ok -> TRYTAKE(l)
        :: else
        fi
      :: else
      fi;
      if
      :: ok -> RUNBIGLOCK(l); LEAVE(1 | BIT(l), e)
      :: else ->
        FUSE(noted[C] = noted[C] & ~BIT(l));
        LEAVE(1, l);
        BOUNCED(l)
      fi
    fi
  fi;
  FUSE(ipl[C] = e; ok = 0)
}

#define READMITS (deferred[C] != 0 && (noted[C] == 0 || (noted[C] & 1)))
inline READMITDEFERRED() {
  d_step { summary[C] = summary[C] | deferred[C]; deferred[C] = 0 }
}

/* AgentRef.serveAged. */
inline READMITBIGLOCK() {
  if
  :: READMITS -> READMITDEFERRED()
  :: else
  fi;
  if
  :: aged[C] != 0 && (queued[C] & 1) == 0 && noted[C] == 0 && ipl[C] == 0 && waiting[C] == 0 && F == 1 ->
    FUSE(l = HIGHEST(aged[C]); aged[C] = aged[C] & ~BIT(l); queued[C] = queued[C] | 1);
    WAIT(0, 0, 0);
    FUSE(queued[C] = queued[C] & ~1; noted[C] = noted[C] | 1);
    WAIT(l, l - 1, BIT(l));
    RUNBIGLOCK(l);
    LEAVE(1 | BIT(l), 0);
    FUSE(ipl[C] = 0; l = 0)
  :: else
  fi
}
#endif

/* AgentRef.recogniseSlowly and dispatch. e: the IPL that was interrupted. */
inline SERVEFRAME() {
  e = ipl[C];
#if ((WAY1) | (WAY2)) & BIG
  READMITBIGLOCK();
#endif
  if
  :: HASWORK(e) ->
    sn = waiting[C];
    go = 1;
    if
    :: sn != 0 ->
#ifdef OWING
      wk = owes[sn];
#endif
      d_step {
        if
        :: state[sn] == WAITING -> state[sn] = SERVING; ok = 1
        :: else -> ok = 0
        fi
      };
      if
#ifdef OWING
#ifndef MUT_NO_OWED_TRY
      /* It was woken to try, and does not. */
      :: ok && wk -> LOOK(gateOf[sn])
      :: ok && !wk
#else
      :: ok
#endif
#endif
      :: !ok ->
        d_step {
          if
          :: state[sn] == WOKEN -> state[sn] = SERVING; ok = 1
          :: else -> ok = 0
          fi
        };
        if
        :: ok ->
#ifdef MUT_NO_WAKE_NEXT
          skip
#else
          LOOK(gateOf[sn])
#endif
        :: else -> FUSE(ipl[C] = MAX(ipl[C], gateOf[sn]); go = 0)
        fi
#ifndef OWING
      :: else
#endif
      fi;
#ifdef OWING
      wk = 0;
#endif
      ok = 0
    :: else
    fi;
    if
    :: go ->
      FUSE(waiting[C] = 0; DOMINATED(e));
      do
      :: atomic { HASWORK(e) -> l = HIGHEST(summary[C] & ABOVE(e)) };
        summary[C] = summary[C] & ~BIT(l);
        /* Three looks at the pending word, by way in. */
#if ((WAY1) | (WAY2)) & MPS
        if
        :: PENDING(C, l) & MPS -> SERVEMPSAFE(l)
        :: else
        fi;
#endif
        if
        :: PENDING(C, l) & ORD -> SERVEORDERED(l)
        :: else
        fi;
#if ((WAY1) | (WAY2)) & BIG
        if
        :: PENDING(C, l) & BIG -> SERVEBIGLOCK(l)
        :: else
        fi;
#endif
        FUSE(ipl[C] = e; l = 0)
#if ((WAY1) | (WAY2)) & BIG
      :: !HASWORK(e) && READMITS -> READMITDEFERRED()
      :: !HASWORK(e) && !READMITS -> break
#else
      :: !HASWORK(e) -> break
#endif
      od;
      if
      :: sn != 0 ->
        FUSE(waiting[C] = sn; state[sn] = WAITING);
#ifndef MUT_NO_RING
        token[C] = 1
#endif
      :: else
      fi
    :: else
    fi
  :: else
  fi;
  d_step { e = 0; sn = 0; go = 0; ok = 0; l = 0; top[C] = F - 1 }
}
