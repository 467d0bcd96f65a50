/* The gate word, the queues, hand-off and looking, and what calls a frame.
 *
 * Law: the list, the reservation and the passes of a queue change under its lock; the word and the states change by themselves.
 */

/* ---- The gate word ---- */

/* GateWord.take: the compare-exchange loop succeeds or fails at one operation; the others of the loop change nothing. */
inline TAKE(S) {
  d_step {
    if
    :: ((held | res) & (S)) == 0 -> held = held | (S); OWNED(S); ok = 1
    :: else -> ok = 0
    fi
  }
}

inline LOCK(g) {
  FUSE(sv = ipl[C]; ipl[C] = HIGH; d_step { lk[g] == 0 -> lk[g] = 1 })
}

inline UNLOCK(g) {
  FUSE(lk[g] = 0; d_step { ipl[C] = sv; sv = 0 })
}

/* AgentRef.tryTake and takeReserved. */
inline TRYTAKE(g) {
  TAKE(BIT(g));
#if PATIENCE > 0
  if
  :: !ok && ONLYRES(g) ->
    LOCK(g);
    if
    :: keptFor[g] != 0 && CPU(keptFor[g]) != C && !LAPSED(g) -> ok = 0
    :: else ->
      keptFor[g] = 0;
      d_step {
        if
        :: (held & BIT(g)) == 0 -> sv2 = ipl[C]; ipl[C] = sv; held = held | BIT(g); res = res & ~BIT(g); OWNED(BIT(g)); ipl[C] = sv2; sv2 = 0; ok = 1
        :: else -> ok = 0
        fi
      };
      if
      :: !ok -> res = res & ~BIT(g)
      :: ok
      fi
    fi;
    UNLOCK(g)
  :: else
  fi
#endif
}

/* GateWord.announce. */
inline ANNOUNCE(g) {
  d_step {
    ok = (held & BIT(g)) == 0;
#ifdef MUT_NO_ANNOUNCE
#else
    attn = attn | BIT(g)
#endif
  }
}

/* ---- Queues, under the lock ---- */

inline APPEND(g, node) {
  d_step { assert(qlen[g] < QUEUE); q[(g) * QUEUE + qlen[g]] = node; qlen[g] = qlen[g] + 1 }
}

inline REMOVE(g, node) {
  d_step {
    i = 0;
    do
    :: i < qlen[g] && q[(g) * QUEUE + i] != node -> i = i + 1
    :: else -> break
    od;
    if
    :: i < qlen[g] ->
      qlen[g] = qlen[g] - 1;
      do
      :: i < qlen[g] -> q[(g) * QUEUE + i] = q[(g) * QUEUE + i + 1]; i = i + 1
      :: else -> break
      od;
      q[(g) * QUEUE + qlen[g]] = 0;
    :: else
    fi;
    i = 0
  }
#if PATIENCE > 0
  if
  :: keptFor[g] == node -> FUSE(keptFor[g] = 0; res = res & ~BIT(g))
  :: else
  fi
#endif
}

/* AgentRef.lookLocked: sets w to the CPU to wake, plus one, and mk to the marks. */
inline LOOKLOCKED(g) {
  attn = attn & ~BIT(g);
  d_step { mk = marks[g]; marks[g] = 0 };
  i = 0;
  do
  :: i < qlen[g] ->
    d_step {
      t = q[(g) * QUEUE + i];
      if
      :: state[t] == WAITING -> state[t] = WOKEN; w = CPU(t) + 1
      :: else
      fi;
      t = 0
    };
    if
    :: w == 0 ->
      /* Read again: it may have changed since the compare-exchange failed. */
      if
      :: state[q[(g) * QUEUE + i]] == WOKEN -> break
      :: else -> i = i + 1
      fi
    :: else -> break
    fi
  :: else -> break
  od;
  i = 0
}

/* AgentRef.wake: unpark the waiter, ring the marked CPUs. */
inline WAKE(g) {
  if
  :: w != 0 -> d_step { token[w - 1] = 1; w = 0 }
  :: else
  fi;
  do
  :: mk == 0 -> break
  :: else ->
    d_step {
      i = ((mk & 1) -> 0 : ((mk & 2) -> 1 : 2));
      mk = mk & ~BIT(i);
      if
      :: (g) == 0 -> summary[i] = summary[i] | BIGLEVELS
      :: else -> summary[i] = summary[i] | BIT(g)
      fi
    };
    if
    :: i != C -> d_step { token[i] = 1; i = 0 }
    :: else -> i = 0
    fi
  od
}

/* AgentRef.look. */
inline LOOK(g) {
#ifdef MUT_NO_LOOK
  skip
#else
  LOCK(g);
  LOOKLOCKED(g);
  UNLOCK(g);
  WAKE(g)
#endif
}

/* AgentRef.handOver: w is set if the gate was given away. Time is abstract: any waiter may be overdue. */
inline HANDOVER(g) {
  i = 0;
  do
  :: i < qlen[g] ->
    if
    :: i = i + 1 /* not overdue */
    :: /* overdue */
      GRANT(g, WAITING);
      if
      :: w == 0 -> GRANT(g, WOKEN)
      :: else
      fi;
#ifdef MUT_HAND_TO_SERVING
      if
      :: w == 0 -> GRANT(g, SERVING)
      :: else
      fi;
#endif
      if
      :: w != 0 ->
        t = q[(g) * QUEUE + i];
        REMOVE(g, t);
        t = 0;
        attn = attn & ~BIT(g);
        if
        :: qlen[g] > 0 || marks[g] != 0 -> attn = attn | BIT(g)
        :: else
        fi;
        break
      :: else ->
#if PATIENCE > 0
        FUSE(passes[q[(g) * QUEUE + i]] = passes[q[(g) * QUEUE + i]] + 1;
        if
        :: passes[q[(g) * QUEUE + i]] >= PATIENCE && keptFor[g] == 0 ->
          passes[q[(g) * QUEUE + i]] = 0; keptFor[g] = q[(g) * QUEUE + i]; lapsed[g] = 0; res = res | BIT(g)
        :: else -> passes[q[(g) * QUEUE + i]] = (passes[q[(g) * QUEUE + i]] > PATIENCE -> PATIENCE : passes[q[(g) * QUEUE + i]])
        fi);
#endif
        i = i + 1
      fi
    fi
  :: else -> break
  od;
  i = 0
}

inline GRANT(g, from) {
  d_step {
    t = q[(g) * QUEUE + i];
    if
    :: state[t] == from ->
      state[t] = GRANTED;
      w = CPU(t) + 1;
      assert(mine[C] & BIT(g));
#ifndef UNCHECKED
      assert(mine[w - 1] < BIT(g));
#endif
      mine[C] = mine[C] & ~BIT(g);
      mine[w - 1] = mine[w - 1] | BIT(g)
    :: else
    fi;
    t = 0
  }
}

/* ---- Calls of frames ---- */

/* A recognition point. */
inline RECOGNISE() {
  if
  :: atomic { (HASWORK(ipl[C]) || deferred[C] != 0 || aged[C] != 0) -> assert(F + 1 < D); top[C] = F + 1 };
    (top[C] == F)
  :: else
  fi
}

/* AgentRef.poll: what a reservation refused is tried again. */
inline POLLRETRY() {
#if PATIENCE > 0
  if
  :: RETRYDUE -> d_step { t = retry[C]; retry[C] = 0 }; d_step { summary[C] = summary[C] | t; t = 0 }
  :: else
  fi
#else
  skip
#endif
}

/* AgentRef.sleep: one look, then the token. `refused` also waits for the time of a lapse; so does a dispatch's retry. Ends of a
   park by time that would find everything as before are left out. */
inline SLEEP(k, g, refused) {
  if
  :: (summary[C] & ABOVE(k)) == 0 ->
    atomic { (token[C] || (refused) || RETRYDUE) -> token[C] = 0 }
  :: else
  fi;
  POLLRETRY()
}
