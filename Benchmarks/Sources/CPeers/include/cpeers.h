// The peers that are written in C. Each function does `count` operations, or says by `peer_has_…` that the library was not there when
// this was built.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Bare wake-ups of the kernel: what parks and wakes everything else here. No queue, no order.
void peer_futex_wait(uint32_t *_Nonnull word, uint32_t seen);
void peer_futex_wake(uint32_t *_Nonnull word);
/// Without the system: counts, and says how far.
void peer_count(uint32_t *_Nonnull word);
uint32_t peer_counted(uint32_t *_Nonnull word);
int peer_eventfd(void);
void peer_eventfd_wait(int descriptor);
void peer_eventfd_ring(int descriptor);
/// `armed` lines of memory, each behind a handle as a callout's is; `peer_touch` changes a word of those of `which`, each under a spin
/// lock with so many instructions in it if asked: what is left of a timer when everything but its memory is taken away.
typedef struct peer_touched peer_touched;
peer_touched *_Nonnull peer_touch_new(uint64_t armed);
void peer_touch(peer_touched *_Nonnull touched, const uint32_t *_Nonnull which, uint64_t count, bool locked,
                uint64_t instructions);
void peer_touch_free(peer_touched *_Nonnull touched);
void peer_pin(int processor);
void peer_pin_two(int first, int second);
/// What each thread that takes part in a session calls before anything else; only the first call of a thread does something. It may run
/// on both processors from then on if `anywhere`, also if who made it was pinned, and has a real-time priority, if that is not 0 and the
/// system permits it. `peer_take_part_end` takes the priorities back, when none of the threads is in `peer_take_part`.
void peer_take_part(int priority, bool anywhere, int first, int second);
void peer_take_part_end(void);

// Concurrency Kit. Spin locks: no sleeping, no order between locks; the ticket lock is fair. Ring and queue: items handed over, nobody
// is woken, nothing is run.
bool peer_has_ck(void);
void peer_ck_fas_pairs(uint64_t count, uint64_t *_Nonnull word);
void peer_ck_ticket_pairs(uint64_t count, uint64_t *_Nonnull word);
void *_Nonnull peer_ck_ticket_new(void);
void peer_ck_ticket_lock(void *_Nonnull lock);
void peer_ck_ticket_unlock(void *_Nonnull lock);
void peer_ck_ticket_free(void *_Nonnull lock);
/// Puts a task into a single-producer ring and takes and runs it.
void peer_ck_ring_run(uint64_t count, uint64_t *_Nonnull word);
void peer_ck_fifo_run(uint64_t count, uint64_t *_Nonnull word);
/// Two rings between two threads that poll: `turns` messages there and back; `side` is 0 or 1.
void *_Nonnull peer_ck_rings_new(void);
void peer_ck_rings_play(void *_Nonnull rings, int side, uint64_t turns);
void peer_ck_rings_free(void *_Nonnull rings);

// What two processors that poll have to do for a message that runs at a level, and for a call and its answer, and nothing besides: `turns` of them there
// and back; `side` is 0 or 1. One game at a time, from a beginning.
void peer_needed_begin(void);
void peer_needed_messages(int side, uint64_t turns);
void peer_needed_calls(int side, uint64_t turns);

// liburcu. `call_rcu` defers a function past a grace period to a thread of its own; the queue is wait-free to enqueue. Neither has
// priorities or exclusion with the caller.
bool peer_has_urcu(void);
void peer_urcu_wfcq_run(uint64_t count, uint64_t *_Nonnull word);
void peer_urcu_call_rcu(uint64_t count, uint64_t *_Nonnull word);

// libuv: one loop, one thread. Async wake-ups coalesce, as schedules do; timers are a heap. No priorities.
bool peer_has_uv(void);
/// One `uv_async_send` and one turn of the loop each.
void peer_uv_async_run(uint64_t count, uint64_t *_Nonnull word);
/// `uv_async_send` to one that is pending.
void peer_uv_async_coalesced(uint64_t count);
typedef struct peer_uv_timers peer_uv_timers;
peer_uv_timers *_Nonnull peer_uv_timers_new(uint64_t armed);
void peer_uv_timers_cancel(peer_uv_timers *_Nonnull timers, const uint32_t *_Nonnull which, uint64_t count);
void peer_uv_timers_arm(peer_uv_timers *_Nonnull timers, const uint32_t *_Nonnull which, const uint64_t *_Nonnull milliseconds,
                        uint64_t count);
/// Arms `count` timers that are due, and runs them; those of `which`.
void peer_uv_timers_expire(peer_uv_timers *_Nonnull timers, const uint32_t *_Nonnull which, uint64_t count);
void peer_uv_timers_free(peer_uv_timers *_Nonnull timers);
/// A loop on a thread of its own, on `processor`, that sleeps; `peer_uv_ring` wakes it, and it calls `stamp(context)`.
void *_Nonnull peer_uv_sleeper_new(int processor, void (*_Nonnull stamp)(void *_Nonnull), void *_Nonnull context);
void peer_uv_ring(void *_Nonnull sleeper);
void peer_uv_sleeper_free(void *_Nonnull sleeper);
