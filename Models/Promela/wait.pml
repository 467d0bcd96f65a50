/* Waiting for one gate.
 *
 * Law: publish, announce, try; own a grant before anything is dispatched; serve; sleep last.
 */

/* ---- Waiting: AgentRef.wait ---- */

/* at is the level that is waited at; on return the gate is this CPU's and the IPL is the gate's. nt: the set to note meanwhile
   (empty for gate `none`, which is noted after it is taken). */
inline WAIT(g, at, nt) {
  FUSE(
    ipl[C] = at;
    d_step {
      assert(depth[C] < D);
      n = C * D + depth[C] + 1;
      depth[C] = depth[C] + 1;
      state[n] = WAITING; passes[n] = 0; gateOf[n] = g
    };
#ifndef LATE
    waiting[C] = n
#endif
  )
  LOCK(g);
  APPEND(g, n);
  UNLOCK(g);
#ifdef LATE
  waiting[C] = n;
#endif
  do
  ::
    d_step {
      if
      :: state[n] == WOKEN ->
#ifdef OWING
        owes[n] = 1
#else
        state[n] = WAITING
#endif
      :: else
      fi
    };
#ifdef OWING
    d_step {
      if
      :: state[n] == WOKEN -> state[n] = WAITING
      :: else
      fi
    };
#endif
#ifdef WOKENSTEP
    if
    :: owes[n] -> RECOGNISE()
    :: else
    fi;
#endif
    ANNOUNCE(g);
    if
    :: ok ->
      FUSE(ipl[C] = g; noted[C] = noted[C] | (nt));
      TRYTAKE(g);
      if
      :: ok ->
        LOCK(g);
        REMOVE(g, n);
#ifndef MUT_TOOK_IN_SILENCE
        if
        :: qlen[g] > 0 -> attn = attn | BIT(g)
        :: else
        fi;
#endif
        UNLOCK(g);
        break
      :: else ->
        FUSE(noted[C] = noted[C] & ~(nt); ipl[C] = at)
      fi
    :: else
    fi;
#ifdef OWING
    owes[n] = 0;
#endif
    if
    :: state[n] == GRANTED ->
      FUSE(ipl[C] = g; noted[C] = noted[C] | (nt));
      LOCK(g);
      UNLOCK(g);
      break
    :: else
    fi;
    if
    :: HASWORK(at) -> RECOGNISE()
    :: else ->
#if PATIENCE > 0
      rf = ONLYRES(g);
#endif
      SLEEP(at, g, (rf && TIMEUP(g)));
      rf = 0
    fi
  od;
#ifdef OWING
  FUSE(waiting[C] = 0; d_step { depth[C] = depth[C] - 1; owes[n] = 0; n = 0; ok = 0 })
#else
  FUSE(waiting[C] = 0; d_step { depth[C] = depth[C] - 1; n = 0; ok = 0 })
#endif
}
